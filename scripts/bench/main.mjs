// `npm run bench`: sets up, builds, installs what to compare with, then runs the benchmark on one
// core, but for that of the pool.
import { availableParallelism } from 'node:os';
import { capture } from '../bootstrap/process.mjs';
import { runProgram } from '../bootstrap/program.mjs';
import { runMain, say } from '../bootstrap/report.mjs';
import { setUp } from '../bootstrap/set-up.mjs';
import { build } from '../build/build.mjs';
import { buildNativePrograms, ensureJsPeers, installPythonPeers } from './peers.mjs';

/**
 * The command that keeps a program, and all that it starts, on one core; nothing where there is
 * none.
 */
async function pinning() {
  const pin = ['taskset', '--cpu-list', String(availableParallelism() - 1)];
  const [command = '', ...args] = [...pin, 'true'];
  const { code } = await capture(command, args);
  return code === 0 ? pin : [];
}

await runMain(async () => {
  const args = process.argv.slice(2);
  const toolchain = await setUp();
  await build(toolchain);
  if (args.includes('--help')) return runProgram('scripts/bench/main.ts', args);
  // The crate's own programs are contenders of the losses alone, on one core.
  if (!['--analysis', '--pool'].some((other) => args.includes(other)))
    await buildNativePrograms(toolchain);
  const node = await ensureJsPeers();
  if (args.includes('--install-peers')) await installPythonPeers();
  say('');
  return runProgram('scripts/bench/main.ts', args, {
    node,
    // Garbage is collected in the time of whoever made it, not in that of the next one on the same
    // core.
    flags: ['--single-threaded-gc'],
    prefix: args.includes('--pool') ? [] : await pinning(),
  });
});
