import { readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { NODE_VERSIONS, nodeOf } from '../bootstrap/consumers.mjs';
import { nodeBin, records, root } from '../bootstrap/paths.mjs';
import { watch } from '../bootstrap/process.mjs';
import { say } from '../bootstrap/report.mjs';
import { WASM_TARGET } from '../bootstrap/rust.mjs';
import { wasmEnvironment } from '../build/build.mjs';

/** @typedef {import('../bootstrap/rust.mjs').Toolchain} Toolchain */
/** @typedef {{ passed: number, failed: number, skipped: number }} Tally */

/**
 * One thing that `npm test` does.
 * @typedef {object} Check
 * @property {string} name
 * @property {string} command
 * @property {readonly string[]} args
 * @property {NodeJS.ProcessEnv} env
 * @property {() => void} [onPassed] is called when nothing of it failed
 * @property {(output: string) => Tally} [count] reads the tests it ran from its output; a check
 *   without is one test itself
 */

/** The features that the crate is checked with, beside those it has by default. */
const FEATURES = 'focal-loss/analysis';

/**
 * Everything that is looked at without running it.
 * @param {Toolchain} toolchain
 * @returns {Check[]}
 */
export function staticChecks(toolchain) {
  const { env, cargo, folder } = toolchain;
  // Started directly, not as `cargo clippy`: cargo would look for the subcommand in its own folder
  // first.
  const clippy = join(folder, 'cargo-clippy');
  const denyWarnings = ['--', '-D', 'warnings'];
  const tsc = join(nodeBin, 'tsc');
  return [
    { name: 'rustfmt', command: join(folder, 'cargo-fmt'), args: ['--all', '--check'], env },
    {
      name: 'clippy, native',
      command: clippy,
      args: [
        'clippy',
        '--workspace',
        '--all-targets',
        '--features',
        FEATURES,
        '--locked',
        ...denyWarnings,
      ],
      env,
    },
    {
      name: 'clippy, WebAssembly',
      command: clippy,
      args: [
        'clippy',
        '--workspace',
        '--lib',
        '--release',
        '--all-features',
        '--target',
        WASM_TARGET,
        '--locked',
        ...denyWarnings,
      ],
      env: wasmEnvironment(toolchain),
    },
    {
      name: 'cargo doc',
      command: cargo,
      args: ['doc', '--workspace', '--no-deps', '--features', FEATURES, '--locked'],
      env: { ...env, RUSTDOCFLAGS: '-D warnings' },
    },
    {
      name: 'circles of imports in the crate',
      command: process.execPath,
      args: ['scripts/check/crate-circles.mjs'],
      env,
    },
    { name: 'tsc, library', command: tsc, args: ['--project', 'tsconfig.lib.json'], env },
    {
      name: 'tsc, tests, examples and scripts',
      command: tsc,
      args: ['--project', 'tsconfig.json'],
      env,
    },
    { name: 'typedoc', command: join(nodeBin, 'typedoc'), args: ['--emit', 'none'], env },
    {
      name: 'imports',
      command: process.execPath,
      args: [join(root, 'scripts', 'check', 'imports.mjs')],
      env,
    },
    { name: 'comments', command: process.execPath, args: ['scripts/check/comments.mjs'], env },
    {
      name: 'biome',
      command: join(nodeBin, 'biome'),
      args: ['check', '--error-on-warnings', '.'],
      env,
    },
  ];
}

/** The file in which vitest reports. */
const report = join(records, 'vitest.json');
const reportAgain = join(records, 'vitest-again.json');

/** The tests of which `npm test` takes a sample, in the words in which it says so. */
export const SAMPLED = [
  'losses against arbitrary precision, every row',
  'random calls against plain loops, every one; new seeds of test/fuzz, and four of five of its cases',
  'the packed package in every version of Node and in every way into Deno and Bun, and the pages of every bundler in every browser',
];

/**
 * The test suites.
 * @param {Toolchain} toolchain
 * @param {boolean} [isSample] whether tests of many rows or programs take some of them
 * @returns {Check[]}
 */
export function testSuites({ env: given, cargo }, isSample = false) {
  rmSync(report, { force: true });
  const env = isSample ? { ...given, FOCAL_LOSS_SAMPLE: '1' } : given;
  return [
    {
      name: 'cargo test',
      command: cargo,
      args: [
        'test',
        '--workspace',
        '--release',
        '--features',
        FEATURES,
        '--locked',
        '--no-fail-fast',
      ],
      // The tests run as fast without, and compile in half the time.
      env: { ...env, CARGO_PROFILE_RELEASE_LTO: 'off' },
      count: countCargoTests,
    },
    {
      name: 'vitest',
      command: join(nodeBin, 'vitest'),
      args: vitestArgs(report),
      env,
      count: () => countVitestTests(report),
    },
  ];
}

/**
 * @param {string} file where to report
 * @param {readonly string[]} [only] files with tests
 */
function vitestArgs(file, only = []) {
  return ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...only];
}

