import { expect, it } from 'vitest';
import { hashOfDecisions } from './decisions.js';
import hashes from './hashes.json' with { type: 'json' };
import { RUNTIMES, runIn } from './runtime.js';

const { decisions: HASH } = hashes;

it('the functions that lead to decisions give the bits they gave', () => {
  expect(hashOfDecisions()).toBe(HASH);
});

it.each(RUNTIMES)('they give them in %s as well', { timeout: 60_000 }, async (name, args) => {
  const outcome = await runIn(name, [...args.split(' '), 'test/determinism/run-decisions.ts']);
  expect(outcome).toEqual({ stdout: `${HASH}\n`, stderr: '', status: 0 });
});
