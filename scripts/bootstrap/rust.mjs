import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import {
  addDebianTarget,
  installDebianPackages,
  isDebian,
  LINT_PACKAGES,
  readStdMarker,
} from './debian.mjs';
import { records, root } from './paths.mjs';
import { capture, findExecutables, watch } from './process.mjs';
import { ExplainedError, say } from './report.mjs';

export const WASM_TARGET = 'wasm32-unknown-unknown';

/**
 * A Rust toolchain that builds for WebAssembly.
 * @typedef {object} Toolchain
 * @property {string} folder where its programs are
 * @property {string} cargo
 * @property {string} version what `rustc --version` says
 * @property {NodeJS.ProcessEnv} env the environment in which every program finds this toolchain
 *   first
 */

/**
 * @typedef {object} Inspection
 * @property {string} [problem] why this toolchain is of no use at all
 * @property {string} version
 * @property {boolean} hasTarget whether the standard library for WebAssembly is there
 */

/** The oldest Rust that the crate builds with. */
function minimumVersion() {
  const manifest = readFileSync(join(root, 'Cargo.toml'), 'utf8');
  return /^rust-version = "([^"]+)"/m.exec(manifest)?.[1] ?? '1.85';
}

/**
 * A test whether version `a` is older than version `b`.
 * @param {string} a
 * @param {string} b
 */
