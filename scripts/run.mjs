// Sets up, builds, then runs a TypeScript program: node scripts/run.mjs FILE [ARGUMENTS…]
import { build } from './lib/build.mjs';
import { runProgram } from './lib/program.mjs';
import { runMain, say } from './lib/report.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  const [file = '', ...args] = process.argv.slice(2);
  await build(await setUp());
  say('');
  return runProgram(file, args);
});
