import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from './paths.mjs';

/**
 * Runs a TypeScript program of the clone in the foreground.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ node?: string, flags?: readonly string[], prefix?: readonly string[] }} [options] the
 *   Node to run it in, flags for it, and a command to run it with
 * @returns {Promise<number>} its exit code
 */
export function runProgram(file, args, { node = process.execPath, flags = [], prefix = [] } = {}) {
  const tsx = ['--import', import.meta.resolve('tsx')];
  const [command = node, ...rest] = [...prefix, node, ...flags, ...tsx, join(root, file), ...args];
  // npm starts scripts in the clone; paths among the arguments are meant from where the user
  // stands.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const program = spawn(command, rest, { cwd, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    program.on('error', reject);
    program.on('close', (code) => resolve(code ?? 1));
  });
}
