import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { findRuntime } from '../../scripts/bootstrap/runtimes.mjs';
import battery from './battery.json' with { type: 'json' };

/** The caches of the runtimes go here. */
const home = mkdtempSync(join(tmpdir(), 'focal-loss-'));
afterAll(() => rmSync(home, { recursive: true }));

async function run(name: 'deno' | 'bun', args: string[]) {
  const runtime = await findRuntime(name);
  if (!runtime) throw new Error(`${name} is not installed: npm run setup`);
  const { stdout, stderr, status } = spawnSync(runtime, args, { cwd: root, encoding: 'utf8', env: { HOME: home } });
  return { stdout, stderr, status };
}

// Deno is granted no permission at all, and neither may install or look up anything.
it.each([
  ['deno', 'run --no-prompt --no-config --no-lock --no-remote --no-npm'],
  ['bun', 'run --no-install'],
] as const)('the package gives the same bits in %s', { timeout: 60_000 }, async (name, args) => {
  const outcome = await run(name, [...args.split(' '), 'test/determinism/run.ts']);
  expect(outcome).toEqual({ stdout: `${battery.hash}\n`, stderr: '', status: 0 });
});

it('the tests of half precision, which Node before 24 has to skip, pass in Bun', { timeout: 60_000 }, async () => {
  const vitest = 'node_modules/vitest/vitest.mjs run --reporter=json test/family/float16.test.ts';
  const { stdout, stderr, status } = await run('bun', ['--no-install', '--bun', ...vitest.split(' ')]);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const { numTotalTests, numPassedTests } = JSON.parse(stdout);
  expect(numTotalTests).toBeGreaterThan(0);
  expect(numPassedTests).toBe(numTotalTests);
});
