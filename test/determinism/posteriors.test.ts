import { expect, it } from 'vitest';
import hashes from './hashes.json' with { type: 'json' };
import { hashOfPosteriors } from './posteriors.js';
import { RUNTIMES, runIn } from './runtime.js';

const { posteriors: HASH } = hashes;

it('the probabilities that logits stand for have the bits they had', () => {
  expect(hashOfPosteriors()).toBe(HASH);
});

it.each(RUNTIMES)('they have them in %s as well', { timeout: 60_000 }, async (name, args) => {
  const outcome = await runIn(name, [...args.split(' '), 'test/determinism/run-posteriors.ts']);
  expect(outcome).toEqual({ stdout: `${HASH}\n`, stderr: '', status: 0 });
});
