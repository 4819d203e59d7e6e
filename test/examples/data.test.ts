import { describe, expect, it } from 'vitest';
import { countClasses, type Part, split, type Table } from '../../examples/train/data.js';
import { Random } from '../../examples/train/random.js';
import { syntheticCohort } from '../../examples/train/synthetic.js';

/**
 * 100 rows of class 0 and 20 of class 1. The first feature tells every row apart, the second is
 * constant.
 */
const table: Table = {
  title: 'a table',
  columns: ['number', 'constant'],
  features: Float64Array.from({ length: 240 }, (_, i) => (i % 2 ? 7 : i / 2)),
  labels: new Int32Array(120).fill(1, 100),
  labelColumn: 'class',
  classes: ['0', '1'],
};

function column({ features }: Part, index: number): number[] {
  return [...features].filter((_, i) => i % 2 === index);
}

describe('a split', () => {
  it('takes the same share of every class and no row twice', () => {
    const { train, test } = split(table, new Random(1), { testShare: 0.3, keepPositives: 1 });
    expect(countClasses(train.targets, 2)).toEqual([70, 14]);
    expect(countClasses(test.targets, 2)).toEqual([30, 6]);
    expect(new Set([...column(train, 0), ...column(test, 0)]).size).toBe(120);
  });

  it('thins class 1 of the training part alone', () => {
    const { train, test } = split(table, new Random(1), { testShare: 0.3, keepPositives: 0.1 });
    expect(countClasses(train.targets, 2)).toEqual([70, 2]);
    expect(countClasses(test.targets, 2)).toEqual([30, 6]);
  });

  it('is the same for the same seed, and another for another', () => {
    const numbers = (seed: number) =>
      column(split(table, new Random(seed), { testShare: 0.3, keepPositives: 1 }).test, 0);
    expect(numbers(1)).toEqual(numbers(1));
    expect(numbers(1)).not.toEqual(numbers(2));
  });

  it('standardises with the training rows alone, and makes a constant column 0', () => {
    const { train, test } = split(table, new Random(3), { testShare: 0.3, keepPositives: 1 });
    const numbers = column(train, 0);
    const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
    const square = numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length;
    expect(mean).toBeCloseTo(0, 6);
    expect(square).toBeCloseTo(1, 6);
    const testMean = column(test, 0).reduce((sum, x) => sum + x, 0) / test.targets.length;
    expect(Math.abs(testMean)).toBeGreaterThan(1e-3);
    expect(new Set([...column(train, 1), ...column(test, 1)])).toEqual(new Set([0]));
  });

  it('leaves a row of every class on both sides, and refuses a class of one row', () => {
    const small = {
      ...table,
      features: table.features.subarray(0, 8),
      labels: Int32Array.of(0, 0, 1, 1),
    };
    const { train, test } = split(small, new Random(1), { testShare: 0.01, keepPositives: 0.01 });
    expect(countClasses(train.targets, 2)).toEqual([1, 1]);
    expect(countClasses(test.targets, 2)).toEqual([1, 1]);
    const single = { ...small, labels: Int32Array.of(0, 0, 0, 1) };
    expect(() => split(single, new Random(1), { testShare: 0.3, keepPositives: 1 })).toThrow(
      'a table: class 1 has one row only; a split into training and test needs two',
    );
  });
});

describe('the synthetic cohort', () => {
  it('has 900 CN and 100 AD, and is the same each time', () => {
    const cohort = syntheticCohort();
    expect(cohort.classes).toEqual(['CN', 'AD']);
    expect(countClasses(cohort.labels, 2)).toEqual([900, 100]);
    expect(cohort.features.length).toBe(1000 * cohort.columns.length);
    expect(cohort.features.every(Number.isFinite)).toBe(true);
    expect(syntheticCohort().features).toEqual(cohort.features);
  });

  it('overlaps: no single threshold on the most telling measure separates it', () => {
    const cohort = syntheticCohort();
    const at = cohort.columns.indexOf('words recalled');
    const words = (label: number) =>
      [...cohort.labels.keys()]
        .filter((row) => cohort.labels[row] === label)
        .map((row) => cohort.features[row * cohort.columns.length + at]);
    const mean = (values: number[]) =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(words(1))).toBeLessThan(mean(words(0)));
    expect(words(1).filter((value) => value > mean(words(0))).length).toBeGreaterThan(2);
    expect(words(0).filter((value) => value < mean(words(1))).length).toBeGreaterThan(20);
  });
});
