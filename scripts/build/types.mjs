/**
 * The declarations of the package: of each entry a file, and one set of them for all entries, so
 * that what one makes another takes.
 */
import { dirname, join, resolve } from 'node:path';
import { root } from '../bootstrap/paths.mjs';

/**
 * The entries, by the names of their files, with the source of each and which other's declarations
 * it takes over.
 */
const ENTRIES = /** @type {const} */ ([
  ['index', 'ts/index.ts', []],
  ['slim', 'ts/slim.ts', ['index']],
  ['analysis', 'ts/analysis.ts', ['index']],
  ['analysis-slim', 'ts/analysis-slim.ts', ['index', 'analysis']],
  ['tfjs', 'ts/tfjs.ts', ['index']],
]);

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
  for (const [name, input, shared] of ENTRIES) {
    /** @type {import('rollup').Plugin} */
    const elsewhere = {
      name: 'elsewhere',
      resolveId(source, importer) {
        if (!(importer && source.startsWith('.'))) return null;
        const entry = home.get(resolve(dirname(importer), source.replace(/\.js$/, '.ts')));
        return entry && shared.some((other) => other === entry) ? { id: `./${entry}.js`, external: true } : null;
      },
    };
    const bundle = await rollup({
      input: join(root, input),
      external: /^@tensorflow\//,
      plugins: [elsewhere, dts({ tsconfig: join(root, 'tsconfig.lib.json') })],
      onLog: (_level, { message }) => {
        throw new Error(message);
      },
    });
    const { output } = await bundle.generate({ format: 'es' });
    await bundle.close();
    for (const file of Object.keys(output[0].modules)) if (!home.has(file)) home.set(file, name);
    // A private member of a class says only that it is there, and would keep apart the classes of
    // two files with the same declarations.
    const text = output[0].code.replaceAll(/^ *#private;\n/gm, '');
    files[`${name}.d.ts`] = text;
    files[`${name}.d.cts`] = text.replaceAll(/(from '\.\/[\w-]+)\.js'/g, "$1.cjs'");
  }
  return files;
}
