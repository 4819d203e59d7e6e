import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { records, root } from '../bootstrap/paths.mjs';
import { sha256 } from '../bootstrap/sha256.mjs';

/**
 * Every file under these paths, relative to the clone, in a fixed order. Paths that do not exist
 * hold none.
 * @param {readonly string[]} paths
 * @param {(path: string) => boolean} [skip]
 * @returns {string[]}
 */
function filesUnder(paths, skip = () => false) {
  return paths.flatMap((path) => {
    const absolute = join(root, path);
    const stats = skip(path) ? undefined : statSync(absolute, { throwIfNoEntry: false });
    if (!stats) return [];
    if (stats.isFile()) return [path];
    const children = readdirSync(absolute).sort();
    return filesUnder(
      children.map((child) => `${path}/${child}`),
      skip,
    );
  });
}

/**
 * @param {readonly string[]} files
 * @param {unknown} [also]
 */
function digest(files, also) {
  return sha256(
    JSON.stringify([also, files.map((file) => [file, sha256(readFileSync(join(root, file)))])]),
  );
}

/**
 * A hash of the present state of files and folders, and of all else that decides a result.
 * @param {readonly string[]} inputs relative to the clone
 * @param {unknown} [settings] versions, flags
 */
export function fingerprint(inputs, settings) {
  return digest(filesUnder(inputs), settings);
}

/**
 * A build stage: which files go in, what else decides the result, which folder comes out.
 * @typedef {object} Stage
 * @property {string} name
 * @property {readonly string[]} inputs files and folders, relative to the clone
 * @property {(path: string) => boolean} [skip] inputs to leave out
 * @property {unknown} [settings] versions, flags
 * @property {string} output folder
 */

/**
 * Runs a stage unless its inputs, and what it made of them, are as they were after its last run.
 * @param {Stage} stage
 * @param {() => Promise<void>} run
 */
export async function runStage({ name, inputs, skip, settings, output }, run) {
  const record = join(records, `${name}.json`);
  const before = digest(filesUnder(inputs, skip), settings);
  const made = () => digest(filesUnder([output]));
  let last;
  try {
    last = JSON.parse(readFileSync(record, 'utf8'));
  } catch {
    // Never ran, or was interrupted.
  }
  if (last?.inputs === before && last.output === made()) return false;
  rmSync(record, { force: true });
  await run();
  mkdirSync(records, { recursive: true });
  writeFileSync(record, JSON.stringify({ inputs: before, output: made() }));
  return true;
}
