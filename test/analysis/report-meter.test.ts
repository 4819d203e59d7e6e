import {
  AsymmetricLoss,
  type ClassIndices,
  type ClassificationReport,
  classificationReport,
  type FloatArray,
  FocalLoss,
  type LabelScoresState,
  ReportMeter,
  type ReportMeterOptions,
  type ReportMeterState,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';
import { generator } from '../support/random.js';

/** Rows in steps that make ties, some of them without probabilities or with a masked class. */
function batch(rows: number, classes: number, seed: number, areOdd = false) {
  const random = generator(seed);
  const logits = Float64Array.from({ length: rows * classes }, () => Math.round(32 * random()) / 8);
  const targets = Int16Array.from({ length: rows }, () => Math.floor(classes * random()));
  if (areOdd) {
    logits[0] = -Infinity;
    logits[3 * classes] = NaN;
    targets[5] = -1;
  }
  return { logits, targets };
}

/** A report as data, but for what is not rounded once. */
function dataOf(report: ClassificationReport) {
  const { logLoss, brier, calibration, ...exact } = report;
  return { exact: { ...exact }, rounded: [logLoss, brier, calibration] };
}

function expectClose(actual: unknown, expected: unknown): void {
  if (typeof expected === 'number' && Number.isFinite(expected)) {
    expect(Math.abs((actual as number) - expected)).toBeLessThan(1e-13);
  } else if (typeof expected === 'object' && expected !== null) {
    for (const [key, value] of Object.entries(expected))
      expectClose((actual as Record<string, unknown>)[key], value);
  } else expect(actual).toEqual(expected);
}

const shapes = [
  ['two classes', 2, {}],
  ['four classes', 4, { topK: 2, beta: 2, bins: 7, averageOver: 'all' }],
  ['no areas, no matrix', 3, { auc: false, confusion: false, zeroDivision: NaN }],
] as const;

describe.each(shapes)('%s', (_, classes, options: ReportMeterOptions) => {
  const { logits, targets } = batch(90, classes, classes, true);
  const all = { ...options, ignoreIndex: -1 };
  const part = (from: number, to: number) =>
    [logits.subarray(classes * from, classes * to), targets.subarray(from, to)] as const;

  it('is the report: what is counted the same, what is added up within its rounding', () => {
    for (const [x, y] of [part(0, 90), part(6, 90)]) {
      const found = new ReportMeter(all).update(x, y).result();
      const expected = classificationReport(x, y, all);
      expect(dataOf(found).exact).toEqual(dataOf(expected).exact);
      expectClose(dataOf(found).rounded, dataOf(expected).rounded);
      expect(`${found}`).toBe(`${expected}`);
    }
  });

  it('has the same bits however the rows are split, merged and sent', () => {
    expectSameBits(all, part);
  });
});

/** Expects the same bits however 90 rows are split, merged and sent. */
function expectSameBits(
  options: ReportMeterOptions,
  part: (from: number, to: number) => readonly [Float64Array, ClassIndices | FloatArray],
): void {
  const whole = new ReportMeter(options).update(...part(0, 90)).result();
  for (let seed = 1; seed <= 10; seed++) {
    const random = generator(seed);
    const cuts = [0, 90, ...Array.from({ length: 4 }, () => Math.floor(91 * random()))].sort(
      (a, b) => a - b,
    );
    const meters = cuts
      .slice(1)
      .map((end, i) => new ReportMeter(options).update(...part(cuts[i] as number, end)));
    meters.sort(() => random() - 0.5);
    const [first, ...others] = meters.map((meter) =>
      ReportMeter.fromJSON(JSON.parse(JSON.stringify(meter))),
    );
    const merged = others.reduce((meter, other) => meter.merge(other), first as ReportMeter);
    expect(merged.result()).toEqual(whole);
    const again = new ReportMeter(options);
    for (let row = 89; row >= 0; row--) again.update(...part(row, row + 1));
    expect(again.result()).toEqual(whole);
  }
}

describe('a meter', () => {
  const { logits, targets } = batch(40, 2, 9);

  it('adds up without rounding', () => {
    const odds = Float64Array.from({ length: 3000 }, (_, k) => Math.sin(k) * 2 ** (k % 20));
    const labels = Uint8Array.from(odds, (_, k) => k % 2);
    const forward = new ReportMeter({ numClasses: 1 }).update(odds, labels);
    const backward = new ReportMeter({ numClasses: 1 }).update(
      odds.slice().reverse(),
      labels.slice().reverse(),
    );
    expect(backward.result().logLoss).toBe(forward.result().logLoss);
    expect(backward.result().brier).toBe(forward.result().brier);
    expect(forward.result().calibration).toEqual(backward.result().calibration);
    const { logLoss } = classificationReport(odds, labels);
    expect(forward.result().logLoss / logLoss).toBeCloseTo(1, 13);
  });

  it('takes tensors, plain arrays, float32, probabilities and channels first', () => {
    const expected = new ReportMeter().update(logits, targets).result();
    expect(new ReportMeter().update({ data: logits, dims: [40, 2] }, targets).result()).toEqual(
      expected,
    );
    const rows = Array.from(targets, (_, row) => [...logits.subarray(2 * row, 2 * row + 2)]);
    expect(new ReportMeter().update(rows, [...targets]).result()).toEqual(expected);
    const first = logits.map((_, k) => logits[2 * (k % 40) + Math.floor(k / 40)] as number);
    const layout = { numClasses: 2, layout: 'channels-first' } as const;
    expect(new ReportMeter(layout).update(first, targets, { spatialSize: 40 }).result()).toEqual(
      expected,
    );
    const soft = logits.map((_, k) => Number(targets[k >> 1] === k % 2));
    expectClose(
      new ReportMeter({ numClasses: 2 }).update(logits, soft).result().logLoss,
      expected.logLoss,
    );
    const single = new ReportMeter().update(Float32Array.from(logits), targets).result();
    expect(single.confusion).toEqual(expected.confusion);
    expect(single.auc).toBe(expected.auc);
  });

  it('without rows is the report without rows', () => {
    expect(new ReportMeter().result()).toEqual(
      classificationReport(new Float64Array(), new Uint8Array()),
    );
    const three = new ReportMeter({ numClasses: 3 }).update(new Float64Array(), new Uint8Array());
    expect(three.result()).toEqual(
      classificationReport(new Float64Array(), new Uint8Array(), { numClasses: 3 }),
    );
    expect(ReportMeter.fromJSON(JSON.parse(JSON.stringify(three))).result()).toEqual(
      three.result(),
    );
    expect(three.merge(new ReportMeter({ numClasses: 3 })).result().rows).toBe(0);
  });

  it('takes what the rows are from a criterion, as a report does', () => {
    const odds = Float64Array.of(2, -1, 0.5, -2, 1);
    const labels = Int8Array.of(1, 0, 0, -1, 1);
    const single = new SigmoidFocalLoss({ ignoreIndex: -1 });
    const meter = new ReportMeter({ criterion: single });
    const seen = meter.update(odds, labels).result();
    expect(seen).toEqual(
      new ReportMeter({ numClasses: 1, ignoreIndex: -1 }).update(odds, labels).result(),
    );
    expect(seen.rows).toBe(4);
    expect(seen.confusion).toEqual(
      classificationReport(odds, labels, { criterion: single }).confusion,
    );
    const again = ReportMeter.fromJSON(JSON.parse(JSON.stringify(meter)));
    expect(again.result()).toEqual(seen);
    expect(again.merge(new ReportMeter({ numClasses: 1, ignoreIndex: -1 })).result()).toEqual(seen);
    const focal = new FocalLoss({ ignoreIndex: -1, numClasses: 3 });
    expect(new ReportMeter({ criterion: focal }).toJSON().options).toMatchObject({
      ignoreIndex: -1,
      numClasses: 3,
    });
    // A label of several by itself.
    const several = new SigmoidFocalLoss({ ignoreIndex: -1, numClasses: 3 });
    const one = new ReportMeter({ criterion: several, numClasses: 1 }).update(odds, labels);
    expect(one.result()).toEqual(seen);
  });

  it('is left as it was by a batch that is refused', () => {
    const meter = new ReportMeter().update(logits, targets);
    const before = meter.result();
    expect(() =>
      meter.update(
        logits,
        Uint8Array.from(targets, () => 2),
      ),
    ).toThrow(RangeError);
    expect(() => meter.update(new Float64Array(6), new Uint8Array(2))).toThrow(RangeError);
    expect(meter.result()).toEqual(before);
  });

  it('warns of probabilities', () => {
    const meter = new ReportMeter().update(Float64Array.of(0.25, 0.75), Uint8Array.of(1));
    expect(meter.result().warning).toMatch(/^The logits look like probabilities/);
    expect(meter.update(Float64Array.of(2, 1), Uint8Array.of(1)).result().warning).toBeUndefined();
  });

  const meter = new ReportMeter({ bins: 2 }).update(
    Float64Array.of(1, 2, 3, 1),
    Uint8Array.of(1, 1),
  );
  const state = meter.toJSON();
  const restore = (changes: object) =>
    ReportMeter.fromJSON({ ...state, ...changes } as ReportMeterState);

  it.each([
    [
      () => new ReportMeter({ bins: 0 }),
      RangeError,
      'bins must be an integer in [1, 10000], got 0',
    ],
    [
      () => new ReportMeter({ numClasses: 0 }),
      RangeError,
      'numClasses must be an integer in [2, 2147483647], got 0',
    ],
    [
      () => new ReportMeter({ sampleWeights: [1] } as ReportMeterOptions),
      TypeError,
      'unknown option "sampleWeights"; known are numClasses, ignoreIndex, layout, bins, zeroDivision, auc, confusion, averageOver, beta, topK, classNames, criterion',
    ],
    [
      () => new ReportMeter({ criterion: {} as SigmoidFocalLoss }),
      TypeError,
      'criterion must be a loss of this package, got an object',
    ],
    [
      () =>
        new ReportMeter().update(logits, targets).update(new Float64Array(6), new Uint8Array(2)),
      RangeError,
      'rows must have as many logits as those before, 2, got 3',
    ],
    [
      () =>
        new ReportMeter().update(logits, targets).update(new Float64Array(2), new Uint8Array(2)),
      RangeError,
      'rows must have as many logits as those before, 2, got 1',
    ],
    [
      () => new ReportMeter({ classNames: ['a', 'b', 'c'] }).update(logits, targets),
      RangeError,
      'classNames must have one entry per class, 2, got 3',
    ],
    [
      () => new ReportMeter().merge(meter),
      TypeError,
      'other must have the same options: its bins is 2, here 15',
    ],
    [
      () => new ReportMeter().merge(3 as never),
      TypeError,
      'other must be a ReportMeter (ReportMeter.fromJSON makes one of what toJSON returned), got 3',
    ],
    [() => ReportMeter.fromJSON({} as never), TypeError, 'state.version is missing'],
    [
      () => restore({ version: 2 }),
      TypeError,
      'state.version must be 1, the form that this version of focal-loss reads, got 2',
    ],
    [
      () => restore({ options: { bins: -1 } }),
      RangeError,
      'state.options: bins must be an integer in [1, 10000], got -1',
    ],
    [() => restore({ classes: 1 }), RangeError, 'state.classes must be 0, or 2 or more, got 1'],
    [() => restore({ confusion: [1] }), RangeError, 'state.confusion must have 4 entries, got 1'],
    [
      () => restore({ confusion: [0, 0, 1, 0.5] }),
      RangeError,
      'state.confusion[3] must be an integer, not negative, got 0.5',
    ],
    [
      () => restore({ counts: { nonFinite: 0, hits: 3 } }),
      RangeError,
      'state.counts.hits must be at most the number of rows, 2, got 3',
    ],
    [
      () => restore({ bins: { rows: [1, 0], right: [0, 0] } }),
      RangeError,
      'state.bins.rows must add up to 2, got 1',
    ],
    [
      () => restore({ labels: [1, 2] }),
      RangeError,
      'state.labels[1] must be a class in [0, 2), got 2',
    ],
    [
      () => restore({ labels: [1, 0] }),
      RangeError,
      'state.labels must have as many rows of class 0 as state.confusion',
    ],
    [
      () => restore({ scores: [[1, null]] }),
      TypeError,
      'state.scores[0][1] must be a number, got null',
    ],
    [
      () => restore({ entropy: { ...state.entropy, units: 'x' } }),
      RangeError,
      'state.entropy.units must be a hexadecimal number in lower case, got "x"',
    ],
  ] as const)('errors: %#', (call, kind, message) =>
    expectFailure(call, kind as ErrorConstructor, message),
  );
});

/** Rows of labels, some of which do not count, and some without a probability or masked. */
function labelBatch(rows: number, labels: number, seed: number) {
  const random = generator(seed);
  const logits = Float64Array.from(
    { length: rows * labels },
    () => Math.round(32 * random() - 16) / 4,
  );
  const targets = Float64Array.from(
    { length: rows * labels },
    () => [0, 0, 1, 0.75, -1][Math.floor(5 * random())] as number,
  );
  logits[0] = Infinity;
  logits[2 * labels] = -Infinity;
  logits[3 * labels + 1] = NaN;
  // A row of which no label counts.
  targets.fill(-1, 5 * labels, 6 * labels);
  return { logits, targets };
}

const labelShapes = [
  ['three labels', 3, {}],
  ['two labels', 2, { beta: 2, bins: 7, averageOver: 'present', zeroDivision: 1 }],
  ['no areas, no matrix', 4, { auc: false, confusion: false, zeroDivision: NaN }],
] as const;

describe.each(labelShapes)('rows of several labels: %s', (_, labels, options) => {
  const { logits, targets } = labelBatch(90, labels, labels);
  const criterion = new SigmoidFocalLoss({ numClasses: labels, ignoreIndex: -1 });
  const all: ReportMeterOptions = { ...options, criterion };
  const part = (from: number, to: number) =>
    [
      logits.subarray(labels * from, labels * to),
      targets.subarray(labels * from, labels * to),
    ] as const;

  it('is the report: what is counted the same, what is added up within its rounding', () => {
    for (const [x, y] of [part(0, 90), part(6, 90), part(6, 7), part(5, 6)]) {
      const found = new ReportMeter(all).update(x, y).result();
      const expected = classificationReport(x, y, all);
      const { samples, ...exact } = dataOf(found).exact;
      const { samples: rounded, ...others } = dataOf(expected).exact;
      expect(exact).toEqual(others);
      expectClose(samples, rounded);
      expectClose(dataOf(found).rounded, dataOf(expected).rounded);
      expect(`${found}`).toBe(`${expected}`);
    }
  });

  it('has the same bits however the rows are split, merged and sent', () => {
    expectSameBits(all, part);
  });

  it('without rows is the report without rows', () => {
    const empty = new ReportMeter(all).update(...part(0, 0));
    const expected = classificationReport(...part(0, 0), all);
    expect(empty.result()).toEqual(expected);
    const again = ReportMeter.fromJSON(JSON.parse(JSON.stringify(empty)));
    expect(again.result()).toEqual(expected);
    expect(again.update(logits, targets).result()).toEqual(
      new ReportMeter(all).update(logits, targets).result(),
    );
  });
});

describe('a meter of several labels', () => {
  const { logits, targets } = labelBatch(20, 3, 4);
  const criterion = new SigmoidFocalLoss({ numClasses: 3, ignoreIndex: -1 });
  const meter = new ReportMeter({ criterion, bins: 2 }).update(logits, targets);

  it('takes tensors, rows of numbers, float32, class indices and an AsymmetricLoss', () => {
    const expected = meter.result();
    const of = (given: ReportMeterOptions) => new ReportMeter({ bins: 2, ...given });
    const rows = (array: Float64Array) =>
      Array.from({ length: 20 }, (_, row) => [...array.subarray(3 * row, 3 * row + 3)]);
    expect(of({ criterion }).update(rows(logits), rows(targets)).result()).toEqual(expected);
    expect(
      of({ criterion })
        .update({ data: logits, dims: [20, 3] }, { data: targets, dims: [20, 3] })
        .result(),
    ).toEqual(expected);
    const asymmetric = new AsymmetricLoss({ numClasses: 3, ignoreIndex: -1 });
    expect(of({ criterion: asymmetric }).update(logits, targets).result()).toEqual(expected);
    const single = of({ criterion }).update(Float32Array.from(logits), targets).result();
    expect(single.confusion).toEqual(expected.confusion);
    expect(single.auc).toBe(expected.auc);
    const indices = Int8Array.from(targets, Math.round);
    expect(of({ criterion }).update(logits, indices).result().confusion).toEqual(
      expected.confusion,
    );
  });

  it('warns of probabilities, of many labels alone', () => {
    const many = new ReportMeter({ criterion });
    const probabilities = Float64Array.from({ length: 30 }, (_, i) => i / 30);
    const labels = Uint8Array.from(probabilities, Math.round);
    expect(many.update(probabilities, labels).result().warning).toBeUndefined();
    expect(many.update(probabilities, labels).result().warning).toMatch(/^The logits look like/);
    expect(many.update(logits, targets).result().warning).toBeUndefined();
  });

  it('is left as it was by a batch that is refused', () => {
    const before = meter.result();
    expect(() => meter.update(logits, targets.with(7, 2))).toThrow(
      'targets[7] must be in [0, 1] or ignoreIndex, -1, got 2',
    );
    expect(() => meter.update(logits.subarray(1), targets.subarray(1))).toThrow(RangeError);
    expect(meter.result()).toEqual(before);
  });

  const state = meter.toJSON();
  const labels = state.multiLabel as LabelScoresState;
  const restore = (changes: object) =>
    ReportMeter.fromJSON({ ...state, ...changes } as ReportMeterState);

  it.each([
    [
      () => new ReportMeter({ criterion, layout: 'channels-first' }),
      TypeError,
      'layout and spatialSize are for rows of one class each, not for labels',
    ],
    [
      () => meter.update(logits, targets, { spatialSize: 2 }),
      TypeError,
      'layout and spatialSize are for rows of one class each, not for labels',
    ],
    [
      () => new ReportMeter({ criterion, classNames: ['a', 'b'] }),
      RangeError,
      'classNames must have one entry per class, 3, got 2',
    ],
    [
      () => meter.merge(new ReportMeter({ numClasses: 3, ignoreIndex: -1, bins: 2 })),
      TypeError,
      'other must have the same options: its rows are of one class each',
    ],
    [
      () => new ReportMeter({ numClasses: 3, ignoreIndex: -1, bins: 2 }).merge(meter),
      TypeError,
      'other must have the same options: its rows are of several labels each',
    ],
    [
      () => restore({ options: { ...state.options, numClasses: undefined } }),
      RangeError,
      'state.options: numClasses must be 2 or more for rows of several labels, got undefined',
    ],
    [
      () => restore({ classes: 4 }),
      RangeError,
      'state.classes must be 0, or that of state.options, 3, got 4',
    ],
    [() => restore({ confusion: [1] }), RangeError, 'state.confusion must have 12 entries, got 1'],
    [
      () => restore({ multiLabel: null }),
      TypeError,
      'state.multiLabel must be what rows of several labels come to, got null',
    ],
    [
      () => restore({ multiLabel: { ...labels, rows: 1000 } }),
      RangeError,
      `state.multiLabel.rows must be at most ${state.bins.rows[0] + state.bins.rows[1]}, got 1000`,
    ],
    [
      () => restore({ multiLabel: { ...labels, right: labels.rows + 1 } }),
      RangeError,
      `state.multiLabel.right must be at most ${labels.rows}, got ${labels.rows + 1}`,
    ],
    [
      () => restore({ multiLabel: { ...labels, samples: {} } }),
      TypeError,
      'state.multiLabel.samples.precision is missing',
    ],
    [
      () =>
        restore({
          multiLabel: {
            ...labels,
            samples: {
              ...labels.samples,
              f1: { terms: 0, sum: { units: '1', nan: 0, infinite: 0 } },
            },
          },
        }),
      RangeError,
      'state.multiLabel.samples.f1.sum.units must be the sum of 0 terms of 0 to 1, got 5e-324',
    ],
    [
      () => restore({ labels: state.labels.slice(1) }),
      RangeError,
      'state.labels must have entries for rows of 3 labels, got 59',
    ],
    [
      () => restore({ labels: state.labels.with(1, 2) }),
      RangeError,
      'state.labels[1] must be -1, 0 or 1, got 2',
    ],
    [
      () => restore({ labels: state.labels.map(() => 0) }),
      RangeError,
      'state.labels must have as many of label 0 as state.confusion',
    ],
    [() => restore({ scores: [[1]] }), RangeError, 'state.scores[0] must have 60 entries, got 1'],
  ] as const)('errors: %#', (call, kind, message) =>
    expectFailure(call, kind as ErrorConstructor, message),
  );
});
