// Sets up, builds, then runs a TypeScript program: node scripts/run.mjs FILE [ARGUMENTS…]
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { root } from './lib/paths.mjs';
import { runMain, say } from './lib/report.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  const [file = '', ...args] = process.argv.slice(2);
  await build(await setUp());
  say('');
  // npm starts scripts in the clone; paths among the arguments are meant from where the user stands.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const program = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(root, file), ...args], {
    cwd,
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    program.on('error', reject);
    program.on('close', (code) => resolve(code ?? 1));
  });
});
