/**
 * Rust from Debian's own packages, for machines that rustup cannot reach.
 *
 * Debian 12 has a recent compiler (rustc-web) and its sources with every dependency vendored, but
 * no standard library for WebAssembly: it is built from those sources and put where the compiler
 * looks for it. That takes under a minute; the result is kept in the cache.
 */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { cache } from './paths.mjs';
import { capture, findExecutables, mustRun } from './process.mjs';
import { ExplainedError, say } from './report.mjs';

const FOLDER = '/usr/bin';
const RUST_PACKAGES = ['rustc-web', 'cargo-web', 'rust-web-src', 'rust-web-llvm'];
export const LINT_PACKAGES = ['rust-web-clippy', 'rustfmt-web'];

/** Names the compiler that a standard library was built with; it is of no use to any other. */
const STD_MARKER = 'focal-loss-std.txt';

export function isDebian() {
  return process.platform === 'linux' && findExecutables('apt-get').length > 0;
}

/**
 * @param {string} libdir
 * @returns {string | undefined} undefined for a standard library that came from elsewhere
 */
export function readStdMarker(libdir) {
  try {
    return readFileSync(join(libdir, STD_MARKER), 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * The way to run a command as root from here.
 * @param {string} purpose
 * @returns {Promise<string[]>} what to put before the command
 */
async function rootPrefix(purpose) {
  if (process.getuid?.() === 0) return [];
  if ((await capture('sudo', ['-n', 'true'])).code === 0) return ['sudo', '-n'];
  throw new ExplainedError(`This needs root (or sudo without a password): ${purpose}`);
}

/**
 * @param {string} label
 * @param {readonly string[]} command
 * @param {string} [help]
 */
async function runAsRoot(label, command, help) {
  const [program = '', ...args] = [...(await rootPrefix(command.join(' '))), ...command];
  return mustRun(label, program, args, {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    ...(help ? { help } : {}),
  });
}

/** @param {readonly string[]} names */
export async function installDebianPackages(names) {
  const states = await capture('dpkg-query', [
    '--show',
    '--showformat',
    `\${db:Status-Status}\n`,
    ...names,
  ]);
  if (
    states.code === 0 &&
    states.stdout
      .trim()
      .split('\n')
      .every((state) => state === 'installed')
  )
    return;
  // Nothing that is installed is removed: where these packages clash with others, that is for a
  // person to decide.
  const install = ['apt-get', 'install', '--yes', '--no-remove', ...names];
  const known = await capture('apt-cache', ['show', ...names]);
  if (known.code !== 0) await runAsRoot("Reading Debian's package lists", ['apt-get', 'update']);
  const help = `Install rustup (https://rustup.rs) instead, or the packages by hand: apt-get install ${names.join(' ')}`;
  await runAsRoot(`Installing Debian's ${names.join(', ')}`, install, help);
}

/**
 * The compiler's linker for WebAssembly is a link into a package that it does not depend on: that
 * of its LLVM version.
 */
async function installLinker() {
  const version = /lld-(\d+)$/.exec(readlinkSync(join(FOLDER, 'rust-lld')))?.[1];
  if (version) await installDebianPackages([`lld-${version}`]);
}

/**
 * Installs Debian's Rust with a standard library for `target`.
 * @param {string} target
 * @returns {Promise<string>} the folder of its programs
 */
export async function addDebianTarget(target) {
  say("Falling back to Debian's own Rust packages");
  await installDebianPackages(RUST_PACKAGES);
  await installLinker();
  const rustc = join(FOLDER, 'rustc');
  /** @param {string[]} args */
  const ask = async (...args) => (await capture(rustc, args)).stdout.trim();
  const compiler = (await capture(rustc, ['-vV'])).stdout;
  const std = await buildStd(target, rustc, compiler, await ask('--print', 'sysroot'));
  const libdir = await ask('--print', 'target-libdir', '--target', target);
  const stale =
    readStdMarker(libdir) === undefined
      ? []
      : readdirSync(libdir).map((file) => join(libdir, file));
  if (stale.length > 0)
    await runAsRoot('Removing the standard library of an older compiler', ['rm', ...stale]);
  const files = readdirSync(std).map((file) => join(std, file));
  const install = ['install', '-D', '--mode=644', `--target-directory=${libdir}`, ...files];
  await runAsRoot(`Putting the standard library into ${libdir}`, install);
  return FOLDER;
}

/**
 * Builds the standard library for `target` into the cache.
 * @param {string} target
 * @param {string} rustc
 * @param {string} compiler what the compiler says of itself
 * @param {string} sysroot
 * @returns {Promise<string>} the folder that holds the library and its marker
 */
async function buildStd(target, rustc, compiler, sysroot) {
  const release = /^release: (.+)$/m.exec(compiler)?.[1] ?? 'unknown';
  const home = join(cache, `std-${release}-${target}`);
  const finished = join(home, 'lib');
  if (readStdMarker(finished) === compiler) return finished;

  const work = join(home, 'work');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(join(work, 'src'), { recursive: true });
  mkdirSync(join(work, '.cargo'));
  mkdirSync(finished);
  const name = 'std_carrier';
  writeFileSync(
    join(work, 'Cargo.toml'),
    `[package]\nname = "${name}"\nversion = "0.0.0"\nedition = "2021"\n\n[lib]\ncrate-type = ["cdylib"]\n`,
  );
  writeFileSync(join(work, 'src', 'lib.rs'), '');
  const vendored = join(sysroot, 'lib', 'rustlib', 'src', 'rust', 'library', 'vendor');
  writeFileSync(
    join(work, '.cargo', 'config.toml'),
    `[source.crates-io]\nreplace-with = "vendored"\n\n[source.vendored]\ndirectory = ${JSON.stringify(vendored)}\n`,
  );
  const { RUSTFLAGS, CARGO_ENCODED_RUSTFLAGS, CARGO_BUILD_TARGET, ...env } = process.env;
  const output = join(work, 'target');
  await mustRun(
    `Building the standard library for ${target} (once, about a minute)`,
    join(FOLDER, 'cargo'),
    [
      'build',
      '--release',
      '--target',
      target,
      '-Zbuild-std=std,panic_abort',
      '--offline',
      '--target-dir',
      output,
    ],
    // Building std is an unstable feature, which this variable allows in a stable compiler. Only
    // here: the project uses none.
    { cwd: work, env: { ...env, RUSTC: rustc, RUSTC_BOOTSTRAP: '1' } },
  );
  const libraries = join(output, target, 'release', 'deps');
  for (const file of readdirSync(libraries)) {
    if (file.endsWith('.rlib') && !file.includes(name))
      cpSync(join(libraries, file), join(finished, file));
  }
  rmSync(work, { recursive: true, force: true });
  // Last, so that a build that was interrupted is not taken for a finished one.
  writeFileSync(join(finished, STD_MARKER), compiler);
  return finished;
}
