/**
 * The checks of `npm run test:all` beside the tests: fuzzing of the kernels, and the supply chain.
 * It takes tools and services that not every machine has or reaches; what could not be done is
 * told.
 */
import { join } from 'node:path';
import { ensureTool } from '../bootstrap/cargo-tools.mjs';
import { npm } from '../bootstrap/npm-packages.mjs';
import { root } from '../bootstrap/paths.mjs';
import { capture, findExecutables, watch } from '../bootstrap/process.mjs';
import { ExplainedError } from '../bootstrap/report.mjs';
import { countCargoTests } from './checks.mjs';
import { everyFloat32 } from './every-float32.mjs';

/** @typedef {import('./checks.mjs').Check} Check */
/** @typedef {import('../bootstrap/rust.mjs').Toolchain} Toolchain */

/**
 * A check that could not be made.
 * @typedef {object} Missed
 * @property {string} name
 * @property {string} reason
 * @property {boolean} counts whether that is as bad as a test that was skipped: for what can be
 *   installed, unlike what is asked of a service that may be out of reach
 */

/** @typedef {{ checks: (Check | Check[])[], missed: Missed[] }} Extra */

const CARGO_FUZZ = { program: 'cargo-fuzz', crate: 'cargo-fuzz', version: '0.13.2' };
const CARGO_DENY = { program: 'cargo-deny', crate: 'cargo-deny', version: '0.20.2' };

/** The time that each target is fuzzed, in seconds. */
const FUZZING = 20;

/**
 * The file of a tool, or why there is none.
 * @param {typeof CARGO_FUZZ} tool
 * @param {Toolchain} toolchain
 * @returns {Promise<{ file: string } | { reason: string }>}
 */
async function find(tool, toolchain) {
  try {
    return { file: join(await ensureTool(tool, toolchain), tool.program) };
  } catch (error) {
    if (!(error instanceof ExplainedError)) throw error;
    return { reason: error.message };
  }
}

/**
 * The way to run a nightly compiler, or the reason why there is none. Stable Rust is all that the
 * project needs: what takes a nightly one is not checked without, and that is told.
 * @param {Toolchain} toolchain
 * @returns {Promise<{ rustup: string, env: NodeJS.ProcessEnv } | { reason: string }>}
 */
async function findNightly(toolchain) {
  const rustup = findExecutables('rustup', [
    toolchain.folder,
    ...(toolchain.env.PATH ?? '').split(':'),
  ])[0];
  if (!rustup) return { reason: 'there is no rustup to run a nightly compiler with' };
  const nightly = await capture(rustup, ['run', 'nightly', 'rustc', '--version']);
  if (nightly.code !== 0)
    return { reason: `there is no nightly compiler: ${nightly.output.trim()}` };
  // The project's compiler must not be taken for the nightly one.
  const { RUSTC, CARGO, RUSTDOC, RUSTFLAGS, ...env } = toolchain.env;
  return { rustup, env };
}

/**
 * The unit tests and a small call of every kernel in Miri, which finds undefined behaviour.
 * @param {Toolchain} toolchain
 * @returns {Promise<Extra>}
 */
async function miri(toolchain) {
  const name = 'Miri';
  const missed = (/** @type {string} */ reason) => ({
    checks: [],
    missed: [{ name, reason, counts: false }],
  });
  const nightly = await findNightly(toolchain);
  if ('reason' in nightly) return missed(nightly.reason);
  const { rustup, env } = nightly;
  const parts = ['component', 'add', '--toolchain', 'nightly', 'miri', 'rust-src'];
  const added = await capture(rustup, parts, { env });
  if (added.code !== 0) return missed(`it cannot be installed: ${added.output.trim()}`);
  const cargo = ['run', 'nightly', 'cargo', 'miri'];
  const prepared = await watch('Preparing Miri', rustup, [...cargo, 'setup'], { env });
  if (prepared.code !== 0) return missed(`it cannot be prepared: ${prepared.output.trim()}`);
  const options = ['--package', 'focal-loss', '--features', 'analysis', '--locked'];
  const target = ['--target-dir', 'target/miri', '--test', 'every_kernel'];
  /** The test that takes as long as all the rest: a program has one thread. */
  const losses = 'softmax_losses_in_float32';
  const check = (/** @type {string} */ part, /** @type {string[]} */ ...tests) => ({
    name: `${name}: ${part}`,
    command: rustup,
    args: [...cargo, 'test', '--release', ...options, ...target, ...tests],
    env,
    count: countCargoTests,
  });
  const checks = [check(losses, losses), check('the rest', '--lib', '--', '--skip', losses)];
  return { checks: [checks], missed: [] };
}

