/**
 * The npm package's files, in dist/: tsup makes the JavaScript, and this what is left to do.
 */
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBin, root } from '../bootstrap/paths.mjs';
import { mustRun } from '../bootstrap/process.mjs';
import { inLines } from './text-lines.mjs';
import { declarations } from './types.mjs';

const dist = join(root, 'dist');

/** The files of the modules, by where wasm-pack puts them, and the entry that starts them. */
const MODULES = /** @type {const} */ ([
  ['pkg', 'focal-loss.wasm', './slim'],
  ['pkg-analysis', 'focal-loss-analysis.wasm', './analysis-slim'],
]);

/**
 * The types of a module's file, imported, which depends on the bundler, and required.
 * @param {string} entry
 * @param {'js' | 'cjs'} extension
 */
const wasmTypes = (entry, extension) => `import type { ModuleSource } from '${entry}.${extension}';

/** The value that importing the file gives depends on the bundler: \`init\` takes it. */
declare const source: ModuleSource;
export ${extension === 'js' ? 'default' : '='} source;
`;

/**
 * A file of JavaScript as it is published. In one that is required, what is imported from another
 * file of the package is required too.
 * @param {string} name
 * @param {string} code
 */
function finished(name, code) {
  const lines = inLines(code);
  // Deno looks for the types of a file that others import in its first line.
  if (/^(?:index|analysis)\.js$/.test(name))
    return `/* @ts-self-types="./${name.replace('.js', '.d.ts')}" */${lines}`;
  return name.endsWith('.cjs')
    ? `"use strict";\n${lines.replaceAll('require("./index.js")', 'require("./index.cjs")')}`
    : lines;
}

/**
 * @param {import('../bootstrap/rust.mjs').Toolchain} toolchain
 */
export async function bundle({ env }) {
  rmSync(dist, { recursive: true, force: true });
  await mustRun('Bundling the npm package', join(nodeBin, 'tsup'), ['--silent'], {
    cwd: root,
    env,
  });
  for (const name of readdirSync(dist)) {
    const file = join(dist, name);
    writeFileSync(file, finished(name, readFileSync(file, 'utf8')));
  }
  for (const [folder, name, entry] of MODULES) {
    copyFileSync(join(root, 'crate', folder, 'focal_loss_bg.wasm'), join(dist, name));
    writeFileSync(join(dist, `${name}.d.ts`), wasmTypes(entry, 'js'));
    writeFileSync(join(dist, `${name}.d.cts`), wasmTypes(entry, 'cjs'));
  }
  for (const [name, text] of Object.entries(await declarations()))
    writeFileSync(join(dist, name), text);
}
