import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch, splitRows, sum } from '../support/batch.js';
import { dtypes, float64 } from '../support/dtypes.js';

const options = [0, 0.5, 1, 2, 2.7, 5].flatMap((gamma) =>
  [0, 0.1, 1].flatMap((labelSmoothing) =>
    [0.25, null, 'per class'].map((alpha) => ({ gamma, labelSmoothing, alpha })),
  ),
);

function weights(alpha: number | string | null, classes: number): number | number[] | null {
  return typeof alpha === 'string' ? Array.from({ length: classes }, (_, j) => 0.5 + j / 4) : alpha;
}

describe.each(options)(
  'gamma $gamma, smoothing $labelSmoothing, alpha $alpha',
  ({ alpha, ...rest }) => {
    it.each([2, 3, 7, 20])('equals central differences, C %i', (classes) => {
      const { logits, targets } = randomBatch(float64, 5, classes, classes);
      const step = 2 ** -17;
      for (const reduction of ['mean', 'sum'] as const) {
        const criterion = new FocalLoss({ ...rest, alpha: weights(alpha, classes), reduction });
        const { value, grad } = criterion.valueAndGrad(logits, targets);
        // The error of a difference by the rounding of two values, beside what the step leaves out.
        const tolerance = 1e-9 + (4 * float64.epsilon * value) / step;
        for (let k = 0; k < logits.length; k++) {
          const at = (x: number) => criterion.forward(logits.with(k, x), targets);
          const difference = (at(logits[k] + step) - at(logits[k] - step)) / (2 * step);
          expect(Math.abs(grad[k] - difference)).toBeLessThanOrEqual(tolerance);
        }
      }
    });

    // Each entry may be off by the contract's bound: times itself, under smoothing times the
    // largest of the row.
    it.each(dtypes)('sums to 0 over a row, $name', (dtype) => {
      for (const classes of [2, 3, 7, 20, 100]) {
        const { logits, targets } = randomBatch(dtype, 9, classes, classes, 10);
        const grad = new FocalLoss({ ...rest, alpha: weights(alpha, classes) }).backward(
          logits,
          targets,
        );
        for (const row of splitRows(grad, classes)) {
          const sizes = Array.from(row, Math.abs);
          const size = rest.labelSmoothing > 0 ? classes * Math.max(...sizes) : sum(sizes);
          expect(size).toBeGreaterThan(0);
          expect(Math.abs(sum(row))).toBeLessThanOrEqual(dtype.bound(rest.gamma) * size);
        }
      }
    });
  },
);
