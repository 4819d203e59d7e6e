// Sets up, builds, then runs a TypeScript program: node scripts/build/run.mjs FILE [ARGUMENTS…]

import { runProgram } from '../bootstrap/program.mjs';
import { runMain, say } from '../bootstrap/report.mjs';
import { setUp } from '../bootstrap/set-up.mjs';
import { build } from './build.mjs';

await runMain(async () => {
  const [file = '', ...args] = process.argv.slice(2);
  await build(await setUp());
  say('');
  return runProgram(file, args);
});
