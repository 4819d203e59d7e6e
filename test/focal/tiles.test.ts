import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { type Batch, randomBatch, rowsOf, sum as total } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { type Dtype, dtypes, float32, float64 } from '../support/dtypes.js';

// A batch goes through the module's memory in pieces, whose size is nobody's business. So these
// tests look at every number of rows up to more than fit at once, or at all rows of batches that
// are far larger.

const perRow = new FocalLoss({ reduction: 'none' });
const sum = new FocalLoss({ reduction: 'sum' });

/** Values and gradients of a batch, eight rows at a time. */
function inSmallPieces(dtype: Dtype, batch: Batch) {
  const value = dtype.zeros(batch.rows);
  const grad = dtype.zeros(batch.rows * batch.classes);
  for (let start = 0; start < batch.rows; start += 8) {
    const { logits, targets } = rowsOf(batch, start, Math.min(start + 8, batch.rows));
    const piece = perRow.valueAndGrad(logits, targets);
    value.set(piece.value, start);
    grad.set(piece.grad, start * batch.classes);
  }
  return { value, grad };
}

describe.each(dtypes)('$name', (dtype) => {
  it.each([
    [2, 4100],
    [10, 3300],
    [1000, 100],
    [20_000, 12],
  ])('gives the same bits for every number of rows, C %i, up to %i', (classes, rows) => {
    const batch = randomBatch(dtype, rows, classes, 6);
    const expected = inSmallPieces(dtype, batch);
    const buffer = dtype.zeros(rows * classes);
    for (let count = 1; count <= rows; count++) {
      const { logits, targets } = rowsOf(batch, 0, count);
      const grad = buffer.subarray(0, count * classes).fill(NaN);
      const { value } = perRow.valueAndGrad(logits, targets, { grad });
      expectSameBits(grad, expected.grad.subarray(0, count * classes), `${count} rows`);
      expectSameBits(value, expected.value.subarray(0, count), `${count} rows`);
    }
  });

  it.each([
    [2, 100_003],
    [3, 70_001],
    [64, 5_002],
    [1000, 501],
    [300_000, 5],
  ])('gives the same bits for a large batch as for its pieces, C %i, %i rows', (classes, rows) => {
    const batch = randomBatch(dtype, rows, classes, 7);
    const expected = inSmallPieces(dtype, batch);
    const { value, grad } = perRow.valueAndGrad(batch.logits, batch.targets);
    expectSameBits(value, expected.value, 'values');
    expectSameBits(grad, expected.grad, 'gradient');
    expectSameBits(perRow.forward(batch.logits, batch.targets), expected.value, 'values alone');
    expectSameBits(perRow.backward(batch.logits, batch.targets), expected.grad, 'gradient alone');
  });

  it.each([2, 7, 500])('gives the same total with and without the gradient, C %i', (classes) => {
    const { logits, targets } = randomBatch(dtype, 20_001, classes, 8);
    const value = sum.forward(logits, targets);
    expect(sum.valueAndGrad(logits, targets).value).toBe(value);
    expect(new FocalLoss().forward(logits, targets)).toBe(value / 20_001);
  });

  it('goes back and forth between small, huge and other shapes', () => {
    const shapes = [
      [3, 2],
      [2, 400_000],
      [5000, 2],
      [1, 1_000_000],
      [3, 2],
      [40, 300],
    ];
    for (const [rows, classes] of shapes) {
      for (const kind of [dtype, float32, float64]) {
        const batch = randomBatch(kind, rows, classes, 9);
        const expected = inSmallPieces(kind, batch);
        const { value, grad } = perRow.valueAndGrad(batch.logits, batch.targets);
        expectSameBits(value, expected.value, `[${rows}, ${classes}]`);
        expectSameBits(grad, expected.grad, `[${rows}, ${classes}]`);
      }
    }
  });
});

it('adds up float32 values in float64, without an error', () => {
  // Losses between 2 ** -7 and 1 have at most 24 + 7 bits, and 20 more for the number of rows:
  // their sum is exact in float64, in whatever order it is formed.
  for (const rows of [5, 64, 4095, 4096, 4097, 9001, 100_000]) {
    const { logits, targets } = randomBatch(float32, rows, 2, 10, 0.25);
    const criterion = new FocalLoss({ gamma: 0.5, alpha: null, reduction: 'sum' });
    const values = criterion.with({ reduction: 'none' }).forward(logits, targets);
    expect(Math.min(...values.subarray(0, 1000))).toBeGreaterThan(2 ** -7);
    expect(Math.max(...values.subarray(0, 1000))).toBeLessThan(1);
    expect(criterion.forward(logits, targets)).toBe(total(values));
  }
});
