// `npm test`: sets up, builds, checks and tests everything. `npm run lint` (--lint) leaves out the test suites.
import { build } from './lib/build.mjs';
import { runChecks, staticChecks, testSuites } from './lib/checks.mjs';
import { runMain, say } from './lib/report.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  const toolchain = await setUp({ linters: true });
  await build(toolchain);
  const suites = process.argv.includes('--lint') ? [] : testSuites(toolchain);
  const { passed, failed, skipped } = await runChecks([...staticChecks(toolchain), ...suites]);
  if (skipped > 0) say(`${skipped} skipped`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});
