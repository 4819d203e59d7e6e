import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { dtypes, float32, float64 } from '../support/dtypes.js';
import { sigmoidOracle } from '../support/family-oracle.js';

// The faults that random calls once found in the kernels.

describe.each(dtypes)('$name', (dtype) => {
  it('two classes, smoothed: a masked class makes the value infinite, as it does among three', () => {
    const targets = new Uint8Array(1);
    const options = { labelSmoothing: 0.01, reduction: 'none' } as const;
    for (const Loss of [CrossEntropyLoss, FocalLoss]) {
      expect(new Loss(options).forward(dtype.array([1, 1, -Infinity]), targets)[0]).toBe(Infinity);
      expect(new Loss(options).forward(dtype.array([1, -Infinity]), targets)[0]).toBe(Infinity);
    }
  });

  it('sigmoid: a NaN spoils its value also where positives weigh nothing', () => {
    const criterion = new SigmoidFocalLoss({ gamma: 0, posWeight: 0, reduction: 'none' });
    const { value, grad } = criterion.valueAndGrad(
      dtype.array([Infinity, NaN]),
      new Uint8Array([1, 1]),
    );
    expect([...value, ...grad]).toEqual([NaN, NaN, NaN, NaN]);
  });

  it('a sample weight of -0 makes no value -0', () => {
    for (const Loss of [FocalLoss, SigmoidFocalLoss]) {
      const criterion = new Loss({ reduction: 'none', numClasses: 2 });
      const sampleWeights = dtype.array([-0]);
      const targets = Loss === FocalLoss ? new Uint8Array(1) : new Uint8Array(2);
      expect(criterion.forward(dtype.array([1, 2]), targets, { sampleWeights })[0]).toBe(0);
    }
  });
});

it('sigmoid, float32: negatives weigh 1 - alpha, to all digits', () => {
  const grad = new SigmoidFocalLoss({ alpha: 0.99, gamma: 0, reduction: 'sum' }).backward(
    Float32Array.of(0),
    Uint8Array.of(0),
  );
  // 2.4e-6 off where alpha is rounded to float32 before it is taken from 1.
  expect(Math.abs(grad[0] / 0.005 - 1)).toBeLessThanOrEqual(float32.bound(0));
});

it('sigmoid, float32: targets between 0 and 1 that are smoothed are within the bound', () => {
  const [x, y] = Float32Array.of(-0.3824044466018677, 0.2054443657398224);
  const options = { alpha: 0.51171875, gamma: 0, labelSmoothing: 0.2 };
  const grad = new SigmoidFocalLoss({ ...options, reduction: 'sum' }).backward(
    Float32Array.of(x),
    Float32Array.of(y),
  );
  const exact = sigmoidOracle({ x, y, ...options });
  expect(Math.abs(grad[0] - exact.grad[0])).toBeLessThanOrEqual(float32.bound(0) * exact.scales[0]);
});

// The oracle was at fault here, in which `(1 - pt) ** gamma` alone, about 3e-338, became 0.
it('float64: a target that is all but certain counts beside a smoothed class of a huge surprise', () => {
  const logits = Float64Array.of(0, -1.5698756121228938e207, 195.0089282295904, 0);
  const { value, grad } = new FocalLoss({
    alpha: null,
    gamma: 4,
    labelSmoothing: 0.01,
    focusOn: 'target',
  }).valueAndGrad(logits, Uint8Array.of(2));
  // Exact: (1 - pt)^4 times the smoothed cross-entropy, by mpmath with 60 digits.
  const exact = 1.0782498991558643e-133;
  const bound = float64.bound(4);
  expect(Math.abs(value / exact - 1)).toBeLessThanOrEqual(bound);
  expect(grad[1]).toBe(0);
  for (const j of [0, 3]) expect(Math.abs(grad[j] / (2 * exact) - 1)).toBeLessThanOrEqual(bound);
  expect(Math.abs(grad[2] / (-4 * exact) - 1)).toBeLessThanOrEqual(bound);
});
