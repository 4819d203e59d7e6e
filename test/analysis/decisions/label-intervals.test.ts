import {
  AsymmetricLoss,
  type ClassificationReport,
  chooseThreshold,
  classificationReport,
  classificationReportAsync,
  type Interval,
  type ReportIntervals,
  ReportMeter,
  type ReportOptions,
  rocCurve,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../../support/failure.js';
import { generator } from '../../support/random.js';

const LABELS = 3;
const ROWS = 60;
const criterion = new SigmoidFocalLoss({ numClasses: LABELS, ignoreIndex: -1 });

/** Visits of patients; some labels do not count, and those of a row not at all. */
function makeVisits() {
  const random = generator(21);
  const groups = Int32Array.from({ length: ROWS }, (_, row) => Math.floor((row * 7) / 15));
  const targets = Int8Array.from({ length: ROWS * LABELS }, () => Number(random() < 0.4));
  const logits = Float64Array.from(
    targets,
    (target) => Math.round(16 * (2 * random() - 1 + target)) / 8 - 0.5,
  );
  for (const element of [4, 17, 100, 3 * 9, 3 * 9 + 1, 3 * 9 + 2]) targets[element] = -1;
  const sampleWeights = Float64Array.from(groups, (_, row) => 1 + (row % 3));
  return { logits, targets, groups, sampleWeights };
}

const { logits, targets, groups, sampleWeights } = makeVisits();

/** The package's generator, xoshiro128** from a state of splitmix32, with whole numbers. */
function* integers(seed: number): Generator<bigint> {
  const mask = 0xffffffffn;
  let mixed = BigInt(seed);
  const mix = () => {
    mixed = (mixed + 0x9e3779b9n) & mask;
    let bits = mixed ^ (mixed >> 16n);
    bits = (bits * 0x21f0aaadn) & mask;
    bits ^= bits >> 15n;
    bits = (bits * 0x735a2d97n) & mask;
    return bits ^ (bits >> 15n);
  };
  let [a, b, c, d] = [mix(), mix(), mix(), mix() | 1n];
  const turn = (x: bigint, by: bigint) => ((x << by) | (x >> (32n - by))) & mask;
  for (;;) {
    yield (turn((b * 5n) & mask, 7n) * 9n) & mask;
    const shifted = (b << 9n) & mask;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = turn(d, 11n);
  }
}

/** Every figure of a report that has an interval, with this. */
function figuresOf(report: ClassificationReport, intervals?: ReportIntervals) {
  const scores = ['precision', 'recall', 'specificity', 'f1', 'fBeta'] as const;
  const { calibration } = report;
  return [
    ...(
      [
        'accuracy',
        'hammingLoss',
        'auc',
        'weightedAuc',
        'averagePrecision',
        'logLoss',
        'brier',
      ] as const
    ).map((name) => [name, report[name], intervals?.[name]] as const),
    ['calibrationError', calibration.expectedError, intervals?.calibrationError] as const,
    ...(['macro', 'weighted', 'micro', 'samples'] as const).flatMap((average) =>
      scores.map(
        (name) =>
          [
            `${average} ${name}`,
            report[average]?.[name] as number,
            intervals?.[average]?.[name],
          ] as const,
      ),
    ),
    ...report.classes.flatMap((own, j) =>
      [...scores, 'auc' as const, 'averagePrecision' as const].map(
        (name) => [`${name} of ${j}`, own[name], intervals?.classes[j]?.[name]] as const,
      ),
    ),
  ];
}

function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(place)] as number, sorted[Math.ceil(place)] as number];
  return below + (above - below) * (place - Math.floor(place));
}

