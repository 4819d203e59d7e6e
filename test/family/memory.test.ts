import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';
import { family, reduced } from '../support/family.js';
import { allocatedPerCall } from '../support/heap.js';
import { sampled } from '../support/sample.js';

/**
 * An object of two properties takes 40 bytes, and each number that functions pass between them 16.
 * A view of an array takes more than 100.
 */
const MOST = 40 + 6 * 16 - 1;

describe.each(dtypes)('$name', (dtype) => {
  const { logits } = randomBatch(dtype, 32, 2);

  it.each(sampled(family(dtype, 32, 2)))(
    'a small call allocates no more than its result, $name',
    (member) => {
      const { ignoring, spoilt, width } = member;
      const criterion = reduced(ignoring, 'mean');
      const sampleWeights = dtype.zeros(64 / width).fill(1);
      const options = { grad: dtype.zeros(64), sampleWeights, normalizer: undefined };
      let last = criterion.valueAndGrad(logits, spoilt, options);
      const run = (calls: number) => {
        for (let i = 0; i < calls; i++) last = criterion.valueAndGrad(logits, spoilt, options);
      };
      const bytes = allocatedPerCall(run, MOST);
      expect(last.grad).toBe(options.grad);
      expect(bytes).toBeGreaterThanOrEqual(40);
      expect(bytes).toBeLessThanOrEqual(MOST);
    },
  );
});
