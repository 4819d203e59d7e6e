import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';
import { family, reduced } from '../support/family.js';
import { allocatedPerCall, freshCopy } from '../support/heap.js';
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
    async (member) => {
      const { ignoring, spoilt, width } = member;
      const criterion = reduced(ignoring, 'mean');
      const sampleWeights = dtype.zeros(64 / width).fill(1);
      const options = { grad: dtype.zeros(64), sampleWeights, normalizer: undefined };
      const make = async (attempt: number) => {
        const Loss = Reflect.get(await freshCopy(attempt), criterion.constructor.name);
        const own: typeof criterion = new Loss({ ...criterion });
        expect(own.valueAndGrad(logits, spoilt, options).grad).toBe(options.grad);
        return (calls: number) => {
          for (let i = 0; i < calls; i++) own.valueAndGrad(logits, spoilt, options);
        };
      };
      const bytes = await allocatedPerCall(make, MOST);
      expect(bytes).toBeGreaterThanOrEqual(40);
      expect(bytes).toBeLessThanOrEqual(MOST);
    },
  );
});