function isOlder(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (const [index, part] of (right ?? []).entries()) {
    const difference = (left?.[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/**
 * @param {string} folder
 * @returns {Promise<Inspection>}
 */
async function inspect(folder) {
  const rustc = join(folder, 'rustc');
  const [cargo, about, libdir] = await Promise.all([
    capture(join(folder, 'cargo'), ['--version'], { cwd: root }),
    capture(rustc, ['-vV'], { cwd: root }),
    capture(rustc, ['--print', 'target-libdir', '--target', WASM_TARGET], { cwd: root }),
  ]);
  const version = about.stdout.split('\n')[0] ?? '';
  const broken = [cargo, about, libdir].find(({ code }) => code !== 0);
  if (broken)
    return {
      problem: `does not run: ${broken.output.trim().split('\n')[0]}`,
      version,
      hasTarget: false,
    };
  const number = /^rustc (\d+\.\d+\.\d+)/.exec(version)?.[1] ?? '0';
  if (isOlder(number, minimumVersion())) {
    return { problem: `is ${version}, older than ${minimumVersion()}`, version, hasTarget: false };
  }
  return { version, hasTarget: hasStd(libdir.stdout.trim(), about.stdout) };
}

/**
 * @param {string} libdir
 * @param {string} compiler what the compiler says of itself
 */
function hasStd(libdir, compiler) {
  const marker = readStdMarker(libdir);
  if (marker !== undefined && marker !== compiler) return false;
  try {
    return readdirSync(libdir).some((file) => /^libstd-.*\.rlib$/.test(file));
  } catch {
    return false;
  }
}

/**
 * @param {string} program
 * @param {readonly string[]} [searchPath]
 */
function foldersWith(program, searchPath) {
  return findExecutables(program, searchPath).map((file) => realpathSync(dirname(file)));
}

/** Folders that may hold a toolchain, the preferred ones first. */
function candidateFolders() {
  const { RUSTC, CARGO_HOME } = process.env;
  const usual = [join(CARGO_HOME || join(homedir(), '.cargo'), 'bin'), '/usr/bin'];
  const chosen = RUSTC && isAbsolute(RUSTC) ? foldersWith('rustc', [dirname(RUSTC)]) : [];
  return [...new Set([...chosen, ...foldersWith('rustc'), ...foldersWith('rustc', usual)])];
}

/**
 * Links the toolchain's programs into one folder that goes first on PATH, because tools start
 * `cargo` and `rustc` by name and would otherwise get another toolchain (rustup's stand-ins, say).
 * @param {string} folder
 */
function linkPrograms(folder) {
  const links = join(records, 'rust');
  rmSync(links, { recursive: true, force: true });
  mkdirSync(links, { recursive: true });
  for (const program of [
    'cargo',
    'rustc',
    'rustdoc',
    'cargo-clippy',
    'clippy-driver',
    'cargo-fmt',
    'rustfmt',
  ]) {
    symlinkSync(join(folder, program), join(links, program));
  }
  return links;
}

/**
 * @param {string} folder
 * @param {string} version
 * @returns {Toolchain}
 */
function describe(folder, version) {
  const cargo = join(folder, 'cargo');
  const { RUSTC, CARGO, ...env } = process.env;
  const isDefault =
    !RUSTC && ['rustc', 'cargo'].every((program) => foldersWith(program)[0] === folder);
  if (!isDefault) {
    const programs = linkPrograms(folder);
    env.PATH = [programs, env.PATH].join(delimiter);
    env.CARGO = cargo;
    env.RUSTC = join(folder, 'rustc');
    env.RUSTDOC = join(folder, 'rustdoc');
  }
  return { folder, cargo, version, env };
}

/** @param {string} folder */
function findRustup(folder) {
  return findExecutables('rustup', [folder])[0];
}

/**
 * The toolchain in a folder, with the WebAssembly target added where it was missing and rustup can
 * add it.
 * @param {string} folder
 * @returns {Promise<Toolchain | string>} or what is wrong with it
 */
async function tryFolder(folder) {
  const { problem, version, hasTarget } = await inspect(folder);
  if (hasTarget) return describe(folder, version);
  const rustc = join(folder, 'rustc');
  if (problem) return `${rustc} ${problem}`;
  const rustup = findRustup(folder);
  if (!rustup) return `${rustc} has no standard library for ${WASM_TARGET}`;
  const label = `Adding the target ${WASM_TARGET} with rustup`;
  const { code } = await watch(label, rustup, ['target', 'add', WASM_TARGET], { cwd: root });
  return code === 0
    ? describe(folder, version)
    : `${rustup} could not add the target ${WASM_TARGET}`;
}

/**
 * Finds a Rust toolchain that builds for WebAssembly, or makes one: with rustup, else from Debian's
 * packages.
 * @returns {Promise<Toolchain>}
 */
export async function ensureRust() {
  /** @type {string[]} */
  const rejected = [];
  for (const folder of candidateFolders()) {
    const found = await tryFolder(folder);
    if (typeof found !== 'string') return found;
    say(found);
    rejected.push(found);
  }
  if (isDebian()) {
    const found = await tryFolder(await addDebianTarget(WASM_TARGET));
    if (typeof found !== 'string') return found;
    rejected.push(found);
  }
  throw new ExplainedError(
    [
      `No Rust toolchain here builds for ${WASM_TARGET}:`,
      ...(rejected.length > 0 ? rejected : ['no rustc on PATH']).map((reason) => `  ${reason}`),
      `Install rustup (https://rustup.rs) and run: rustup target add ${WASM_TARGET}`,
    ].join('\n'),
  );
}

/**
 * clippy and rustfmt of this toolchain. Without them the code builds and the lint steps of the
 * tests fail.
 * @param {Toolchain} toolchain
 */
export async function ensureRustLinters({ folder }) {
  const versions = await Promise.all(
    ['cargo-clippy', 'cargo-fmt'].map((program) =>
      capture(join(folder, program), ['--version'], { cwd: root }),
    ),
  );
  if (versions.every(({ code }) => code === 0)) return;
  const rustup = findRustup(folder);
  if (rustup)
    await watch(
      'Adding clippy and rustfmt with rustup',
      rustup,
      ['component', 'add', 'clippy', 'rustfmt'],
      {
        cwd: root,
      },
    );
  else if (isDebian()) await installDebianPackages(LINT_PACKAGES);
  else
    say(
      `${folder} holds no cargo-clippy or cargo-fmt: install clippy and rustfmt of this toolchain.`,
    );
}
