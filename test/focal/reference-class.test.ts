import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { float32, float64 } from '../support/dtypes.js';
import { golden, type ReferenceCase } from '../support/golden.js';

// The class is not exact. In float64, too, its weights and its smoothed targets went through
// float32: the weights can be given to the loss as they came out, for the targets the tolerance has
// to make up. And its `1 - pt` is a difference, with an absolute error of 2 ** -53.

const cases = golden<ReferenceCase>('reference-class');

describe.each([float32, float64])('$name', (dtype) => {
  it.each([
    ['hard', 26],
    ['smoothed', 54],
  ])('agrees with the PyTorch class this loss goes back to, %s targets', (kind, count) => {
    const chosen = cases.filter(
      ({ label_smoothing }) => label_smoothing > 0 === (kind === 'smoothed'),
    );
    expect(chosen).toHaveLength(count);
    for (const {
      C,
      alpha,
      gamma,
      label_smoothing,
      reduction,
      logits,
      targets,
      f64: expected,
    } of chosen) {
      const weights = Array.from({ length: C }, (_, j) => Math.fround(j === 1 ? alpha : 1 - alpha));
      const criterion = new FocalLoss({
        alpha: weights,
        gamma,
        labelSmoothing: label_smoothing,
        reduction,
      });
      const { value, grad } = criterion.valueAndGrad(
        dtype.array(logits.flat()),
        BigInt64Array.from(targets, BigInt),
      );
      const bound = dtype.bound(gamma) + (label_smoothing > 0 ? 2 ** -23 * (1 + gamma) : 0);

      const values = typeof value === 'number' ? [value] : [...value];
      const losses = [expected.loss].flat();
      expect(values).toHaveLength(losses.length);
      losses.forEach((loss, i) => {
        expect(Math.abs(values[i] - loss)).toBeLessThanOrEqual(
          bound * loss + (1 + gamma) * 2 ** -53,
        );
      });

      const entries = expected.grad.flat();
      expect(grad).toHaveLength(entries.length);
      const largest = Math.max(...entries.map(Math.abs));
      entries.forEach((entry, i) => {
        expect(Math.abs(grad[i] - entry)).toBeLessThanOrEqual(bound * largest);
      });
    }
  });
});
