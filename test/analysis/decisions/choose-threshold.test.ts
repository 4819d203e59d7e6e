import {
  type ChooseThresholdOptions,
  chooseThreshold,
  type LeastFigures,
  rocCurve,
  SigmoidFocalLoss,
  softmax,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../../support/failure.js';
import { generator } from '../../support/random.js';

/** Rows of two classes, in steps that make ties. */
function batch(rows: number, seed: number) {
  const random = generator(seed);
  const logits = Float64Array.from({ length: 2 * rows }, () => Math.round(16 * random()) / 8);
  const targets = Uint8Array.from({ length: rows }, (_, row) => {
    const odds = (logits[2 * row + 1] as number) - (logits[2 * row] as number);
    return Number(random() < 1 / (1 + Math.exp(1 - 2 * odds)));
  });
  const weights = Float64Array.from({ length: rows }, () => Math.floor(4 * random()) / 2);
  return { logits, targets, weights };
}

/** The figure that decides, by the formula. */
function worth(
  options: ChooseThresholdOptions,
  tp: number,
  fp: number,
  fn: number,
  tn: number,
): number {
  const { by = 'f1', beta = 1, costs } = options;
  if (by === 'cost') {
    const {
      falsePositive = 0,
      falseNegative = 0,
      truePositive = 0,
      trueNegative = 0,
    } = costs ?? {};
    const cost = falsePositive * fp + falseNegative * fn + truePositive * tp + trueNegative * tn;
    return -cost / (tp + fp + fn + tn);
  }
  if (by === 'youden') return tp / (tp + fn) + tn / (tn + fp) - 1;
  if (by === 'balanced-accuracy') return (tp / (tp + fn) + tn / (tn + fp)) / 2;
  const square = by === 'f-beta' ? beta ** 2 : 1;
  if (square === Infinity) return tp / (tp + fn);
  // 0 / 0, of no row that is taken for the class, is 0.
  return tp === 0 ? 0 : ((1 + square) * tp) / ((1 + square) * tp + square * fn + fp);
}

const tasks: [string, ChooseThresholdOptions<number>][] = [
  ['F1', {}],
  ['F2', { by: 'f-beta', beta: 2 }],
  ['F of recall alone', { by: 'f-beta', beta: 1e200 }],
  ["Youden's index", { by: 'youden' }],
  ['balanced accuracy', { by: 'balanced-accuracy' }],
  ['cost', { by: 'cost', costs: { falsePositive: 1, falseNegative: 4 } }],
  [
    'all costs',
    {
      by: 'cost',
      costs: { falsePositive: 3, falseNegative: 4, truePositive: 1, trueNegative: 0.5 },
    },
  ],
  ['precision at a recall', { by: 'f-beta', beta: 0, atLeast: { recall: 0.8 } }],
  ['precision alone', { by: 'f-beta', beta: 0 }],
  ['F1 at a specificity', { atLeast: { specificity: 0.7 } }],
  [
    'recall at a precision',
    { by: 'f-beta', beta: 100, atLeast: { precision: 0.6, specificity: 0.1 } },
  ],
];

type Counts = [number, number, number, number];

/** Rows by what is right about them and by what they are taken for, at any threshold. */
function counter(logits: Float64Array, targets: Uint8Array, weights: Float64Array | undefined) {
  const p = softmax(logits, 2).filter((_, k) => k % 2 === 1);
  const countsAt = (threshold: number): Counts => {
    const counts: Counts = [0, 0, 0, 0];
    for (const [row, target] of targets.entries()) {
      const cell = (p[row] as number) >= threshold ? 1 - target : 2 + (1 - target);
      counts[cell] = (counts[cell] as number) + (weights?.[row] ?? 1);
    }
    return counts;
  };
  return { thresholds: [Infinity, ...p], countsAt };
}

function isAllowed(
  [tp, fp, fn, tn]: Counts,
  { recall = 0, precision, specificity = 0 }: LeastFigures,
): boolean {
  const isPrecise = precision === undefined || tp / (tp + fp) >= precision;
  return isPrecise && tp / (tp + fn) >= recall && tn / (tn + fp) >= specificity;
}

describe.each([
  ['plain', false],
  ['weighted', true],
] as const)('every threshold tried, %s', (_, isWeighted) => {
  it.each(tasks)('%s', (_, options) => {
    for (let seed = 1; seed <= 12; seed++) {
      const { logits, targets, weights } = batch(40, seed);
      const sampleWeights = isWeighted ? weights : undefined;
      const { thresholds, countsAt } = counter(logits, targets, sampleWeights);
      const allowed = thresholds
        .map(countsAt)
        .filter((counts) => isAllowed(counts, options.atLeast ?? {}));
      const choose = () => chooseThreshold(logits, targets, { ...options, sampleWeights });
      if (allowed.length === 0) {
        expect(choose).toThrow(/^atLeast must be had at some threshold/);
        continue;
      }
      const best = Math.max(...allowed.map((counts) => worth(options, ...counts)));
      const choice = choose();
      const [tp, fp, fn, tn] = countsAt(choice.threshold);
      const { truePositives, falsePositives, falseNegatives, trueNegatives } = choice;
      expect([truePositives, falsePositives, falseNegatives, trueNegatives]).toEqual([
        tp,
        fp,
        fn,
        tn,
      ]);
      expect(Math.abs(worth(options, tp, fp, fn, tn) - best)).toBeLessThan(1e-14);
      expect(options.by === 'cost' ? -choice.value : choice.value).toBeCloseTo(best, 13);
      expect(choice.recall).toBe(tp / (tp + fn));
      expect(choice.precision).toBe(tp / (tp + fp));
      expect(choice.specificity).toBe(tn / (tn + fp));
      expect(choice.f1).toBe((2 * tp) / (2 * tp + fp + fn));
      expect(choice.accuracy).toBe((tp + tn) / (tp + fp + fn + tn));
      expect(choice.balancedAccuracy).toBeCloseTo((tp / (tp + fn) + tn / (tn + fp)) / 2, 15);
    }
  });
});

describe('thresholds', () => {
  const odds = Float64Array.of(-3, -2, -1, -0.5, 1, 2);
  const targets = Uint8Array.of(0, 0, 1, 0, 1, 1);

  it('lie halfway between the rows that they part, at 0 below all and at Infinity above', () => {
    const { curve } = chooseThreshold(odds, targets);
    const p = Array.from(odds, (x) => 1 / (1 + Math.exp(-x))).reverse();
    expect(curve.thresholds.length).toBe(7);
    expect(curve.thresholds[0]).toBe(Infinity);
    expect(curve.thresholds[6]).toBe(0);
    for (let i = 1; i < 6; i++) {
      expect(curve.thresholds[i]).toBeCloseTo(((p[i - 1] as number) + (p[i] as number)) / 2, 15);
    }
    expect(curve.precision[0]).toBeNaN();
    expect(curve.recall).toEqual(Float64Array.of(0, 1 / 3, 2 / 3, 2 / 3, 1, 1, 1));
    const whole = rocCurve(odds, targets, { dropIntermediate: false });
    expect(curve.recall).toEqual(whole.truePositiveRate);
    for (const [i, rate] of whole.falsePositiveRate.entries())
      expect(curve.specificity[i]).toBeCloseTo(1 - rate, 15);
  });

  it('do not part rows whose probabilities are the same, though their logits are not', () => {
    const sure = Float64Array.of(50, 60, 70, -1);
    const { curve, threshold } = chooseThreshold(sure, Uint8Array.of(0, 1, 1, 0));
    expect(curve.thresholds.length).toBe(3);
    expect(threshold).toBeGreaterThan(0.6);
    expect(threshold).toBeLessThan(1);
    const next = Float64Array.of(36, 37, 36.5, -1);
    for (const x of chooseThreshold(next, Uint8Array.of(0, 1, 1, 0)).curve.thresholds)
      expect(x).not.toBeNaN();
  });

  it('the highest of those that are equally good', () => {
    const { threshold } = chooseThreshold(odds, targets, {
      by: 'cost',
      costs: { falsePositive: 0, falseNegative: 0 },
    });
    expect(threshold).toBe(Infinity);
  });

  it('one for each class, and each label', () => {
    const logits = Float64Array.of(1, 2, 0, 0, 1, 2, 2, 0, 1, 1, 0, 0);
    const three = Uint8Array.of(1, 2, 0, 0);
    const each = chooseThreshold(logits, three, { positive: 'each', by: 'youden' });
    expect(each.map(({ positive }) => positive)).toEqual([0, 1, 2]);
    for (const choice of each) {
      const own = softmax(logits, 3).filter((_, k) => k % 3 === choice.positive);
      const found = own.filter(
        (p, row) => p >= choice.threshold && three[row] === choice.positive,
      ).length;
      expect(found).toBe(choice.truePositives);
    }
    const criterion = new SigmoidFocalLoss({ numClasses: 3 });
    const labels = Uint8Array.of(1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0);
    const byLabel = chooseThreshold(logits, labels, { criterion, positive: 'each' });
    expect(byLabel.length).toBe(3);
    const column = (array: Float64Array | Uint8Array) =>
      Array.from(array).filter((_, k) => k % 3 === 1);
    const single = chooseThreshold(column(logits), column(labels), { numClasses: 1 });
    expect({ ...byLabel[1] }).toEqual({ ...single, positive: 1 });
  });

  it('one class alone, where a figure can be given', () => {
    const costs = { falsePositive: 1, falseNegative: 1 };
    expect(chooseThreshold(odds, new Uint8Array(6), { by: 'cost', costs }).threshold).toBe(
      Infinity,
    );
    expect(chooseThreshold(odds, new Uint8Array(6).fill(1), { by: 'cost', costs }).threshold).toBe(
      0,
    );
    expect(chooseThreshold(odds, new Uint8Array(6).fill(1)).f1).toBe(1);
    // Figures that would be 0 / 0 are NaN.
    const none = chooseThreshold(odds, new Uint8Array(6), { by: 'cost', costs });
    expect([none.recall, none.f1, none.balancedAccuracy]).toEqual([NaN, NaN, NaN]);
    expect([none.accuracy, none.specificity, none.value]).toEqual([1, 1, 0]);
    const precise = chooseThreshold(odds, targets, { by: 'f-beta', beta: 0 });
    expect([precise.value, precise.precision, precise.curve.values[0]]).toEqual([1, 1, 0]);
  });

  it('as text', () => {
    expect(`${chooseThreshold(odds, targets)}`).toBe(
      [
        'threshold for class 1  0.1941',
        'f1                     0.8571',
        'recall                 1.0000',
        'precision              0.7500',
        'specificity            0.6667',
        'F1                     0.8571',
        'balanced accuracy      0.8333',
        'accuracy               0.8333',
      ].join('\n'),
    );
  });

  const choose = (changes: object, y = targets) =>
    chooseThreshold(odds, y, changes as ChooseThresholdOptions<number>);

  it.each([
    [
      () => choose({ by: 'g-mean' }),
      TypeError,
      `by must be 'f1', 'f-beta', 'youden', 'balanced-accuracy' or 'cost', got "g-mean"`,
    ],
    [() => choose({ by: 'f-beta' }), TypeError, "beta must be given for by: 'f-beta'"],
    [() => choose({ beta: -1 }), RangeError, 'beta must be finite and not negative, got -1'],
    [() => choose({ by: 'cost' }), TypeError, "costs must be given for by: 'cost'"],
    [() => choose({ by: 'cost', costs: 3 }), TypeError, 'costs must be an object, got 3'],
    [
      () => choose({ by: 'cost', costs: { falsePositive: 1 } }),
      TypeError,
      'costs.falseNegative must be a number, got undefined',
    ],
    [
      () => choose({ costs: { falsePositive: 1, falseNegative: -1 } }),
      RangeError,
      'costs.falseNegative must be finite and not negative, got -1',
    ],
    [
      () => choose({ costs: { falsePositive: 1, falseNegative: 1, miss: 2 } }),
      TypeError,
      'unknown option "miss"; known are falsePositive, falseNegative, truePositive, trueNegative',
    ],
    [
      () => choose({ atLeast: { recall: 2 } }),
      RangeError,
      'atLeast.recall must be in [0, 1], got 2',
    ],
    [
      () => choose({ atLeast: { f1: 1 } }),
      TypeError,
      'unknown option "f1"; known are recall, precision, specificity',
    ],
    [
      () => choose({ atLeast: { precision: 1, recall: 0.9 } }),
      RangeError,
      'atLeast must be had at some threshold, got a recall of 0.9 and a precision of 1 where the most is a precision of 0.75 with a recall of 0.9',
    ],
    [
      () =>
        choose(
          { atLeast: { recall: 0.5, specificity: 1, precision: 1 } },
          Uint8Array.of(0, 1, 0, 1, 0, 0),
        ),
      RangeError,
      'atLeast must be had at some threshold, got a recall of 0.5 and a precision of 1 and a specificity of 1 where the most is a precision of 0.4 with a recall of 0.5',
    ],
    [
      () => choose({}, new Uint8Array(6)),
      RangeError,
      "targets must have a row of class 1 for by: 'f1', got none",
    ],
    [
      () => choose({ by: 'youden' }, new Uint8Array(6).fill(1)),
      RangeError,
      "targets must have a row that is not of class 1 for by: 'youden', got none",
    ],
    [
      () => choose({ numClasses: 1, ignoreIndex: 0 }, new Uint8Array(6)),
      RangeError,
      'targets must have a row that counts, got none',
    ],
  ] as const)('errors: %#', (call, kind, message) =>
    expectFailure(call, kind as ErrorConstructor, message),
  );
});
