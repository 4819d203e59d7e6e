import { describe, expect, it } from 'vitest';
import { applyCut, chooseCut, thresholdOf } from '../../examples/compare/threshold.js';
import { evaluate, predict } from '../../examples/train/metrics.js';
import { Random } from '../../examples/train/random.js';

/** F1 of class 1 with a cut. */
function f1With(cut: number, logits: Float32Array, targets: Int32Array, classes: number): number {
  return evaluate(predict(Float32Array.from(applyCut(logits, classes, cut)), classes), targets).f1;
}

describe('the threshold', () => {
  it('is the probability in the middle between two rows', () => {
    const logits = Float32Array.of(0, -3, 0, -2, 0, -1, 0, 4);
    const cut = chooseCut(logits, Int32Array.of(0, 0, 1, 1), 2);
    expect(cut).toBe(-1.5);
    expect(thresholdOf(cut)).toBeCloseTo(1 / (1 + Math.exp(1.5)), 15);
    expect([...applyCut(logits, 2, cut)]).toEqual([0, -1.5, 0, -0.5, 0, 0.5, 0, 5.5]);
  });

  it('is the one nearest to 0.5 of those that are equally good', () => {
    // The choice is the first of two rows of class 1 alone, or both with two others in between: F1
    // is 2 / 3.
    const targets = Int32Array.of(1, 0, 0, 1);
    const upper = Float32Array.of(0, 2, 0, 1, 0, 0.5, 0, -1);
    expect(f1With(1.5, upper, targets, 2)).toBe(f1With(-2, upper, targets, 2));
    expect(chooseCut(upper, targets, 2)).toBe(1.5);
    expect(chooseCut(Float32Array.of(0, 4, 0, 1, 0, 0.5, 0, -1), targets, 2)).toBe(-2);
  });

  it('does not part equal rows', () => {
    const logits = Float32Array.of(0, 1, 0, 1, 0, 1, 0, -1);
    expect(chooseCut(logits, Int32Array.of(1, 0, 1, 0), 2)).toBe(0);
  });

  it.each([2, 3])('has the best F1 of all cuts, with %i classes', (classes) => {
    const random = new Random(classes);
    for (let trial = 0; trial < 20; trial++) {
      const targets = Int32Array.from({ length: 40 }, () => Math.floor(classes * random.uniform()));
      const logits = Float32Array.from({ length: 40 * classes }, () => random.normal());
      const best = f1With(chooseCut(logits, targets, classes), logits, targets, classes);
      for (let cut = -6; cut <= 6; cut += 0.02) {
        expect(f1With(cut, logits, targets, classes)).toBeLessThanOrEqual(best);
      }
    }
  });
});