describe('intervals of multi-label rows', () => {
  it.each([
    ['rows', {}, {}],
    ['groups', { groups }, {}],
    ['rows with weights', {}, { sampleWeights }],
    [
      'groups with weights, of labels that occur',
      { groups },
      { sampleWeights, averageOver: 'present', zeroDivision: NaN, beta: 2 },
    ],
  ] as const)(
    'are those of reports on the resamples, of %s',
    (_, drawn, options: ReportOptions) => {
      const wanted = { level: 0.9, repeats: 40, seed: 11, method: 'percentile', ...drawn } as const;
      const report = classificationReport(logits, targets, {
        criterion,
        ...options,
        intervals: wanted,
      });
      expect(report.intervals).toMatchObject({
        level: 0.9,
        repeats: 40,
        seed: 11,
        method: 'percentile',
      });
      // Row 9 has no label that counts: it is not there.
      const rows = Array.from({ length: ROWS }, (_, row) => row).filter((row) => row !== 9);
      const units =
        'groups' in drawn
          ? [...new Set(groups)].map((group) => rows.filter((row) => groups[row] === group))
          : rows.map((row) => [row]);
      const numbers = integers(11);
      const found = Array.from({ length: 40 }, () => {
        const resample = units.flatMap(() => {
          const next = numbers.next().value as bigint;
          return units[Number((next * BigInt(units.length)) >> 32n)] as number[];
        });
        const own = <A extends Float64Array | Int8Array>(array: A) =>
          resample.flatMap((row) => [...array.subarray(row * LABELS, (row + 1) * LABELS)]);
        const weights =
          options.sampleWeights && resample.map((row) => sampleWeights[row] as number);
        return figuresOf(
          classificationReport(Float64Array.from(own(logits)), Int8Array.from(own(targets)), {
            criterion,
            ...options,
            ...(weights ? { sampleWeights: weights } : {}),
          }),
        );
      });
      const figures = figuresOf(report, report.intervals);
      expect(figures).toHaveLength(8 + 20 + 21);
      figures.forEach(([name, , interval], i) => {
        const sorted = found.map((all) => all[i]?.[1] as number).sort((a, b) => a - b);
        expect(interval?.low, `${name}, low`).toBeCloseTo(quantile(sorted, 0.05), 12);
        expect(interval?.high, `${name}, high`).toBeCloseTo(quantile(sorted, 0.95), 12);
      });
      for (const name of ['balancedAccuracy', 'topKAccuracy', 'mcc', 'kappa'] as const)
        expect(report.intervals?.[name]).toEqual({ low: NaN, high: NaN });
    },
  );

  it('hold the figures, by BCa, in turns as well, and change nothing else', async () => {
    const options: ReportOptions = { criterion, intervals: { repeats: 200, level: 0.99, groups } };
    const report = classificationReport(logits, targets, options);
    for (const [name, value, interval] of figuresOf(report, report.intervals)) {
      if (name === 'calibrationError') continue;
      expect(interval?.low, name).toBeLessThanOrEqual(value);
      expect(interval?.high, name).toBeGreaterThanOrEqual(value);
    }
    expect(await classificationReportAsync(logits, targets, options)).toEqual(report);
    const plain = classificationReport(logits, targets, { criterion });
    expect({ ...report, intervals: undefined }).toEqual(plain);
  });

  it('are the same of a model that learned with an AsymmetricLoss, as are curves and meters', () => {
    const other = new AsymmetricLoss({ numClasses: LABELS, ignoreIndex: -1 });
    const options = { intervals: { repeats: 5 } };
    expect(classificationReport(logits, targets, { criterion: other, ...options })).toEqual(
      classificationReport(logits, targets, { criterion, ...options }),
    );
    for (const curve of [rocCurve, chooseThreshold]) {
      expect(curve(logits, targets, { criterion: other, positive: 'each' })).toEqual(
        curve(logits, targets, { criterion, positive: 'each' }),
      );
    }
    const single = new AsymmetricLoss({ ignoreIndex: -1 });
    const meter = new ReportMeter({ criterion: single }).update(logits, targets);
    expect(meter.result()).toEqual(
      new ReportMeter({ numClasses: 1, ignoreIndex: -1 }).update(logits, targets).result(),
    );
  });

  it('are in the text', () => {
    const text = `${classificationReport(logits, targets, { criterion, intervals: { repeats: 20 } })}`;
    expect(text).toMatch(/^95 % intervals +figure +from +to$/m);
    expect(text).toMatch(/^rows with all labels right( +\d\.\d{4}){3}$/m);
    expect(text).toMatch(/^Hamming loss( +\d\.\d{4}){3}$/m);
    expect(text).not.toMatch(/balanced|kappa|NaN/);
  });

  it('of labels all of one kind, and of none, are what can be told', () => {
    const all = (options: ReportOptions = {}) =>
      classificationReport(Float64Array.of(1, -1, 2, -2), Uint8Array.of(1, 1, 1, 1), {
        criterion: new SigmoidFocalLoss({ numClasses: 2 }),
        intervals: { repeats: 20 },
        ...options,
      }).intervals as ReportIntervals;
    const nothing: Interval = { low: NaN, high: NaN };
    expect(all().auc).toEqual(nothing);
    expect(all().classes[0]?.recall).toEqual({ low: 1, high: 1 });
    expect(all().classes[1]?.recall).toEqual({ low: 0, high: 0 });
    expect(all({ ignoreIndex: 1 }).accuracy).toEqual(nothing);
    const { intervals } = classificationReport(
      Float64Array.of(NaN, -1, 2, -2),
      Uint8Array.of(1, 0, 0, 1),
      {
        criterion: new SigmoidFocalLoss({ numClasses: 2 }),
        intervals: { repeats: 20 },
      },
    );
    expect(intervals?.logLoss).toEqual(nothing);
    expect(intervals?.classes[0]?.auc).toEqual(nothing);
    expect(Number.isNaN(intervals?.classes[1]?.auc.low)).toBe(false);
    expect(Number.isNaN(intervals?.hammingLoss.low)).toBe(false);
  });

  it('errors', () => {
    expectFailure(
      () => classificationReport(logits, targets, { criterion, intervals: { groups: [1] } }),
      RangeError,
      'groups must have one entry per row, 60, got 1',
    );
    expectFailure(
      () => classificationReport(logits, targets, { criterion, sampleWeights: [1], intervals: {} }),
      RangeError,
      'sampleWeights must have one entry per row, 60, got 1',
    );
  });
});
