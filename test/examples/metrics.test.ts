import { describe, expect, it } from 'vitest';
import { evaluate, meanAndDeviation, predict } from '../../examples/train/metrics.js';

describe('metrics', () => {
  it('agree with a count by hand', () => {
    // Class 1: four rows, three of them found; five rows called class 1. Six of nine right.
    const targets = Int32Array.of(1, 1, 1, 1, 0, 0, 0, 0, 2);
    const predictions = Int32Array.of(1, 1, 1, 0, 1, 1, 0, 0, 2);
    const metrics = evaluate(predictions, targets);
    expect(metrics.accuracy).toBeCloseTo(6 / 9, 12);
    expect(metrics.recall).toBeCloseTo(3 / 4, 12);
    expect(metrics.precision).toBeCloseTo(3 / 5, 12);
    expect(metrics.f1).toBeCloseTo((2 * (3 / 4) * (3 / 5)) / (3 / 4 + 3 / 5), 12);
  });

  it('are 0, not NaN, where no row is called class 1', () => {
    expect(evaluate(Int32Array.of(0, 0), Int32Array.of(0, 1))).toEqual({
      accuracy: 0.5,
      recall: 0,
      precision: 0,
      f1: 0,
    });
  });

  it('take the class of the largest logit', () => {
    expect([...predict(Float32Array.of(2.5, -1, 0.5, 0.75, -1, 2), 2)]).toEqual([0, 1, 1]);
    expect([...predict(Float32Array.of(1, 2, 3, 3, 2, 1), 3)]).toEqual([2, 0]);
  });

  it('are averaged with the sample deviation', () => {
    const { mean, deviation } = meanAndDeviation([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(mean).toBe(5);
    expect(deviation).toBeCloseTo(Math.sqrt(32 / 7), 12);
  });
});
