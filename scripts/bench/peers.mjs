/**
 * The libraries that the benchmark compares the package with. All of it is large, so it is kept in
 * the cache rather than in the clone, in folders named after the versions: JavaScript libraries
 * together with a Node that can run them all, and Python's.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installElsewhere } from '../bootstrap/npm-packages.mjs';
import { cache, root } from '../bootstrap/paths.mjs';
import { capture, findExecutables, watch } from '../bootstrap/process.mjs';
import { say } from '../bootstrap/report.mjs';

const manifests = join(root, 'scripts', 'bench', 'peers');
const requirements = join(root, 'scripts', 'bench', 'python', 'requirements.txt');

/**
 * @type {{ dependencies: Record<string, string>, optionalDependencies: Record<string, string> }}
 */
const manifest = JSON.parse(readFileSync(join(manifests, 'package.json'), 'utf8'));

/** @param {readonly string[]} parts */
const folderNamed = (parts) =>
  join(cache, ['bench', ...parts].join('-').replaceAll(/[^\w.]+/g, '-'));

/** The folder of the JavaScript libraries. */
export const jsPeersHome = folderNamed(
  [manifest.dependencies, manifest.optionalDependencies].flatMap((packages) =>
    Object.entries(packages).flat(),
  ),
);

/** The folder of Python's. */
export const pythonHome = folderNamed(
  readFileSync(requirements, 'utf8').split(/\s+/).filter(Boolean),
);

/** @param {string} name */
export function hasJsPeer(name) {
  return existsSync(join(jsPeersHome, 'node_modules', name, 'package.json'));
}

/**
 * Installs the JavaScript libraries, and Node, where they are missing. The benchmark does without
 * what it can't have.
 * @returns {Promise<string>} the Node to run the benchmark in
 */
export async function ensureJsPeers() {
  const names = Object.keys(manifest.dependencies);
  if (!names.every(hasJsPeer)) {
    const label = `Installing ${names.join(', ')} for the benchmark (once, 500 MB)`;
    await installElsewhere(label, manifests, jsPeersHome);
  }
  const node = join(
    jsPeersHome,
    'node_modules',
    `node-${process.platform}-${process.arch}`,
    'bin',
    'node',
  );
  const { code } = await capture(node, ['--version']);
  return code === 0 ? node : process.execPath;
}

/**
 * Python with PyTorch and JAX where they have been installed, else the one on the search path,
 * which may have them too.
 */
export function findPython() {
  const own = join(pythonHome, 'bin', 'python');
  return existsSync(own) ? own : findExecutables('python3')[0];
}

/** Installs PyTorch and JAX. */
export async function installPythonPeers() {
  const steps = /** @type {const} */ ([
    ['Making a Python environment for PyTorch and JAX', 'python3', '-m', 'venv', pythonHome],
    [
      'Installing PyTorch and JAX (once, 5 GB)',
      join(pythonHome, 'bin', 'python'),
      ...['-m', 'pip', 'install', '--disable-pip-version-check', '--requirement', requirements],
    ],
  ]);
  for (const [label, command, ...args] of steps) {
    const { code, output } = await watch(label, command, args);
    if (code !== 0) {
      say(output.trimEnd());
      return;
    }
  }
}

/** The builds of the crate that the benchmark takes as limits, and the flags of each. */
const NATIVE_BUILDS = { baseline: '', native: '-Ctarget-cpu=native' };

/** @typedef {keyof typeof NATIVE_BUILDS} NativeBuild */

const nativeBuilds = /** @type {NativeBuild[]} */ (Object.keys(NATIVE_BUILDS));

/** @param {NativeBuild} build */
const targetFolder = (build) => join(root, 'target', 'bench', build);

/**
 * The benchmark's program around the native crate.
 * @param {NativeBuild} build
 */
export function nativeProgram(build) {
  return join(targetFolder(build), 'release', 'focal-loss-bench');
}

/**
 * Builds it, for any processor of this kind and for the very one at hand.
 * @param {import('../bootstrap/rust.mjs').Toolchain} toolchain
 */
export async function buildNativePrograms({ cargo, env }) {
  for (const build of nativeBuilds) {
    const args = ['build', '--release', '--locked', '--package', 'focal-loss-bench'];
    const { code, output } = await watch(`Compiling the crate natively, ${build}`, cargo, args, {
      cwd: root,
      env: {
        ...env,
        CARGO_ENCODED_RUSTFLAGS: NATIVE_BUILDS[build],
        CARGO_TARGET_DIR: targetFolder(build),
      },
    });
    if (code !== 0) say(output.trimEnd());
  }
}
