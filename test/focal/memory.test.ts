import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';
import { allocatedPerCall, collect, freshCopy, profileOf } from '../support/heap.js';

/** An object with two properties takes 40 bytes, and the number that one of them is 16. */
const RESULT = 40 + 16;

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

  it('allocates no more than the result of a call', async () => {
    const make = async (attempt: number) => {
      const criterion = new (await freshCopy(attempt)).FocalLoss();
      expect(criterion.valueAndGrad(logits, targets, options).grad).toBe(options.grad);
      return (calls: number) => {
        for (let i = 0; i < calls; i++) criterion.valueAndGrad(logits, targets, options);
      };
    };
    const bytes = await allocatedPerCall(make, RESULT + 7);
    expect(bytes).toBeGreaterThan(40);
    expect(bytes).toBeLessThan(RESULT + 8);
  });

  it('allocates no more than the results of a million calls', () => {
    const criterion = new FocalLoss();
    const run = (calls: number) => {
      for (let i = 0; i < calls; i++) criterion.valueAndGrad(logits, targets, options);
    };
    run(50_000);
    const bytes = profileOf(() => run(1_000_000)) / 1_000_000;
    expect(bytes).toBeGreaterThan(40);
    expect(bytes).toBeLessThan(1.05 * RESULT);
  });

  it('remembers small arrays alone', async () => {
    const criterion = new FocalLoss();
    const rows = 20_000;
    const released: boolean[] = [];
    const call = () => {
      const large = [dtype.zeros(2 * rows), new Int32Array(rows), dtype.zeros(2 * rows)] as const;
      criterion.valueAndGrad(large[0], large[1], { grad: large[2] });
      return large.map((array) => new WeakRef(array));
    };
    const references = call();
    // An object that a WeakRef was made of in a turn stays for that turn.
    await new Promise((resolve) => setTimeout(resolve));
    collect();
    for (const reference of references) released.push(reference.deref() === undefined);
    expect(released).toEqual([true, true, true]);
  });
});
