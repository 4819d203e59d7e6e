/**
 * The declarations of the package: of each entry a file, and one set of them for all entries, so
 * that what one makes another takes.
 */
import { dirname, join, resolve } from 'node:path';
import { root } from '../bootstrap/paths.mjs';
import { entries } from './entries.mjs';

/** The entries whose declarations others take over, in the order in which they have to be made. */
const SHARED = ['index', 'analysis'];

/**
 * The entries, with the names of those that share declarations and come before each.
 * @returns {{ file: string, source: string, shared: string[] }[]}
 */
function inOrder() {
  const rank = (/** @type {string} */ file) => SHARED.indexOf(file) + 1 || SHARED.length + 1;
  const sorted = entries.toSorted((a, b) => rank(a.file) - rank(b.file));
  return sorted.map(({ file, source }) => ({
    file,
    source,
    shared: SHARED.filter((other) => rank(other) < rank(file)),
  }));
}

/**
 * The declarations, by the names of their files in dist/: for what is imported, and the same for
 * what is required.
 * @returns {Promise<Record<string, string>>}
 */
export async function declarations() {
  // Imported here, because the scripts start before npm packages are installed.
  const [{ rollup }, { dts }] = await Promise.all([import('rollup'), import('rollup-plugin-dts')]);
  /** @type {Map<string, string>} which entry declares what a source file does */
  const home = new Map();
  /** @type {Record<string, string>} */
  const files = {};
  for (const { file: name, source: input, shared } of inOrder()) {
    /** @type {import('rollup').Plugin} */
    const elsewhere = {
      name: 'elsewhere',
      resolveId(source, importer) {
        if (!(importer && source.startsWith('.'))) return null;
        const entry = home.get(resolve(dirname(importer), source.replace(/\.js$/, '.ts')));
        return entry && shared.some((other) => other === entry)
          ? { id: `./${entry}.js`, external: true }
          : null;
      },
    };
    const bundle = await rollup({
      input: join(root, input),
      external: /^@tensorflow\//,
      plugins: [elsewhere, dts({ tsconfig: join(root, 'tsconfig.lib.json') })],
      onLog: (_level, { code, message }) => {
        // There are entries that export nothing.
        if (code !== 'EMPTY_BUNDLE') throw new Error(message);
      },
    });
    const { output } = await bundle.generate({ format: 'es' });
    await bundle.close();
    for (const file of Object.keys(output[0].modules)) if (!home.has(file)) home.set(file, name);
    // A private member of a class says only that it is there, and would keep apart the classes of
    // two files with the same declarations.
    const text = output[0].code.replaceAll(/^ *#private;\n/gm, '').trim() || 'export {};';
    files[`${name}.d.ts`] = `${text}\n`;
    files[`${name}.d.cts`] = `${text.replaceAll(/(from '\.\/[\w-]+)\.js'/g, "$1.cjs'")}\n`;
  }
  return files;
}
