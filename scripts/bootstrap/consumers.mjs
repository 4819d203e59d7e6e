/**
 * The surroundings that people use the package in, in which the tests try it: versions of Node,
 * bundlers, and what drives browsers. Being large, they are kept in the cache, with the versions
 * and hashes of scripts/bootstrap/consumers; `npm run test:all` installs them.
 */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { installDebianPackages, isDebian } from './debian.mjs';
import { installElsewhere } from './npm-packages.mjs';
import { cache, root } from './paths.mjs';
import { findExecutables } from './process.mjs';
import { ExplainedError } from './report.mjs';
import { sha256 } from './sha256.mjs';

const manifests = join(root, 'scripts', 'bootstrap', 'consumers');

/** Where they are installed: another folder for other versions, so that clones may differ. */
export const consumersHome = join(
  cache,
  `consumers-${sha256(readFileSync(join(manifests, 'package-lock.json'))).slice(0, 12)}`,
);

/** A test whether they are installed. npm writes this file when all else is there. */
export function hasConsumers() {
  return existsSync(join(consumersHome, 'node_modules', '.package-lock.json'));
}

/** Installs them where they are missing. */
export async function ensureConsumers() {
  if (!hasConsumers()) {
    await installElsewhere(
      'Installing versions of Node, bundlers and more (once, 1 GB)',
      manifests,
      consumersHome,
    );
  }
  if (!hasConsumers())
    throw new ExplainedError(
      'The npm registry must be reachable once, for scripts/bootstrap/consumers.',
    );
  unpackOldChromium();
}

/** True where a Chromium 113 exists for machines like this one. */
export const OLD_CHROMIUM_EXISTS = process.platform === 'linux' && process.arch === 'x64';

/**
 * Chromium 113, where it is unpacked. On a page's main thread it starts modules of more than 4 KiB
 * only asynchronously.
 */
const oldChromium = join(consumersHome, 'chromium-113');

/** The program of Chromium 113, where it is there. */
export function findOldChromium() {
  return existsSync(oldChromium) ? oldChromium : undefined;
}

/** The package's own code would unpack it where all users share it. */
function unpackOldChromium() {
  if (!OLD_CHROMIUM_EXISTS || findOldChromium()) return;
  const packed = join(
    consumersHome,
    'node_modules',
    '@sparticuz',
    'chromium',
    'bin',
    'chromium.br',
  );
  const unfinished = `${oldChromium}-${process.pid}`;
  writeFileSync(unfinished, brotliDecompressSync(readFileSync(packed)), { mode: 0o755 });
  renameSync(unfinished, oldChromium);
}

/**
 * A program of theirs.
 * @param {string} name
 */
export function consumerBin(name) {
  return join(consumersHome, 'node_modules', '.bin', name);
}

/** The versions of Node in which the package is tried. */
export const NODE_VERSIONS = /** @type {const} */ ([18, 20, 22, 24, 26]);

/**
 * Node of a version.
 * @param {(typeof NODE_VERSIONS)[number]} major
 */
export function nodeOf(major) {
  return join(
    consumersHome,
    'node_modules',
    `node${major}-${process.platform}-${process.arch}`,
    'bin',
    'node',
  );
}

/** Debian's package for each browser, and for what WebKit needs to run without a screen. */
const BROWSER_PACKAGES = ['chromium', 'firefox-esr', 'webkit2gtk-driver', 'xvfb'];

/** WebKit's browser, which lies beside the library, in a folder for each platform and version. */
function findMiniBrowser() {
  const libraries = '/usr/lib';
  const folders = existsSync(libraries) ? readdirSync(libraries) : [];
  const candidates = folders.flatMap((folder) =>
    ['6.0', '4.1', '4.0'].map((version) => join(libraries, folder, `webkit2gtk-${version}`)),
  );
  return findExecutables('MiniBrowser', candidates)[0];
}

/** The programs of each browser; those that are not installed are undefined. */
export function findBrowsers() {
  const [driver] = findExecutables('WebKitWebDriver');
  const [screen] = findExecutables('Xvfb');
  const browser = findMiniBrowser();
  return {
    chromium: ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) =>
      findExecutables(name),
    )[0],
    firefox: ['firefox-esr', 'firefox'].flatMap((name) => findExecutables(name))[0],
    webkit: driver && screen && browser ? { driver, screen, browser } : undefined,
  };
}

/** Installs the browsers where they are missing. */
export async function ensureBrowsers() {
  const isMissing = () => Object.values(findBrowsers()).includes(undefined);
  if (isMissing() && isDebian()) await installDebianPackages(BROWSER_PACKAGES);
  if (isMissing()) {
    throw new ExplainedError(
      'The tests need Chromium, Firefox, and WebKitGTK with its driver, MiniBrowser and Xvfb, all on PATH or where Debian ' +
        `has them. There: apt-get install ${BROWSER_PACKAGES.join(' ')}`,
    );
  }
}
