import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { expectClose } from '../support/accuracy.js';
import { randomBatch } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';

const gamma = 2;
const perRow = new FocalLoss({ gamma, reduction: 'none' });

describe.each(dtypes)('$name', (dtype) => {
  it.each([2, 3, 10, 40])(
    'does not change when all logits of a row move by the same, C %i',
    (classes) => {
      // Multiples of 1/16, so that moving them by these amounts is exact in float32.
      const { logits, targets } = randomBatch(dtype, 13, classes, 3, 128);
      const plain = logits.map((x) => Math.round(x) / 16);
      const expected = perRow.valueAndGrad(plain, targets);
      for (const shift of [1, -37, 1024, -(2 ** 15), 2 ** 20 - 8]) {
        const moved = plain.map((x) => x + shift);
        const { value, grad } = perRow.valueAndGrad(moved, targets);
        expectClose(dtype, gamma, value, expected.value);
        expectClose(dtype, gamma, grad, expected.grad);
      }
    },
  );

  it('gives the uniform result for equal logits of any size', () => {
    for (const classes of [2, 5, 33]) {
      const targets = new Int32Array([0, 1]);
      const expected = perRow.valueAndGrad(dtype.zeros(2 * classes), targets);
      for (const size of [1e6, -1e20, 1e30]) {
        const { value, grad } = perRow.valueAndGrad(dtype.zeros(2 * classes).fill(size), targets);
        expectClose(dtype, gamma, value, expected.value);
        expectClose(dtype, gamma, grad, expected.grad);
      }
    }
  });

  it.each([2, 3, 10, 40])('moves with the rows, bit for bit, C %i', (classes) => {
    const { rows, logits, targets } = randomBatch(dtype, 21, classes, 4);
    const order = Array.from({ length: rows }, (_, i) => (i * 8 + 3) % rows);
    expect(new Set(order).size).toBe(rows);
    const plain = perRow.valueAndGrad(logits, targets);
    const moved = perRow.valueAndGrad(
      dtype.array(order.flatMap((i) => [...logits.subarray(i * classes, (i + 1) * classes)])),
      Int32Array.from(order, (i) => targets[i]),
    );
    expect(moved.value).toEqual(dtype.array(order.map((i) => plain.value[i])));
    expect(moved.grad).toEqual(
      dtype.array(order.flatMap((i) => [...plain.grad.subarray(i * classes, (i + 1) * classes)])),
    );
  });
});
