import { FocalLoss, init } from 'focal-loss';
import { expect, it } from 'vitest';
import { expectWorking } from '../support/failure.js';

// Each file of tests loads the package anew, so the module has not been started when the first test begins.

it('init can be awaited, any number of times at once', async () => {
  const [first, second] = await Promise.all([init(), init()]);
  expect([first, second]).toEqual([undefined, undefined]);
  expectWorking();
  await init();
  expectWorking();
});

it('criteria need no init', () => {
  expect(new FocalLoss({ gamma: 1 }).gamma).toBe(1);
});
