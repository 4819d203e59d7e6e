import { describe, expect, it } from 'vitest';
import { randomBatch, sum } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { dtypes } from '../support/dtypes.js';
import { type FamilyMember, family, reduced } from '../support/family.js';
import { sampled } from '../support/sample.js';

// A batch goes through the module's memory in pieces, whose size is nobody's business: every result
// must be that of the rows by themselves.

const SHAPES = [
  [5003, 2],
  [4097, 3],
  [531, 64],
  [41, 1000],
  [5, 30_000],
];
/** All that comes with each row is cut up just so. */
const BLOCK = 8;

describe.each(dtypes)('$name', (dtype) => {
  it.each(sampled(SHAPES))(
    'gives the same bits for a batch as for its pieces, [%i, %i]',
    (rows, classes) => {
      const { logits } = randomBatch(dtype, rows, classes, 10);
      for (const { name, ignoring, spoilt, width } of family(dtype, rows, classes)) {
        const perRow = classes / width;
        const sampleWeights = randomBatch(dtype, rows * perRow, 1, 13).logits.map((x) =>
          Math.abs(x),
        );
        const gradOutput = randomBatch(dtype, rows * perRow, 1, 14).logits;
        const whole = ignoring.valueAndGrad(logits, spoilt, { sampleWeights, gradOutput });
        const value = dtype.zeros(rows * perRow);
        const grad = dtype.zeros(rows * classes);
        const targetsPerRow = spoilt.length / rows;
        for (let start = 0; start < rows; start += BLOCK) {
          const end = Math.min(start + BLOCK, rows);
          const piece = ignoring.valueAndGrad(
            logits.subarray(start * classes, end * classes),
            spoilt.subarray(start * targetsPerRow, end * targetsPerRow),
            {
              sampleWeights: sampleWeights.subarray(start * perRow, end * perRow),
              gradOutput: gradOutput.subarray(start * perRow, end * perRow),
            },
          );
          value.set(piece.value, start * perRow);
          grad.set(piece.grad, start * classes);
        }
        expectSameBits(whole.value, value, `values, ${name}`);
        expectSameBits(whole.grad, grad, `gradient, ${name}`);
        expectSameBits(
          ignoring.forward(logits, spoilt, { sampleWeights }),
          value,
          `values alone, ${name}`,
        );
        expectSameBits(
          ignoring.backward(logits, spoilt, {
            sampleWeights,
            gradOutput,
            grad: dtype.zeros(rows * classes),
          }),
          grad,
          `gradient alone, ${name}`,
        );
      }
    },
  );

  it.each(sampled(SHAPES))(
    'adds up the rows, and divides by those that count, [%i, %i]',
    (rows, classes) => {
      const { logits } = randomBatch(dtype, rows, classes, 10);
      for (const member of family(dtype, rows, classes)) {
        const { ignoring, spoilt, name } = member;
        const values = ignoring.forward(logits, spoilt);
        const total = reduced(ignoring, 'sum').valueAndGrad(logits, spoilt);
        const exact = sum(values);
        const rounding = values.length * 2 ** -52 + dtype.epsilon;
        expect(Math.abs(total.value - exact), name).toBeLessThanOrEqual(rounding * exact);
        expect(reduced(ignoring, 'sum').forward(logits, spoilt), name).toBe(total.value);
        const mean = reduced(ignoring, 'mean').valueAndGrad(logits, spoilt);
        const denominator = denominatorOf(member, classes);
        expect(Math.abs(mean.value * denominator - total.value), name).toBeLessThanOrEqual(
          1e-13 * total.value,
        );
        const normalized = reduced(ignoring, 'mean').valueAndGrad(logits, spoilt, {
          normalizer: denominator,
        });
        expect(normalized.value, name).toBe(mean.value);
        expectSameBits(normalized.grad, mean.grad, name);
      }
    },
  );
});

/** The denominator of the mean, in words as plain as can be. */
function denominatorOf({ ignoring, spoilt, name }: FamilyMember, classes: number): number {
  const counted = Array.from(spoilt, Number).filter((target) => target !== ignoring.ignoreIndex);
  if (name === 'cross-entropy, smoothed')
    return sum(counted.map((target) => ((target % 3) + 1) / 4));
  return name.endsWith('soft') ? counted.length / classes : counted.length;
}