/**
 * @param {Toolchain} toolchain
 * @returns {Promise<Extra>}
 */
async function fuzzing(toolchain) {
  const name = 'fuzzing of the kernels';
  const missed = (/** @type {string} */ reason, counts = false) => ({
    checks: [],
    missed: [{ name, reason, counts }],
  });
  const nightly = await findNightly(toolchain);
  if ('reason' in nightly) return missed(nightly.reason);
  const tool = await find(CARGO_FUZZ, toolchain);
  if ('reason' in tool) return missed(tool.reason, true);
  const { rustup, env } = nightly;
  const options = ['--fuzz-dir', 'crate/fuzz', '--target-dir', 'target/fuzz'];
  const limits = [
    `-max_total_time=${FUZZING}`,
    '-max_len=4096',
    '-len_control=0',
    '-timeout=10',
    '-print_final_stats=1',
    // The same inputs in every run of the same build: what is new to find, longer runs by hand are
    // for.
    '-seed=1',
  ];
  const checks = ['api', 'tile'].map((target) => ({
    name: `${name}: ${target}`,
    command: rustup,
    args: ['run', 'nightly', tool.file, 'run', ...options, target, '--', ...limits],
    env,
  }));
  const format = ['--manifest-path', 'crate/fuzz/Cargo.toml', '--check'];
  checks.push({
    name: 'rustfmt, fuzz targets',
    command: join(toolchain.folder, 'cargo-fmt'),
    args: format,
    env,
  });
  return { checks, missed: [] };
}

/**
 * The checks of what is built, scripts of their own: the crate as it would be published, from which
 * alone its tests must compile, and the package, which must have the same bytes when it is built
 * elsewhere.
 * @param {Toolchain} toolchain
 * @returns {Extra}
 */
function builds({ env }) {
  const check = (/** @type {string} */ name, /** @type {string} */ script) => ({
    name,
    command: process.execPath,
    args: [script],
    env,
  });
  return {
    checks: [
      check('packed crate', 'scripts/check/packed-crate.mjs'),
      check('the same bytes, built elsewhere', 'scripts/check/reproducible.mjs'),
    ],
    missed: [],
  };
}

/**
 * @param {Toolchain} toolchain
 * @returns {Promise<Extra>}
 */
async function crates(toolchain) {
  const { env } = toolchain;
  const tool = await find(CARGO_DENY, toolchain);
  if ('reason' in tool) {
    return { checks: [], missed: [{ name: 'cargo-deny', reason: tool.reason, counts: true }] };
  }
  const check = { command: tool.file, env };
  const checks = [
    {
      ...check,
      name: 'cargo-deny',
      args: ['--locked', 'check', '--deny', 'warnings', 'bans', 'licenses', 'sources'],
    },
  ];
  const name = 'cargo-deny, advisories';
  const fetched = await capture(tool.file, ['--locked', 'fetch', 'db'], { cwd: root, env });
  if (fetched.code !== 0) {
    return {
      checks,
      missed: [{ name, reason: 'the database of advisories is out of reach', counts: false }],
    };
  }
  checks.push({ ...check, name, args: ['--locked', 'check', '--disable-fetch', 'advisories'] });
  return { checks, missed: [] };
}

/**
 * @param {Toolchain} toolchain
 * @returns {Promise<Extra>}
 */
async function npmPackages({ env }) {
  const name = 'npm audit signatures';
  const [command, ...args] = npm('audit', 'signatures', '--fetch-retries=0');
  const { code, output } = await capture(command, args, { cwd: root, env });
  // Packages of which a signature is missing or wrong are said to be just that.
  if (code !== 0 && !/\b(?:invalid|missing) registry signature/.test(output)) {
    const error = /npm error (?:code )?(.*)/.exec(output)?.[1] ?? output.trim();
    const reason = `the keys or signatures of the registry are out of reach: ${error}`;
    return { checks: [], missed: [{ name, reason, counts: false }] };
  }
  return { checks: [{ name, command, args, env }], missed: [] };
}

/**
 * @param {Toolchain} toolchain
 * @returns {Promise<Extra>}
 */
export async function extraChecks(toolchain) {
  const all = [
    everyFloat32(toolchain),
    builds(toolchain),
    await miri(toolchain),
    await fuzzing(toolchain),
    await crates(toolchain),
    await npmPackages(toolchain),
  ];
  return {
    checks: all.flatMap(({ checks }) => checks),
    missed: all.flatMap(({ missed }) => missed),
  };
}
