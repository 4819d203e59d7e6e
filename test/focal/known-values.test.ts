import { FocalLoss, type FocalLossOptions } from 'focal-loss';
import { describe, expect, it } from 'vitest';

// The short examples of the page the loss comes from: three rows, two classes.
const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
const targets = new Int32Array([0, 1, 1]);

/**
 * The value that the page's PyTorch class gives, and the exact one: its smoothed targets and some
 * weights went through float32.
 */
const means: [FocalLossOptions<'mean'> & { gamma?: number }, number, number][] = [
  [{}, 0.014456063646326968, 0.014456063646326968],
  [{ labelSmoothing: 0.1 }, 0.016732143631172782, 0.016732143948801795],
  [{ alpha: 0.4, labelSmoothing: 0.1 }, 0.02536764996656872, 0.02536765010561649],
  [{ alpha: 0.1, gamma: 3, labelSmoothing: 0.05 }, 0.002942222682139898, 0.0029422229547522603],
];

describe('the page’s examples', () => {
  it.each(means)('mean with %o', (options, page, exact) => {
    const value = new FocalLoss(options).forward(logits, targets);
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(1e-15 * (1 + (options.gamma ?? 2)) * exact);
    expect(Math.abs(value - page)).toBeLessThanOrEqual(1e-7 * page);
  });

  it('per row', () => {
    const values = new FocalLoss({ reduction: 'none' }).forward(logits, targets);
    // The page's class takes pt from 1, which costs it some digits.
    const page = [1.917132286007065e-5, 0.04332169878499658, 2.732083112424929e-5];
    const exact = [1.9171322860070537e-5, 0.04332169878499658, 2.7320831124249382e-5];
    expect(values).toHaveLength(3);
    for (let i = 0; i < 3; i++) {
      expect(Math.abs(values[i] - exact[i])).toBeLessThanOrEqual(3e-15 * exact[i]);
      expect(Math.abs(values[i] - page[i])).toBeLessThanOrEqual(1e-13 * page[i]);
    }
  });

  it('finds the hard examples, those above the mean', () => {
    const values = new FocalLoss({ reduction: 'none' }).forward(logits, targets);
    const mean = new FocalLoss().forward(logits, targets);
    expect([...values.keys()].filter((i) => values[i] > mean)).toEqual([1]);
  });
});
