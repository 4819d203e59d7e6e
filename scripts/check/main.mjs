// `npm test`: sets up, builds, checks and tests everything, but for the tests that need what the
// machine has not. `npm run test:all` (--all) installs that first, and no test may be skipped; it
// also fuzzes the kernels and looks at the supply chain. `npm run lint` (--lint) leaves out the
// test suites.

import { ExplainedError, runMain, say } from '../bootstrap/report.mjs';
import { setUp } from '../bootstrap/set-up.mjs';
import { build } from '../build/build.mjs';
import {
  runChecks,
  SAMPLED,
  skippedTests,
  staticChecks,
  testSuites,
  testsAgain,
} from './checks.mjs';
import { EVERY_FLOAT32 } from './every-float32.mjs';
import { extraChecks } from './extra-checks.mjs';

const all = process.argv.includes('--all');
const withSuites = !process.argv.includes('--lint');

async function runAll() {
  const toolchain = await setUp({ linters: true, runtimes: withSuites, consumers: all });
  await build(toolchain);
  const total = await runChecks([
    ...staticChecks(toolchain),
    ...(withSuites ? testSuites(toolchain, !all) : []),
  ]);
  if (!all) {
    if (withSuites) {
      for (const name of [EVERY_FLOAT32, ...SAMPLED]) {
        say(`NOT CHECKED: ${name}: a sample was; \`npm run test:all\` checks all`);
      }
    }
    return total;
  }
  const skipped = skippedTests();
  const { checks, missed } = await extraChecks(toolchain);
  const more = await runChecks([
    ...(skipped.length > 0 ? [testsAgain(toolchain, skipped)] : []),
    ...checks,
  ]);
  for (const { name, reason } of missed) say(`NOT CHECKED: ${name}: ${reason}`);
  return {
    passed: total.passed + more.passed,
    failed: total.failed + more.failed,
    skipped:
      total.skipped - skipped.length + more.skipped + missed.filter(({ counts }) => counts).length,
  };
}

/** Says which tests were skipped. */
function reportSkipped() {
  const files = skippedTests().map(({ file }) => file);
  for (const file of new Set(files)) {
    say(`Skipped in ${file}: ${files.filter((other) => other === file).length}`);
  }
  say(
    '`npm run test:all` installs what these need: newer Node, bundlers, browsers, a queue server.',
  );
}

await runMain(async () => {
  const { passed, failed, skipped } = await runAll().catch((error) => {
    if (!(error instanceof ExplainedError)) throw error;
    say(`\n${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  });
  if (skipped > 0) {
    if (!all) reportSkipped();
    say(`${skipped} skipped${all ? ', which counts as failed here' : ''}`);
  }
  const failures = failed + (all ? skipped : 0);
  console.log(`${passed} passed, ${failures} failed`);
  return failures === 0 ? 0 : 1;
});
