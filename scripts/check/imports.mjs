/**
 * The lint of imports in ts/: no file imports itself by way of others, and a folder imports only
 * from folders below it. Imports of types alone count like all others, and so do exports of what
 * another file has.
 *
 *     node scripts/check/imports.mjs [FOLDER]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../bootstrap/paths.mjs';

/**
 * The folders of ts/, from the bottom up, and the files that have a place of their own among them.
 * The entries are on top.
 */
const LAYERS = [
  'arrays',
  'module',
  'call',
  'losses',
  'analysis/elementary.ts',
  'analysis/criteria',
  'analysis/rows',
  'analysis/softmax',
  'analysis/posterior',
  'analysis/settings',
  'analysis/uncertainty',
  'analysis/report',
  'analysis/diagnose',
  'analysis/sweep',
  'analysis/meter',
  'analysis/decisions/calibration',
  'analysis/decisions/curves',
  'analysis/decisions/comparison',
  'pool',
  // focal-loss/tfjs imports the main entry, so that there is one copy of it.
  'api.ts',
  'index.ts',
  'tfjs',
  '.',
];

/**
 * @param {string} folder
 * @returns {Promise<Map<string, string[]>>} its files, each with those of them that it imports
 */
export async function importsIn(folder) {
  // Imported here, because the scripts start before npm packages are installed.
  const { default: ts } = await import('typescript');
  /** @param {string} path */
  const nameOf = (path) => relative(folder, path).replaceAll('\\', '/');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => nameOf(resolve(folder, name)))
    .sort();
  return new Map(
    names.map((name) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(folder, name), 'utf8'));
      const imported = importedFiles
        .filter(({ fileName }) => fileName.startsWith('.'))
        .map(({ fileName }) =>
          nameOf(resolve(folder, dirname(name), fileName.replace(/\.js$/, '.ts'))),
        );
      return [name, [...new Set(imported)].filter((other) => names.includes(other))];
    }),
  );
}

/**
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @returns {string[][]} a circle for each import that closes one, from a file back to itself
 */
export function circlesIn(graph) {
  /** @type {string[][]} */
  const circles = [];
  /** @type {Set<string>} */
  const done = new Set();
  /** @param {string[]} path */
  const walk = (path) => {
    const last = /** @type {string} */ (path.at(-1));
    for (const next of graph.get(last) ?? []) {
      if (path.includes(next)) circles.push([...path.slice(path.indexOf(next)), next]);
      else if (!done.has(next)) walk([...path, next]);
    }
    done.add(last);
  };
  for (const file of graph.keys()) if (!done.has(file)) walk([file]);
  return circles;
}

/**
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @param {readonly string[]} layers
 * @returns {string[]} the imports of a file from a folder above its own, and of folders without a
 *   place
 */
export function upwardIn(graph, layers = LAYERS) {
  const heights = new Map(layers.map((layer, height) => [layer, height]));
  /** @param {string} file */
  const heightOf = (file) => heights.get(file) ?? heights.get(posix.dirname(file)) ?? Number.NaN;
  return [...graph].flatMap(([file, imported]) =>
    imported
      .filter((other) => !(heightOf(other) <= heightOf(file)))
      .map(
        (other) => `${file} imports ${other}, which lies above it or in a folder without a layer`,
      ),
  );
}

/** @param {ReadonlyMap<string, readonly string[]>} graph */
function summaryOf(graph) {
  const pairs = [...graph].flatMap(([file, imported]) =>
    imported.map((other) => `${posix.dirname(file)} ${posix.dirname(other)}`),
  );
  const between = [...new Set(pairs)].filter((pair) => new Set(pair.split(' ')).size === 2);
  const folders = new Set(Array.from(graph.keys(), (file) => posix.dirname(file)));
  return `${graph.size} files in ${folders.size} folders, ${between.length} dependencies between folders`;
}

/** @param {string} folder */
async function main(folder) {
  const graph = await importsIn(folder);
  const faults = [
    ...circlesIn(graph).map((circle) => `a circle: ${circle.join(' → ')}`),
    ...upwardIn(graph),
  ];
  for (const fault of faults) console.log(fault);
  console.log(`${summaryOf(graph)}, ${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  await main(resolve(process.argv[2] ?? join(root, 'ts')));
