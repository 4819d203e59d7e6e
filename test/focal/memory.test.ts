import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { FocalLoss } from 'focal-loss';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';

let collect: () => void;

beforeAll(() => {
  setFlagsFromString('--expose-gc');
  collect = runInNewContext('gc');
});

describe.each(dtypes)('$name', (dtype) => {
  const { logits, targets } = randomBatch(dtype, 32, 2);
  const options = { grad: dtype.zeros(64) };

  it('does not grow over 200 000 small calls', () => {
    const criterion = new FocalLoss();
    const run = (calls: number) => {
      for (let i = 0; i < calls; i++) criterion.valueAndGrad(logits, targets, options);
    };
    run(20_000);
    collect();
    const before = process.memoryUsage();
    run(200_000);
    collect();
    const after = process.memoryUsage();
    // One byte a call would be 200 kB.
    expect(after.heapUsed - before.heapUsed).toBeLessThan(200_000);
    expect(after.arrayBuffers).toBe(before.arrayBuffers);
  });

  it('allocates no more than the result of a call', () => {
    const criterion = new FocalLoss();
    let last = criterion.valueAndGrad(logits, targets, options);
    const run = (calls: number) => {
      for (let i = 0; i < calls; i++) last = criterion.valueAndGrad(logits, targets, options);
    };
    run(50_000);
    const calls = 2000;
    collect();
    const before = process.memoryUsage().heapUsed;
    // Too few to set off a collection, which would hide what they allocate.
    run(calls);
    const perCall = (process.memoryUsage().heapUsed - before) / calls;
    expect(last.grad).toBe(options.grad);
    // An object with two properties, and the number that one of them holds.
    expect(perCall).toBeLessThan(100);
  });
});
