import { expect, it } from 'vitest';
import { hashOfFigures } from './figures.js';
import hashes from './hashes.json' with { type: 'json' };
import { RUNTIMES, runIn } from './runtime.js';

const { figures: HASH } = hashes;

it('the figures of a classifier and its loss have the bits they had', () => {
  expect(hashOfFigures()).toBe(HASH);
});

it.each(RUNTIMES)('they have them in %s as well', { timeout: 60_000 }, async (name, args) => {
  const outcome = await runIn(name, [...args.split(' '), 'test/determinism/run-figures.ts']);
  expect(outcome).toEqual({ stdout: `${HASH}\n`, stderr: '', status: 0 });
});
