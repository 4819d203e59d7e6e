import { FocalLoss } from 'focal-loss';
import { expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { type Dtype, float32, float64 } from '../support/dtypes.js';

// Rows that get longer make the module's areas grow and move, with and without a change of its
// memory. This is the only test of its file, because what it needs is a module that has not grown
// yet.

it('gives the same results for a shape while rows of the other kind grow', () => {
  const criterion = new FocalLoss({ alpha: [1, 2] });
  const shapes = [float32, float64].map((dtype: Dtype) => {
    const { logits, targets } = randomBatch(dtype, 3, 2);
    const call = () => criterion.valueAndGrad(logits, targets);
    return { call, expected: call() };
  });
  for (let classes = 500; classes < 40_000; classes = Math.ceil(classes * 1.02)) {
    for (const dtype of [float32, float64]) {
      const { logits, targets } = randomBatch(dtype, 1, classes);
      new FocalLoss().forward(logits, targets);
      for (const { call, expected } of shapes) expect(call()).toEqual(expected);
    }
  }
});
