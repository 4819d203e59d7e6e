import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { records, root } from '../bootstrap/paths.mjs';
import { mustRun } from '../bootstrap/process.mjs';
import { ExplainedError, say, seconds } from '../bootstrap/report.mjs';
import { sha256 } from '../bootstrap/sha256.mjs';
import { bundle } from './bundle.mjs';
import { checkClosed, checkInstructions, checkPanics } from './check-wasm.mjs';
import { runStage } from './fingerprint.mjs';

/** Scripts that decide what the WebAssembly module is. */
const OWN_FILES = [
  'build.mjs',
  'bulk-memory.wat',
  'check-wasm.mjs',
  'close-wasm.mjs',
  'wasm-opt-witness.mjs',
].map((name) => `scripts/build/${name}`);

/** Scripts that decide how it lies in the npm package. */
const BUNDLE_FILES = [
  'bundle.mjs',
  'entries.mjs',
  'close-wasm.mjs',
  'embedded-text.ts',
  'text-lines.mjs',
  'types.mjs',
  'worker-code.ts',
].map((name) => `scripts/build/${name}`);

/** @typedef {import('../bootstrap/rust.mjs').Toolchain} Toolchain */

/** The instruction sets that every engine with SIMD128 has. Relaxed SIMD is not one of them. */
const WASM_FEATURES = [
  'simd128',
  'bulk-memory',
  'nontrapping-fptoint',
  'sign-ext',
  'mutable-globals',
];

/**
 * The environment for compiling the crate to WebAssembly. These flags take precedence over all
 * other places that Rust flags may come from, and take none of them over: what suits the machine's
 * own processor does not suit WebAssembly.
 * @param {Toolchain} toolchain
 * @returns {NodeJS.ProcessEnv}
 */
export function wasmEnvironment({ env }) {
  const cargoHome = env.CARGO_HOME || join(homedir(), '.cargo');
  const flags = [
    '-C',
    `target-feature=${WASM_FEATURES.map((feature) => `+${feature}`).join(',')}`,
    // Code that gains from it is inlined, unrolled and vectorized in the source. Of the rest it
    // makes the module a sixth larger, compressed, and no faster.
    '-C',
    'llvm-args=-inline-threshold=50 -unroll-runtime=false -unroll-full-max-count=4',
    '-C',
    'no-vectorize-loops',
    '-C',
    'no-vectorize-slp',
    // For scripts/build/close-wasm.mjs, which makes a function of it that puts it back.
    '-C',
    'link-arg=--export=__stack_pointer',
    // Panic messages name source files: the module must not depend on where the clone lies.
    `--remap-path-prefix=${root}=.`,
    `--remap-path-prefix=${cargoHome}=cargo`,
  ];
  return { ...env, CARGO_ENCODED_RUSTFLAGS: flags.join('\x1f') };
}

/**
 * The version of an installed npm package.
 * @param {string} name
 */
function npmVersion(name) {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/**
 * The crate as WebAssembly.
 * @typedef {object} Module
 * @property {string} name of its stage
 * @property {string} folder where wasm-pack puts it, in `crate`
 * @property {readonly string[]} features of the crate
 */

/** @type {Module} */
const MAIN = { name: 'wasm', folder: 'pkg', features: ['no-allocator'] };

/** The module of `focal-loss/analysis`: all that the main one has, and more. @type {Module} */
const ANALYSIS = {
  name: 'wasm-analysis',
  folder: 'pkg-analysis',
  features: ['no-allocator', 'analysis'],
};

/**
 * @param {Toolchain} toolchain
 * @param {Module} module
 */
async function buildWasm(toolchain, { name, folder, features }) {
  const witness = join(root, 'scripts', 'build', 'witness');
  const record = join(records, 'wasm-opt.sha256');
  const env = wasmEnvironment(toolchain);
  rmSync(record, { force: true });
  mkdirSync(records, { recursive: true });
  await mustRun(
    `Compiling the crate to WebAssembly, ${features.join(' and ')}`,
    'wasm-pack',
    [
      ...'build crate --release --target web --mode no-install --no-pack --out-name focal_loss --out-dir'.split(
        ' ',
      ),
      ...[folder, '--', '--locked', '--features', features.join()],
    ],
    {
      cwd: root,
      env: { ...env, PATH: [witness, env.PATH].join(delimiter), WASM_OPT_RECORD: record },
    },
  );
  const bytes = readFileSync(join(root, 'crate', folder, 'focal_loss_bg.wasm'));
  checkOptimized(bytes, record);
  const count = await checkInstructions(bytes);
  await checkPanics(bytes);
  checkClosed(bytes);
  say(
    `${name}: ${(bytes.length / 1024).toFixed(1)} KiB, ${count} SIMD instructions, none of them relaxed`,
  );
}

/**
 * Refuses a module that is not what wasm-opt put out.
 * @param {Uint8Array} bytes
 * @param {string} record the file in which the witness wrote down the hash of wasm-opt's output
 */
export function checkOptimized(bytes, record) {
  let optimized = '';
  try {
    optimized = readFileSync(record, 'utf8');
  } catch {
    // No record: wasm-opt did not run.
  }
  if (optimized !== sha256(bytes)) {
    throw new ExplainedError(
      'The WebAssembly module did not go through wasm-opt (see wasm-opt in crate/Cargo.toml).',
    );
  }
}

/**
 * Builds a module if it is out of date.
 * @param {Toolchain} toolchain
 * @param {Module} module
 * @returns {Promise<boolean>} whether it was
 */
function compile(toolchain, module) {
  return runStage(
    {
      name: module.name,
      inputs: ['crate', 'Cargo.toml', 'Cargo.lock', '.cargo', ...OWN_FILES],
      skip: (path) => /^crate\/(pkg|pkg-analysis|target|tests|benches)$/.test(path),
      settings: [toolchain.version, npmVersion('binaryen')],
      output: `crate/${module.folder}`,
    },
    () => buildWasm(toolchain, module),
  );
}

/**
 * Builds what is out of date: the WebAssembly modules, then the npm package around them.
 * @param {Toolchain} toolchain
 */
export async function build(toolchain) {
  const start = performance.now();
  const main = await compile(toolchain, MAIN);
  const compiled = (await compile(toolchain, ANALYSIS)) || main;
  const bundled = await runStage(
    {
      name: 'bundle',
      inputs: [
        ...[
          'ts',
          'crate/pkg',
          'crate/pkg-analysis',
          'package.json',
          'tsup.config.ts',
          'tsconfig.base.json',
          'tsconfig.lib.json',
        ],
        ...BUNDLE_FILES,
      ],
      settings: ['tsup', 'typescript', 'esbuild', 'terser', 'rollup', 'rollup-plugin-dts'].map(
        npmVersion,
      ),
      output: 'dist',
    },
    () => bundle(toolchain),
  );
  say(
    `Build: ${compiled || bundled ? 'done' : 'up to date'} (${seconds(performance.now() - start)})`,
  );
}
