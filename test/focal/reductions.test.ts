import { FocalLoss, type Reduction } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch, sum as total } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { dtypes } from '../support/dtypes.js';

describe.each(dtypes)('$name', (dtype) => {
  it.each([2, 5, 30])(
    'the sum adds up the rows, the mean divides it by their number, C %i',
    (classes) => {
      const rows = 16;
      const { logits, targets } = randomBatch(dtype, rows, classes);
      const none = new FocalLoss({ reduction: 'none' }).valueAndGrad(logits, targets);
      const sum = new FocalLoss({ reduction: 'sum' }).valueAndGrad(logits, targets);
      const mean = new FocalLoss({ reduction: 'mean' }).valueAndGrad(logits, targets);
      const expected = total(none.value);
      expect(Math.abs(sum.value - expected)).toBeLessThanOrEqual(rows * 2 ** -53 * expected);
      expect(mean.value).toBe(sum.value / rows);
      expectSameBits(sum.grad, none.grad, 'sum');
      // Dividing by 16 is exact.
      expectSameBits(
        mean.grad,
        none.grad.map((entry) => entry / rows),
        'mean',
      );
    },
  );

  it('gradOutput scales the gradient and not the value', () => {
    const { logits, targets } = randomBatch(dtype, 9, 4);
    for (const reduction of ['mean', 'sum', 'none'] as Reduction[]) {
      const criterion = new FocalLoss({ reduction });
      const plain = criterion.valueAndGrad(logits, targets);
      for (const gradOutput of [2, -0.5, 1024]) {
        const scaled = criterion.valueAndGrad(logits, targets, { gradOutput });
        expect(scaled.value).toEqual(plain.value);
        expectSameBits(
          scaled.grad,
          plain.grad.map((entry) => entry * gradOutput),
          `${gradOutput}`,
        );
        expectSameBits(
          criterion.backward(logits, targets, { gradOutput }),
          scaled.grad,
          `${gradOutput}`,
        );
      }
    }
  });

  it('gradOutput 0 gives zeros, and NaN gives NaN', () => {
    const { logits, targets } = randomBatch(dtype, 3, 4);
    const criterion = new FocalLoss();
    expectSameBits(criterion.backward(logits, targets, { gradOutput: 0 }), dtype.zeros(12), '0');
    expect(criterion.backward(logits, targets, { gradOutput: NaN })).toEqual(
      dtype.zeros(12).fill(NaN),
    );
  });

  it.each([undefined, 2, 300_000])(
    'no rows: a sum of 0, a mean of NaN, nothing else, numClasses %s',
    (numClasses) => {
      const logits = dtype.zeros(0);
      const targets = new Int32Array(0);
      for (const options of [{}, { labelSmoothing: 0.1 }, { alpha: null, gamma: 0 }]) {
        const criterion = new FocalLoss({ ...options, numClasses });
        expect(criterion.valueAndGrad(logits, targets)).toEqual({
          value: NaN,
          grad: dtype.zeros(0),
        });
        expect(criterion.with({ reduction: 'sum' }).forward(logits, targets)).toBe(0);
        expect(criterion.with({ reduction: 'none' }).forward(logits, targets)).toEqual(
          dtype.zeros(0),
        );
        const grad = dtype.zeros(0);
        expect(criterion.backward(logits, targets, { grad })).toBe(grad);
      }
    },
  );

  it('returns arrays of the kind of the logits, of their own', () => {
    const { logits, targets } = randomBatch(dtype, 3, 2);
    const before = logits.slice();
    const { value, grad } = new FocalLoss({ reduction: 'none' }).valueAndGrad(logits, targets);
    for (const result of [value, grad]) {
      expect(result.constructor).toBe(logits.constructor);
      expect(result.byteLength).toBe(result.buffer.byteLength);
      expect(result.buffer).not.toBe(logits.buffer);
    }
    expectSameBits(logits, before, 'logits are left alone');
  });

  it('writes into the buffer of the call, and returns that', () => {
    const { logits, targets } = randomBatch(dtype, 3, 2);
    const criterion = new FocalLoss();
    const expected = criterion.backward(logits, targets);
    const grad = dtype.zeros(6).fill(NaN);
    expect(criterion.valueAndGrad(logits, targets, { grad }).grad).toBe(grad);
    expectSameBits(grad, expected, 'valueAndGrad');
    grad.fill(NaN);
    expect(criterion.backward(logits, targets, { grad })).toBe(grad);
    expectSameBits(grad, expected, 'backward');
  });
});
