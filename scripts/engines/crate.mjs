/** The crate's own tests on other processors. */
import { join } from 'node:path';
import { installDebianPackages } from '../bootstrap/debian.mjs';
import { root } from '../bootstrap/paths.mjs';
import { mustRun } from '../bootstrap/process.mjs';
import { enginesHome } from './sysroot.mjs';

/**
 * A processor that the crate is compiled for.
 * @typedef {object} CrateTarget
 * @property {string} triple as rustup calls it
 * @property {string} linker
 * @property {string[]} [packages] those of Debian that have the linker, and what programs need
 * @property {() => Promise<string[]>} [runner] what runs a program
 */

/**
 * Compiles the tests.
 * @param {CrateTarget} target
 * @returns {Promise<string[]>} the command that runs a sample of them, a smaller one under QEMU
 */
export async function crateTests({ triple, linker, packages = [], runner }) {
  if (packages.length > 0) await installDebianPackages(packages);
  await mustRun(`Adding the Rust target ${triple}`, 'rustup', ['target', 'add', triple]);
  const settings = `CARGO_TARGET_${triple.toUpperCase().replaceAll('-', '_')}`;
  const variables = [
    `FOCAL_LOSS_SAMPLE=${runner ? 'emulated' : '1'}`,
    // The tests run as fast without, and compile in half the time.
    'CARGO_PROFILE_RELEASE_LTO=off',
    `CARGO_TARGET_DIR=${join(enginesHome, 'target-crate')}`,
    `${settings}_LINKER=${linker}`,
    ...(runner ? [`${settings}_RUNNER=${(await runner()).join(' ')}`] : []),
  ];
  const command = [
    ...[...variables, 'cargo', 'test', '--release', '--locked', '--target', triple],
    ...['--manifest-path', join(root, 'Cargo.toml'), '--package', 'focal-loss'],
    ...['--features', 'analysis', '--lib', '--tests'],
  ];
  await mustRun(`Compiling the crate's tests for ${triple}`, 'env', [...command, '--no-run']);
  return ['env', ...command];
}
