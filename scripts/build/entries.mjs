/**
 * The entries of the package with losses or analysis in them: what `exports` of package.json says.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap/paths.mjs';

/**
 * @typedef {object} Entry
 * @property {string} specifier as a program imports it
 * @property {string} file its name in `dist/`, without an extension
 * @property {string} source in `ts/`, relative to the clone
 */

/** @type {{ name: string, exports: Record<string, string | { default: string }> }} */
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** @type {Entry[]} */
export const entries = Object.entries(exports).flatMap(([subpath, target]) => {
  const [, file] =
    (typeof target === 'object' && /^\.\/dist\/([\w-]+)\.js$/.exec(target.default)) || [];
  return file ? [{ specifier: join(name, subpath), file, source: `ts/${file}.ts` }] : [];
});
