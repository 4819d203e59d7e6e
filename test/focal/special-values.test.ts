import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../support/accuracy.js';
import { randomBatch, splitRows } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { dtypes, float32 } from '../support/dtypes.js';

const gammas = [0, 0.5, 1, 2, 2.7, 3];
const CLASSES = [2, 3, 4, 9, 17, 70];

it('keeps what is just above the smallest normal number', () => {
  // The probability of class 6 lies below it, the gradient, up to 1 + gamma times as large, does
  // not.
  const logits = Float32Array.from([
    77.75962829589844, 84.61653137207031, 30.211149215698242, 98.75640106201172, 118.88314056396484,
    115.76612091064453, 31.476465225219727, 87.87109375,
  ]);
  const grad = new FocalLoss({ gamma: 3, alpha: null }).backward(logits, new Uint8Array([5]));
  const exact = 1.3083991931607384e-38;
  expect(exact).toBeGreaterThan(float32.smallest);
  expect(Math.abs(grad[6] - exact)).toBeLessThanOrEqual(float32.bound(3) * exact);
});

describe.each(dtypes)('$name', (dtype) => {
  describe.each(gammas)('gamma %d', (gamma) => {
    const criterion = new FocalLoss({ gamma, reduction: 'none' });

    it.each([
      [NaN, 0],
      [NaN, 0.1],
      [Infinity, 0],
      [Infinity, 0.1],
    ])('%d spoils its own row and no other, smoothing %d', (bad, labelSmoothing) => {
      const smoothed = criterion.with({ labelSmoothing });
      for (const classes of CLASSES) {
        const { rows, logits, targets } = randomBatch(dtype, 6, classes, classes);
        const clean = smoothed.valueAndGrad(logits, targets);
        for (let row = 0; row < rows; row++) {
          for (const column of [targets[row], (targets[row] + 1) % classes]) {
            const spoilt = smoothed.valueAndGrad(logits.with(row * classes + column, bad), targets);
            expect(spoilt.value).toEqual(clean.value.with(row, NaN));
            expect(spoilt.grad).toEqual(
              clean.grad.slice().fill(NaN, row * classes, (row + 1) * classes),
            );
          }
        }
      }
    });

    it('-Infinity takes a class out that is not the target', () => {
      const weightless = criterion.with({ alpha: null });
      for (const classes of CLASSES.slice(1)) {
        const { logits, targets } = randomBatch(dtype, 5, classes, classes);
        const plain = weightless.valueAndGrad(logits, targets);
        // The same batch with one class more, masked, in front of the others.
        const masked = dtype.array(
          splitRows(logits, classes).flatMap((row) => [-Infinity, ...row]),
        );
        const { value, grad } = weightless.valueAndGrad(
          masked,
          targets.map((target) => target + 1),
        );
        expectClose(dtype, gamma, value, plain.value);
        const withZeros = dtype.array(splitRows(plain.grad, classes).flatMap((row) => [0, ...row]));
        expectClose(dtype, gamma, grad, withZeros);
      }
    });

    it('is certain when all other classes are masked', () => {
      for (const classes of CLASSES) {
        const logits = dtype.zeros(classes).fill(-Infinity);
        logits[classes - 1] = 3;
        const { value, grad } = criterion.valueAndGrad(logits, new Int32Array([classes - 1]));
        expectSameBits(value, dtype.zeros(1), `C ${classes}`);
        expectSameBits(grad, dtype.zeros(classes), `C ${classes}`);
      }
    });

    it('is infinite when the target is masked, and only there', () => {
      for (const classes of CLASSES) {
        const { logits, targets } = randomBatch(dtype, 4, classes, classes);
        const clean = criterion.forward(logits, targets);
        const value = criterion.forward(logits.with(2 * classes + targets[2], -Infinity), targets);
        expect(value).toEqual(clean.with(2, Infinity));
      }
    });

    it('is finite at both ends of the range of logits', () => {
      const largest = dtype.name === 'float32' ? 3e38 : 1e308;
      for (const classes of CLASSES) {
        for (const size of [200, 1e4, 1e6, 1e20, largest / 4]) {
          const logits = dtype.zeros(2 * classes).fill(-size);
          logits[0] = size;
          logits[classes] = size;
          // Certain and right, then certain and wrong.
          const { value, grad } = criterion.valueAndGrad(logits, new Int32Array([0, 1]));
          if (size > 1000) expect(value[0]).toBe(0);
          const ratio = value[1] / (0.25 * 2 * size);
          expect(Math.abs(ratio - 1)).toBeLessThanOrEqual(dtype.bound(gamma));
          expect(grad.every(Number.isFinite)).toBe(true);
          expect(grad[classes]).toBeCloseTo(0.25, 6);
          expect(grad[classes + 1]).toBeCloseTo(-0.25, 6);
        }
      }
    });
  });

  const combinations = gammas.flatMap((gamma) =>
    [0, 1, null].flatMap((alpha) =>
      [0, 0.1, 1].map((labelSmoothing) => ({ gamma, alpha, labelSmoothing })),
    ),
  );

  it.each(combinations)(
    'never returns -0, gamma $gamma, alpha $alpha, smoothing $labelSmoothing',
    (options) => {
      const criterion = new FocalLoss({ ...options, reduction: 'none' });
      for (const classes of CLASSES) {
        const { logits, targets } = randomBatch(dtype, 6, classes, classes, 300);
        if (options.labelSmoothing === 0) logits[(targets[0] + 1) % classes] = -Infinity;
        for (const gradOutput of [1, 0, -1]) {
          const { value, grad } = criterion.valueAndGrad(logits, targets, { gradOutput });
          expect([...value, ...grad].filter((x) => Object.is(x, -0))).toEqual([]);
        }
      }
    },
  );

  it('never returns -0 for a weight of -0', () => {
    for (const classes of CLASSES) {
      const { logits } = randomBatch(dtype, 4, classes, classes);
      for (const alpha of [-0, Array(classes).fill(-0)]) {
        const criterion = new FocalLoss({ alpha, reduction: 'none' });
        const { value, grad } = criterion.valueAndGrad(logits, new Uint8Array(4).fill(1));
        expectSameBits(value, dtype.zeros(4), `C ${classes}`);
        expectSameBits(grad, dtype.zeros(4 * classes), `C ${classes}`);
      }
    }
  });

  it('alpha 0 and 1 give exact zeros', () => {
    for (const classes of CLASSES) {
      const { rows, logits } = randomBatch(dtype, 6, classes, classes);
      for (const [alpha, target] of [
        [0, 1],
        [1, 0],
      ]) {
        const criterion = new FocalLoss({ alpha, reduction: 'none' });
        const { value, grad } = criterion.valueAndGrad(logits, new Uint8Array(rows).fill(target));
        expectSameBits(value, dtype.zeros(rows), `C ${classes}`);
        expectSameBits(grad, dtype.zeros(rows * classes), `C ${classes}`);
      }
    }
  });

  it('has a finite gradient at pt = 1 for gamma below 1', () => {
    const criterion = new FocalLoss({ gamma: 0.5 });
    for (const gap of [0, 17, 40, 100, 1000]) {
      const grad = criterion.backward(dtype.array([0, gap, 0, gap]), new Int32Array([1, 1]));
      expect(grad.every(Number.isFinite)).toBe(true);
    }
  });
});
