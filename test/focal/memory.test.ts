import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';
import { allocatedPerCall, collect } from '../support/heap.js';

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
    expect(after.arrayBuffers).toBeLessThanOrEqual(before.arrayBuffers);
  });

  it('allocates no more than the result of a call', () => {
    const criterion = new FocalLoss();
    let last = criterion.valueAndGrad(logits, targets, options);
    const run = (calls: number) => {
      for (let i = 0; i < calls; i++) last = criterion.valueAndGrad(logits, targets, options);
    };
    run(50_000);
    const bytes = allocatedPerCall(run, 31);
    expect(last.grad).toBe(options.grad);
    // An object with two properties takes 40 bytes, and a number 16: the value of the result, and, unless the compiler
    // makes one of the functions they pass between, the total, the scale and a weight. One more object, or view, of
    // whatever kind is too much.
    expect(bytes).toBeGreaterThan(40);
    expect(bytes).toBeLessThan(40 + 4 * 16 + 16);
  });
});
