import { expect, it } from 'vitest';
import battery from './battery.json' with { type: 'json' };
import { RUNTIMES, runIn } from './runtime.js';

it.each(RUNTIMES)(
  'the package gives the same bits in %s',
  { timeout: 60_000 },
  async (name, args) => {
    const outcome = await runIn(name, [...args.split(' '), 'test/determinism/run.ts']);
    expect(outcome).toEqual({ stdout: `${battery.hash}\n`, stderr: '', status: 0 });
  },
);

it('the tests of half precision, which Node before 24 has to skip, pass in Bun', {
  timeout: 60_000,
}, async () => {
  const vitest = 'node_modules/vitest/vitest.mjs run --reporter=json test/family/float16.test.ts';
  const { stdout, stderr, status } = await runIn('bun', [
    '--no-install',
    '--bun',
    ...vitest.split(' '),
  ]);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const { numTotalTests, numPassedTests } = JSON.parse(stdout);
  expect(numTotalTests).toBeGreaterThan(0);
  expect(numPassedTests).toBe(numTotalTests);
});
