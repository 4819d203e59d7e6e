/**
 * Deno and Bun, in which the tests run the package beside Node. Their programs are what npm
 * packages hold; being large, they are kept in the cache rather than in node_modules, with the
 * versions and hashes of scripts/bootstrap/runtimes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installElsewhere } from './npm-packages.mjs';
import { cache, root } from './paths.mjs';
import { capture } from './process.mjs';
import { say } from './report.mjs';

const manifests = join(root, 'scripts', 'bootstrap', 'runtimes');

/** @type {Record<string, string>} */
const versions = JSON.parse(readFileSync(join(manifests, 'package.json'), 'utf8')).dependencies;

/** The scope of the packages for each platform, and where in them the program is. */
const PLATFORM_PACKAGES = {
  bun: { scope: '@oven', program: 'bin/bun' },
  deno: { scope: '@deno', program: 'deno' },
};

/** @typedef {keyof typeof PLATFORM_PACKAGES} Runtime */

const names = /** @type {Runtime[]} */ (Object.keys(PLATFORM_PACKAGES));

/** @param {Runtime} name */
const label = (name) => `${name} ${versions[name]}`;

/** Where they are installed: another folder for other versions, so that clones may differ. */
export const runtimesHome = join(cache, names.map(label).join('-').replaceAll(' ', '-'));

/**
 * The program of a runtime, of exactly the version wanted.
 * @param {Runtime} name
 * @param {string} [home]
 * @returns {Promise<string | undefined>} undefined where it is not installed or does not run
 */
export async function findRuntime(name, home = runtimesHome) {
  const { scope, program } = PLATFORM_PACKAGES[name];
  const folder = join(home, 'node_modules', scope);
  /** @type {string[]} */
  let platforms = [];
  try {
    platforms = readdirSync(folder);
  } catch {
    // Not installed.
  }
  // npm may install for more than one C library; the program for the wrong one does not start.
  for (const platform of platforms) {
    const file = join(folder, platform, program);
    const { stdout } = await capture(file, ['--version']);
    if (stdout.split(/\s/).includes(versions[name] ?? '')) return file;
  }
  return undefined;
}

/** @returns {Promise<Runtime[]>} */
async function findMissing() {
  const found = await Promise.all(names.map((name) => findRuntime(name)));
  return names.filter((_, index) => !found[index]);
}

/**
 * Installs the runtimes where they are missing. Without them everything builds, and the tests that
 * need them fail.
 * @returns {Promise<string[]>} the versions that are there
 */
export async function ensureRuntimes() {
  let missing = await findMissing();
  if (missing.length > 0) {
    const what = names.map(label).join(' and ');
    await installElsewhere(`Installing ${what} (once, 100 MB)`, manifests, runtimesHome);
    missing = await findMissing();
  }
  for (const name of missing) {
    say(
      `There is no ${label(name)} in ${runtimesHome}: the tests that run it will fail. The npm registry must be ` +
        'reachable once and have it for this platform.',
    );
  }
  return names.filter((name) => !missing.includes(name)).map(label);
}
