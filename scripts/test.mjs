// `npm test`: sets up, builds, checks and tests everything. `npm run lint` (--lint) leaves out the test suites.
import { build } from './lib/build.mjs';
import { runChecks, staticChecks, testSuites } from './lib/checks.mjs';
import { ExplainedError, runMain, say } from './lib/report.mjs';
import { setUp } from './lib/set-up.mjs';

async function runAll() {
  const withSuites = !process.argv.includes('--lint');
  const toolchain = await setUp({ linters: true, runtimes: withSuites });
  await build(toolchain);
  return runChecks([...staticChecks(toolchain), ...(withSuites ? testSuites(toolchain) : [])]);
}

await runMain(async () => {
  const { passed, failed, skipped } = await runAll().catch((error) => {
    if (!(error instanceof ExplainedError)) throw error;
    say(`\n${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  });
  if (skipped > 0) say(`${skipped} skipped`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});
