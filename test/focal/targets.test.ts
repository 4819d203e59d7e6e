import { type ClassIndices, FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { dtypes, float32 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';

const criterion = new FocalLoss();

const kinds = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
] as const;
const wideKinds = [BigInt64Array, BigUint64Array] as const;

/** The same targets in every kind of array. */
function inEveryKind(targets: Int32Array): ClassIndices[] {
  return [
    ...kinds.map((Kind) => Kind.from(targets)),
    ...wideKinds.map((Kind) => Kind.from([...targets].map(BigInt))),
  ];
}

describe.each(dtypes)('$name', (dtype) => {
  it.each([
    [7, 5],
    [20_000, 100],
  ])('takes every kind of integers, %i rows of %i', (rows, classes) => {
    const { logits, targets } = randomBatch(dtype, rows, classes);
    const expected = criterion.valueAndGrad(logits, targets);
    const all = inEveryKind(targets);
    expect(all).toHaveLength(9);
    for (const same of all) {
      const { value, grad } = criterion.valueAndGrad(logits, same, {
        grad: dtype.zeros(logits.length),
      });
      expect(value).toBe(expected.value);
      expectSameBits(grad, expected.grad, same.constructor.name);
    }
  });
});

/**
 * Kinds of arrays, and values in them that are none of three classes: those that a conversion could
 * make one of.
 */
const bad: [new (length: number) => ClassIndices, (number | bigint)[]][] = [
  [Int8Array, [-1, 3, 127, -128]],
  [Uint8Array, [3, 255]],
  [Uint8ClampedArray, [3, 255]],
  [Int16Array, [-1, 3, 256, -256, 32767]],
  [Uint16Array, [3, 256, 65535]],
  [Int32Array, [-1, 3, 256, 65536, 2147483647, -2147483648]],
  [Uint32Array, [3, 65536, 2147483648, 4294967295]],
  [
    BigInt64Array,
    [
      -1n,
      3n,
      2n ** 31n,
      2n ** 32n,
      2n ** 32n + 1n,
      2n ** 40n,
      -(2n ** 32n),
      -(2n ** 63n),
      2n ** 63n - 1n,
    ],
  ],
  [
    BigUint64Array,
    [3n, 2n ** 31n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 40n, 2n ** 63n, 2n ** 64n - 1n],
  ],
];

describe('a target that is no class', () => {
  // The last row of a batch that goes through the module in one piece, and of one that does not.
  it.each([1, 6, 50_001])('is named with its row, %i rows', (rows) => {
    const logits = new Float32Array(3 * rows);
    const row = rows - 1;
    for (const [Kind, values] of bad) {
      for (const value of values) {
        const targets = new Kind(rows);
        targets[row] = value;
        const message = `targets[${row}] must be a class in [0, 3), got ${value}`;
        const grad = new Float32Array(3 * rows).fill(9);
        expectFailure(() => criterion.forward(logits, targets), RangeError, message);
        expectFailure(() => criterion.backward(logits, targets), RangeError, message);
        expectFailure(() => criterion.valueAndGrad(logits, targets, { grad }), RangeError, message);
        expect(grad.every((entry) => entry === 9)).toBe(true);
      }
    }
  });

  it('is found in every row, and the first one is named', () => {
    for (const rows of [11, 9000]) {
      const { logits } = randomBatch(float32, rows, 2);
      const grad = new Float32Array(2 * rows).fill(9);
      for (let row = 0; row < rows; row += rows === 11 ? 1 : 97) {
        const targets = new Int32Array(rows);
        targets[row] = 2;
        targets[rows - 1] = -1;
        const value = row === rows - 1 ? -1 : 2;
        expectFailure(
          () => criterion.valueAndGrad(logits, targets, { grad }),
          RangeError,
          `targets[${row}] must be a class in [0, 2), got ${value}`,
        );
      }
      expect(grad.every((entry) => entry === 9)).toBe(true);
    }
  });
});
