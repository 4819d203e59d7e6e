import fc from 'fast-check';
import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { dtypes } from '../support/dtypes.js';
import { focalRow, weightOf } from '../support/oracle.js';

const logit = fc.oneof(
  fc.double({ min: -8, max: 8, noNaN: true }),
  fc.double({ min: -60, max: 60, noNaN: true }),
  fc.integer({ min: -3, max: 3 }),
);

const batch = fc
  .record({ rows: fc.integer({ min: 1, max: 20 }), classes: fc.integer({ min: 2, max: 48 }) })
  .chain(({ rows, classes }) =>
    fc.record({
      classes: fc.constant(classes),
      logits: fc.array(logit.map(Math.fround), { minLength: rows * classes, maxLength: rows * classes }),
      targets: fc.array(fc.nat(classes - 1), { minLength: rows, maxLength: rows }),
      alpha: fc.oneof(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.constant(null),
        fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: classes, maxLength: classes }),
      ),
      gamma: fc.oneof(fc.constantFrom(0, 0.5, 1, 1.5, 2, 3, 5), fc.double({ min: 0, max: 6, noNaN: true })),
      labelSmoothing: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
      offset: fc.nat(7),
    }),
  );

describe.each(dtypes)('$name', (dtype) => {
  it('agrees with a plain float64 loop on whatever it is given', () => {
    fc.assert(
      fc.property(batch, ({ classes, logits, targets, alpha, gamma, labelSmoothing, offset }) => {
        const criterion = new FocalLoss({ alpha, gamma, labelSmoothing, reduction: 'none' });
        const array = dtype.array([...Array(offset).fill(0), ...logits]).subarray(offset);
        const { value, grad } = criterion.valueAndGrad(array, Uint8Array.from(targets));
        // In float64 the loop, not the contract, sets the limit.
        const bound = dtype.name === 'float32' ? dtype.bound(gamma) : 1e-13 * (1 + gamma);
        targets.forEach((target, i) => {
          const row = logits.slice(i * classes, (i + 1) * classes);
          const weight = weightOf(alpha, target);
          const expected = focalRow(row, target, { weight, gamma, labelSmoothing });
          // Below the normal range there is only so much precision, which the weight multiplies.
          const floor = dtype.smallest * (1 + weight);
          expect(Math.abs(value[i] - expected.value)).toBeLessThanOrEqual(bound * expected.value + floor);
          expected.grad.forEach((entry, j) => {
            const scale = labelSmoothing === 0 ? Math.abs(entry) : expected.scale;
            expect(Math.abs(grad[i * classes + j] - entry)).toBeLessThanOrEqual(bound * scale + floor);
          });
        });
      }),
      { numRuns: 500, seed: 5 },
    );
  });
});
