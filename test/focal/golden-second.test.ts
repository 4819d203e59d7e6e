import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.js';
import { dtypes } from '../support/dtypes.js';
import { golden, largestOf, type SecondCase } from '../support/golden.js';

/** The largest difference between two logits of a row. */
function spread(row: number[]): number {
  return Math.max(...row) - Math.min(...row);
}

// The contract says nothing of second derivatives. In float32, which is computed in float64, they
// keep within its bound, relative to the largest of a row's; in float64 they take up to twice that.

describe.each(dtypes)('$name', (dtype) => {
  const cases = golden<SecondCase>('focal-second');
  const share = dtype.name === 'float32' ? 1 : 2;

  it('hessianDiag', () => {
    expect(cases).toHaveLength(30);
    const accuracy = new Accuracy(dtype);
    let checked = 0;
    for (const { alpha, gamma, labelSmoothing, logits, targets, classes, hessianDiag } of cases) {
      const criterion = new FocalLoss({ alpha, gamma, labelSmoothing, reduction: 'none' });
      const actual = criterion.hessianDiag(dtype.array(logits.flat()), Int32Array.from(targets));
      hessianDiag.forEach((row, i) => {
        row.forEach((expected, j) => {
          const where = `[${j}], gamma ${gamma}, smoothing ${labelSmoothing}, logits ${logits[i]}, target ${targets[i]}`;
          checked++;
          accuracy.add(
            where,
            actual[i * classes + j],
            expected,
            share * dtype.bound(gamma),
            largestOf(row),
          );
        });
      });
    }
    accuracy.report('hessianDiag', checked);
  });

  it('gammaGrad', () => {
    const accuracy = new Accuracy(dtype);
    let checked = 0;
    for (const { alpha, gamma, labelSmoothing, logits, targets, gammaGrad } of cases) {
      const criterion = new FocalLoss({ alpha, gamma, labelSmoothing, reduction: 'none' });
      const actual = criterion.gammaGrad(dtype.array(logits.flat()), Int32Array.from(targets));
      gammaGrad.forEach((expected, i) => {
        const where = `gamma ${gamma}, smoothing ${labelSmoothing}, logits ${logits[i]}, target ${targets[i]}`;
        // The effect on exp(-crossEntropy) of the rounding of a large cross-entropy, which
        // smoothing makes a sum.
        const gap = dtype.name === 'float64' && labelSmoothing > 0 ? spread(logits[i]) : 0;
        checked++;
        accuracy.add(where, actual[i], expected, dtype.bound(gamma) * (1 + gap));
      });
    }
    accuracy.report('gammaGrad', checked);
  });
});
