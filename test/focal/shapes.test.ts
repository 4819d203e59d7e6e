import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch, rowsOf } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { dtypes } from '../support/dtypes.js';
import { focalRow, weightOf } from '../support/oracle.js';

const ROWS = Array.from({ length: 17 }, (_, i) => i + 1);
const CLASSES = Array.from({ length: 39 }, (_, i) => i + 2);

const losses = [
  { gamma: 2, labelSmoothing: 0, alpha: 0.25 },
  { gamma: 0.5, labelSmoothing: 0.1, alpha: null },
];

describe.each(dtypes)('$name', (dtype) => {
  // Float64 is held to its bound by the golden vectors; here the oracle, itself float64, is the
  // less exact one.
  const tolerance = dtype.name === 'float32' ? dtype.bound(2) : 1e-13;

  it.each(losses)('is right for every C from 2 to 40, $gamma', (options) => {
    const { alpha, gamma, labelSmoothing } = options;
    const criterion = new FocalLoss({ ...options, reduction: 'none' });
    for (const classes of CLASSES) {
      const { rows, logits, targets } = randomBatch(dtype, 17, classes, classes);
      const { value, grad } = criterion.valueAndGrad(logits, targets);
      for (let i = 0; i < rows; i++) {
        const weight = weightOf(alpha, targets[i]);
        const row = logits.subarray(i * classes, (i + 1) * classes);
        const expected = focalRow(row, targets[i], { weight, gamma, labelSmoothing });
        expect(Math.abs(value[i] - expected.value)).toBeLessThanOrEqual(tolerance * expected.value);
        expected.grad.forEach((entry, j) => {
          expect(Math.abs(grad[i * classes + j] - entry)).toBeLessThanOrEqual(
            tolerance * expected.scale,
          );
        });
      }
    }
  });

  it.each(losses)(
    'gives a row the same bits alone and in every batch of 1 to 17, $gamma',
    (options) => {
      const criterion = new FocalLoss({ ...options, reduction: 'none' });
      for (const classes of CLASSES) {
        const batch = randomBatch(dtype, 17, classes, classes);
        const values = dtype.zeros(17);
        const grads = dtype.zeros(17 * classes);
        for (let i = 0; i < 17; i++) {
          const { logits, targets } = rowsOf(batch, i, i + 1);
          const { value, grad } = criterion.valueAndGrad(logits, targets);
          values.set(value, i);
          grads.set(grad, i * classes);
        }
        for (const rows of ROWS) {
          const where = `[${rows}, ${classes}]`;
          const { logits, targets } = rowsOf(batch, 0, rows);
          const { value, grad } = criterion.valueAndGrad(logits, targets);
          expectSameBits(value, values.subarray(0, rows), where);
          expectSameBits(grad, grads.subarray(0, rows * classes), where);
          expectSameBits(criterion.forward(logits, targets), value, where);
          expectSameBits(criterion.backward(logits, targets), grad, where);
        }
      }
    },
  );

  it('takes views at any offset and touches nothing beside the gradient', () => {
    const criterion = new FocalLoss();
    for (const classes of [2, 3, 8]) {
      const { rows, logits, targets } = randomBatch(dtype, 7, classes, 5);
      const expected = criterion.valueAndGrad(logits, targets);
      for (let offset = 0; offset < 9; offset++) {
        const size = logits.length;
        const around = dtype.zeros(size + 16).fill(7);
        around.set(logits, offset);
        const indices = new Uint16Array(rows + 16).fill(999);
        indices.set(targets, offset);
        const buffer = dtype.zeros(size + 16).fill(9);
        const { value, grad } = criterion.valueAndGrad(
          around.subarray(offset, offset + size),
          indices.subarray(offset, offset + rows),
          { grad: buffer.subarray(offset, offset + size) },
        );
        expect(value).toBe(expected.value);
        expectSameBits(grad, expected.grad, `offset ${offset}`);
        expect([...buffer.subarray(0, offset), ...buffer.subarray(offset + size)]).toEqual(
          Array(16).fill(9),
        );
      }
    }
  });
});
