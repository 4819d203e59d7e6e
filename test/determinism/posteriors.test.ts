import { expect, it } from 'vitest';
import { hashOfPosteriors } from './posteriors.js';
import { RUNTIMES, runIn } from './runtime.js';

/** A change of any bit is one of results, and is named in the changelog. */
const HASH = '38309c77275a87e7';

it('the probabilities that logits stand for have the bits they had', () => {
  expect(hashOfPosteriors()).toBe(HASH);
});

it.each(RUNTIMES)('they have them in %s as well', { timeout: 60_000 }, async (name, args) => {
  const outcome = await runIn(name, [...args.split(' '), 'test/determinism/run-posteriors.ts']);
  expect(outcome).toEqual({ stdout: `${HASH}\n`, stderr: '', status: 0 });
});
