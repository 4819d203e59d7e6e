import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';
import { mustRun, watch } from './process.mjs';
import { say } from './report.mjs';

/** @typedef {Record<string, { version?: string, optional?: boolean }>} Packages */

/**
 * @param {string} file
 * @returns {Packages | undefined} undefined where there is no such file
 */
function readLockfile(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * A test whether node_modules holds what package-lock.json asks for. npm keeps a record of what it
 * installed.
 */
function isInstalled() {
  const wanted = readLockfile(join(root, 'package-lock.json')) ?? {};
  const installed = readLockfile(join(root, 'node_modules', '.package-lock.json'));
  if (!installed) return false;
  return Object.entries(wanted).every(
    // Optional packages are for other platforms; '' is this project itself.
    ([path, { version, optional }]) =>
      path === '' || optional || installed[path]?.version === version,
  );
}

/**
 * The npm that these scripts were started with.
 * @param {...string} args
 * @returns {[string, ...string[]]}
 */
export function npm(...args) {
  const file = process.env.npm_execpath;
  return file ? [process.execPath, file, ...args] : ['npm', ...args];
}

/**
 * The command that installs exactly what the lockfile of the working directory says.
 * @param {...string} options
 */
export function npmCi(...options) {
  return npm('ci', ...options, '--no-audit', '--no-fund');
}

/** Installs the packages of the lockfile where they are missing or of other versions. */
export async function ensureNpmPackages() {
  if (isInstalled()) return;
  const [command, ...args] = npmCi('--include=dev');
  await mustRun('Installing npm packages', command, args, {
    cwd: root,
    help: 'The npm registry must be reachable once; after that everything works without it.',
  });
}

/**
 * Installs the packages of another manifest and its lockfile, into a folder outside the clone.
 * Scripts of theirs do not run: they only move programs about, or download them from elsewhere. The
 * caller looks whether what it wants is there.
 * @param {string} label
 * @param {string} manifests the folder of the manifest and the lockfile
 * @param {string} home
 */
export async function installElsewhere(label, manifests, home) {
  mkdirSync(home, { recursive: true });
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(manifests, file), join(home, file));
  const [command, ...args] = npmCi('--include=optional', '--ignore-scripts');
  const { code, output } = await watch(label, command, args, { cwd: home });
  if (code !== 0) say(output.trimEnd());
}