/**
 * The tests that vitest has just skipped, in a newer Node, which may have what they need. No others
 * count.
 * @param {Toolchain} toolchain
 * @param {readonly SkippedTest[]} skipped
 * @returns {Check}
 */
export function testsAgain({ env }, skipped) {
  rmSync(reportAgain, { force: true });
  const newest = /** @type {(typeof NODE_VERSIONS)[number]} */ (Math.max(...NODE_VERSIONS));
  const files = [...new Set(skipped.map(({ file }) => file))];
  const names = new Set(skipped.map(({ name }) => name));
  return {
    name: `vitest in Node ${newest}, what was skipped`,
    command: nodeOf(newest),
    args: [join(root, 'node_modules', 'vitest', 'vitest.mjs'), ...vitestArgs(reportAgain, files)],
    env,
    count: () => {
      const { passed, failed } = countVitestTests(reportAgain, (name) => names.has(name));
      // Those that are not there any more have not run either.
      return { passed, failed, skipped: skipped.length - passed - failed };
    },
  };
}

/**
 * @param {string} output
 * @returns {Tally}
 */
export function countCargoTests(output) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const [, passed, failed, ignored] of output.matchAll(
    /^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    tally.passed += Number(passed);
    tally.failed += Number(failed);
    tally.skipped += Number(ignored);
  }
  return tally;
}

/**
 * @typedef {{ name: string, status: string, assertionResults: { status: string, fullName: string
 *   }[] }} TestFile
 */

/**
 * @param {string} file vitest's JSON report
 * @returns {TestFile[]} nothing where there is none
 */
function readVitestReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults;
  } catch {
    return [];
  }
}

/**
 * @param {string} file vitest's JSON report
 * @param {(name: string) => boolean} [isCounted]
 * @returns {Tally}
 */
export function countVitestTests(file, isCounted = () => true) {
  const tally = { passed: 0, failed: 0, skipped: 0 };
  for (const { status, assertionResults } of readVitestReport(file)) {
    // A file that does not load fails without a single test.
    if (status === 'failed' && assertionResults.length === 0) tally.failed++;
    for (const { status, fullName } of assertionResults) {
      if (!isCounted(fullName)) continue;
      if (status === 'passed' || status === 'failed') tally[status]++;
      else tally.skipped++;
    }
  }
  return tally;
}

/**
 * A test that was skipped, and the file that it is in.
 * @typedef {{ file: string, name: string }} SkippedTest
 */

/**
 * @param {string} [file] vitest's JSON report
 * @returns {SkippedTest[]}
 */
export function skippedTests(file = report) {
  return readVitestReport(file).flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== 'passed' && status !== 'failed')
      .map(({ fullName }) => ({ file: relative(root, name), name: fullName })),
  );
}

/**
 * The tally of a finished check. One that failed counts a failure even where none of its tests says
 * so (it did not compile, say), and so does a test suite that passed without a single test.
 * @param {{ code: number, output: string }} outcome
 * @param {Check['count']} count
 * @returns {Tally}
 */
export function tally({ code, output }, count) {
  if (!count) return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  const counted = count(output);
  const silentFailure =
    (code !== 0 && counted.failed === 0) || counted.passed + counted.failed === 0;
  return { ...counted, failed: counted.failed + (silentFailure ? 1 : 0) };
}

/**
 * Runs checks one after the other, all of them whatever their results, and shows the output of
 * those that failed. Those of a list run beside each other: programs of one thread that take long.
 * @param {readonly (Check | readonly Check[])[]} checks
 * @returns {Promise<Tally>}
 */
export async function runChecks(checks) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const group of checks) {
    for (const { passed, failed, skipped } of await Promise.all([group].flat().map(runCheck))) {
      total.passed += passed;
      total.failed += failed;
      total.skipped += skipped;
    }
  }
  return total;
}

/**
 * @param {Check} check
 * @returns {Promise<Tally>}
 */
async function runCheck({ name, command, args, env, count, onPassed }) {
  // vitest colours its output wherever it goes.
  const plain = process.stderr.isTTY ? {} : { NO_COLOR: '1' };
  const outcome = await watch(name, command, args, { cwd: root, env: { ...env, ...plain } });
  const result = tally(outcome, count);
  const { passed, failed, skipped } = result;
  if (failed > 0) say(`\n${outcome.output.trimEnd()}\n`);
  else onPassed?.();
  if (count) {
    const rest = skipped > 0 ? `, ${skipped} skipped` : '';
    say(`  ${name}: ${passed} passed, ${failed} failed${rest}`);
  }
  return result;
}
