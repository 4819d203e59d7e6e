import {
  AsymmetricLoss,
  type CompareModelsOptions,
  classificationReport,
  classificationReportAsync,
  compareModels,
  FocalLoss,
  type Interval,
  posterior,
  type ReportOptions,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../../support/failure.js';
import { generator } from '../../support/random.js';
import proc from '../fixtures/proc.json';
import fixtures from '../fixtures/uncertainty.json';

const { models, repeats, seed, level } = fixtures;
const first = Float64Array.from(models.first);
const second = Float64Array.from(models.second);
const targets = Uint8Array.from(models.targets);
const given = { repeats, seed, level };

function expectInterval(
  { low, high }: Interval,
  expected: readonly number[],
  where: string,
  tolerance = 1e-12,
): void {
  expect(Math.abs(low - (expected[0] as number)), `${where}, low: ${low}`).toBeLessThan(tolerance);
  expect(Math.abs(high - (expected[1] as number)), `${where}, high: ${high}`).toBeLessThan(
    tolerance,
  );
}

describe("SciPy's intervals of the same resamples", () => {
  it.each(['bca', 'percentile'] as const)('%s', (method) => {
    const { intervals } = classificationReport(first, targets, { intervals: { ...given, method } });
    expect(intervals).toMatchObject({ ...given, method });
    for (const name of ['accuracy', 'mcc', 'logLoss', 'brier', 'averagePrecision'] as const) {
      expectInterval(intervals?.[name] as Interval, models.intervals[name][method], name);
    }
    expectInterval(intervals?.classes[1]?.f1 as Interval, models.intervals.f1[method], 'F1');
    // Weights that are all the same leave DeLong's method out, and change nothing else.
    const sampleWeights = new Float64Array(targets.length).fill(1);
    const weighted = classificationReport(first, targets, {
      sampleWeights,
      intervals: { ...given, method },
    });
    expectInterval(weighted.intervals?.auc as Interval, models.intervals.auc[method], 'AUC');
    expect(weighted.intervals?.logLoss).toEqual(intervals?.logLoss);
  });

  it.each(['bca', 'percentile'] as const)('%s, of groups', (method) => {
    const { groups } = models;
    const { intervals } = classificationReport(first, targets, {
      intervals: { ...given, method, groups },
    });
    for (const name of ['accuracy', 'logLoss', 'auc'] as const) {
      expectInterval(intervals?.[name] as Interval, models.groupIntervals[name][method], name);
    }
    const named = groups.map((group) => `patient ${group}`);
    expect(
      classificationReport(first, targets, { intervals: { ...given, method, groups: named } })
        .intervals,
    ).toEqual(intervals);
  });

  it.each(['bca', 'percentile'] as const)('%s, of differences', (method) => {
    const compared = compareModels(first, second, targets, { ...given, method });
    for (const name of ['accuracy', 'f1', 'logLoss', 'brier'] as const) {
      const expected = models.differences[name];
      expectInterval(compared[name], expected[method], name);
      if (name !== 'accuracy') expect(compared[name].pValue, name).toBeCloseTo(expected.pValue, 14);
    }
  });
});

describe('tests', () => {
  it("DeLong's, by its definition", () => {
    const { auc } = compareModels(first, second, targets, given);
    const { delong } = models;
    expect(auc.test).toBe('delong');
    expect(auc.first).toBeCloseTo(delong.auc[0] as number, 14);
    expect(auc.second).toBeCloseTo(delong.auc[1] as number, 14);
    expectInterval(auc, delong.differenceInterval, 'difference');
    expect(auc.pValue / delong.pValue).toBeCloseTo(1, 11);
    const { intervals } = classificationReport(first, targets, { intervals: given });
    expectInterval(intervals?.auc as Interval, delong.interval, 'area');
    expect(intervals?.classes[0]?.auc).toEqual(intervals?.auc);
  });

  it("McNemar's, of the models", () => {
    const { accuracy } = compareModels(first, second, targets, given);
    expect(accuracy.test).toBe('mcnemar');
    expect(accuracy.pValue).toBeCloseTo(models.mcnemar, 14);
  });

  it.each(proc.cases)("pROC's areas, their intervals and their difference, $name", (one) => {
    const { level } = one;
    const labels = Uint8Array.from(one.targets);
    const models = [Float64Array.from(one.first), Float64Array.from(one.second)] as const;
    const quick = { level, repeats: 1, method: 'percentile' } as const;
    models.forEach((odds, i) => {
      const { auc, intervals } = classificationReport(odds, labels, { intervals: quick });
      expect(auc).toBeCloseTo(one.auc[i] as number, 14);
      const own = intervals?.auc as Interval;
      expectInterval(own, one.intervals[i] as number[], `area ${i}`, 1e-14);
      // An interval that ends before 0 and 1 says what the variance is.
      const normal = new Map([
        [0.5, 0.6744897501960817],
        [0.9, 1.6448536269514722],
        [0.95, 1.959963984540054],
      ]);
      const deviation = (own.high - own.low) / 2 / (normal.get(level) as number);
      expect(deviation ** 2 / (one.variance[i] as number)).toBeCloseTo(1, 12);
    });
    const { auc } = compareModels(...models, labels, quick);
    expect(auc.test).toBe('delong');
    expect(auc.difference).toBeCloseTo((one.auc[1] as number) - (one.auc[0] as number), 14);
    expectInterval(auc, one.difference, 'difference', 1e-14);
    expect(auc.pValue / one.pValue).toBeCloseTo(1, 11);
  });

  const disagreeing = (onlyFirst: number, onlySecond: number) => {
    const rows = onlyFirst + onlySecond + 2;
    const labels = Uint8Array.from({ length: rows }, (_, k) => k % 2);
    const sign = (k: number, isRight: boolean) => ((labels[k] === 1) === isRight ? 1 : -1);
    const a = Float64Array.from(labels, (_, k) => sign(k, k >= onlySecond));
    const b = Float64Array.from(labels, (_, k) =>
      sign(k, k < onlySecond || k >= onlyFirst + onlySecond),
    );
    return compareModels(a, b, labels, { repeats: 1, method: 'percentile' }).accuracy;
  };

  it.each([...fixtures.mcnemar, ...proc.mcnemar])(
    "McNemar's, of $counts rows",
    ({ counts, exact, approximate }) => {
      const [onlyFirst = 0, onlySecond = 0] = counts;
      const { pValue } = disagreeing(onlyFirst, onlySecond);
      const expected = onlyFirst + onlySecond > 1000 ? approximate : exact;
      expect(pValue / expected).toBeCloseTo(1, 11);
    },
  );
});

describe('intervals', () => {
  it('are the same for the same seed, in turns as well, and others for another', async () => {
    const options: ReportOptions = { intervals: { repeats: 50 } };
    const report = classificationReport(first, targets, options);
    expect(await classificationReportAsync(first, targets, options)).toEqual(report);
    expect(report.intervals).toMatchObject({ seed: 1, level: 0.95, method: 'bca', repeats: 50 });
    const other = classificationReport(first, targets, { intervals: { repeats: 50, seed: 2 } });
    expect(other.intervals?.logLoss).not.toEqual(report.intervals?.logLoss);
    expect({ ...other, intervals: undefined }).toEqual(classificationReport(first, targets));
  });

  it('every figure has one, which holds it, of three classes and with weights', () => {
    const random = generator(5);
    const logits = Float64Array.from({ length: 360 }, () => 3 * random());
    const labels = Uint8Array.from({ length: 120 }, (_, row) => {
      const own = logits.subarray(3 * row, 3 * row + 3);
      return random() < 0.6 ? own.indexOf(Math.max(...own)) : Math.floor(3 * random());
    });
    const sampleWeights = Float64Array.from(labels, () => 1 + Math.floor(3 * random()));
    const report = classificationReport(logits, labels, {
      sampleWeights,
      intervals: { repeats: 200, level: 0.99 },
    });
    const { intervals, calibration } = report;
    const pairs: [string, number, Interval | undefined][] = [
      ...(
        [
          'accuracy',
          'hammingLoss',
          'balancedAccuracy',
          'topKAccuracy',
          'mcc',
          'kappa',
          'auc',
        ] as const
      ).map((name) => [name, report[name], intervals?.[name]] as [string, number, Interval]),
      ...(['weightedAuc', 'averagePrecision', 'logLoss', 'brier'] as const).map(
        (name) => [name, report[name], intervals?.[name]] as [string, number, Interval],
      ),
      ...(['macro', 'weighted', 'micro'] as const).flatMap((average) =>
        (['precision', 'recall', 'specificity', 'f1', 'fBeta'] as const).map(
          (name) =>
            [`${average} ${name}`, report[average][name], intervals?.[average][name]] as [
              string,
              number,
              Interval,
            ],
        ),
      ),
      ...report.classes.flatMap((scores, j) =>
        (
          ['precision', 'recall', 'specificity', 'f1', 'fBeta', 'auc', 'averagePrecision'] as const
        ).map(
          (name) =>
            [`${name} of ${j}`, scores[name], intervals?.classes[j]?.[name]] as [
              string,
              number,
              Interval,
            ],
        ),
      ),
    ];
    for (const [name, value, interval] of pairs) {
      expect(interval?.low, name).toBeLessThanOrEqual(value + 1e-12);
      expect(interval?.high, name).toBeGreaterThanOrEqual(value - 1e-12);
    }
    expect(intervals?.calibrationError.high).toBeGreaterThan(calibration.expectedError / 2);
  });

  it('of figures that no resample changes have no width', () => {
    const sure = Float64Array.of(-1, -1, -1, 1, 1, 1);
    const { intervals } = classificationReport(sure, Uint8Array.of(0, 0, 0, 1, 1, 1), {
      intervals: { repeats: 20 },
    });
    expect(intervals?.accuracy).toEqual({ low: 1, high: 1 });
    expect(intervals?.auc).toEqual({ low: 1, high: 1 });
  });

  it('of one row of a class, one class, and none: what can be told, and NaN where nothing can', () => {
    const one = classificationReport(Float64Array.of(-1, 2, 0.5), Uint8Array.of(0, 0, 1), {
      intervals: { repeats: 20 },
    });
    expect(Number.isNaN(one.intervals?.auc.low)).toBe(false);
    const alone = classificationReport(Float64Array.of(-1, 2, 0.5), new Uint8Array(3), {
      intervals: { repeats: 20 },
    });
    expect(alone.intervals?.auc).toEqual({ low: NaN, high: NaN });
    expect(alone.intervals?.accuracy.high).toBeLessThanOrEqual(1);
    const none = classificationReport(new Float64Array(), new Uint8Array(), {
      numClasses: 2,
      intervals: { repeats: 3 },
    });
    expect(none.intervals?.accuracy).toEqual({ low: NaN, high: NaN });
    const unknown = classificationReport(Float64Array.of(NaN, 2, 0.5), Uint8Array.of(0, 0, 1), {
      intervals: { repeats: 20 },
    });
    expect(unknown.intervals?.logLoss).toEqual({ low: NaN, high: NaN });
    expect(unknown.intervals?.auc).toEqual({ low: NaN, high: NaN });
    expect(Number.isNaN(unknown.intervals?.accuracy.low)).toBe(false);
  });

  it('of more than a thousand rows leave out blocks, and hold what they should', () => {
    const random = generator(9);
    const labels = Uint8Array.from({ length: 3000 }, () => Number(random() < 0.3));
    const odds = Float64Array.from(labels, (label) => 4 * random() - 3 + 2 * label);
    const report = classificationReport(odds, labels, { intervals: { repeats: 100 } });
    const width =
      (report.intervals?.accuracy.high as number) - (report.intervals?.accuracy.low as number);
    // Twice 1.96 standard errors of a share.
    const expected = 3.92 * Math.sqrt((report.accuracy * (1 - report.accuracy)) / 3000);
    expect(width / expected).toBeGreaterThan(0.7);
    expect(width / expected).toBeLessThan(1.3);
  });

  it('are in the text', () => {
    const text = `${classificationReport(first, targets, { intervals: { repeats: 50, level: 0.9 } })}`;
    expect(text).toMatch(/^90 % intervals +figure +from +to$/m);
    expect(text).toMatch(/^F1 of 1 +0\.\d{4} +0\.\d{4} +0\.\d{4}$/m);
  });
});

describe('comparisons', () => {
  it('of rows with groups or weights are by the bootstrap alone', () => {
    const { groups } = models;
    const { auc, accuracy } = compareModels(first, second, targets, { ...given, groups });
    expect([auc.test, accuracy.test]).toEqual(['bootstrap', 'bootstrap']);
    const sampleWeights = new Float64Array(targets.length).fill(1);
    const weighted = compareModels(first, second, targets, { ...given, sampleWeights });
    expect(weighted.auc.test).toBe('bootstrap');
    expect(weighted.f1).toEqual(compareModels(first, second, targets, given).f1);
  });

  it('of a model with itself find nothing', () => {
    const compared = compareModels(first, first, targets, given);
    for (const name of ['auc', 'accuracy', 'f1', 'logLoss', 'brier'] as const) {
      expect(compared[name]).toMatchObject({ difference: 0, low: 0, high: 0, pValue: 1 });
    }
  });

  it('are turned round by turning the models round', () => {
    const [there, back] = [
      compareModels(first, second, targets),
      compareModels(second, first, targets),
    ];
    for (const name of ['auc', 'accuracy', 'f1', 'logLoss', 'brier'] as const) {
      expect(back[name].difference).toBe(-there[name].difference);
      expect(back[name].pValue).toBeCloseTo(there[name].pValue, 14);
    }
  });

  it('of more classes, tensors, float32 and ignored rows', () => {
    const logits = Float64Array.from({ length: 90 }, (_, k) => ((k * 37) % 16) / 8);
    const labels = Uint8Array.from({ length: 30 }, (_, row) => row % 3);
    const better = logits.map((x, k) => x + Number(labels[Math.floor(k / 3)] === k % 3));
    const expected = compareModels(logits, better, labels, given);
    expect(expected.auc.test).toBe('bootstrap');
    expect(expected.f1.first).toBe(classificationReport(logits, labels).macro.f1);
    expect(expected.logLoss.second).toBeCloseTo(classificationReport(better, labels).logLoss, 13);
    const tensor = { data: logits, dims: [30, 3] };
    expect(compareModels(tensor, better, labels, given)).toEqual(expected);
    const more = (x: Float64Array) => Float64Array.from([1, NaN, 2, ...x]);
    const ignored = Int8Array.from([-1, ...labels]);
    expect(
      compareModels(more(logits), more(better), ignored, { ...given, ignoreIndex: -1 }),
    ).toEqual(expected);
    const single = compareModels(Float32Array.from(first), second, targets, given);
    expect(single.auc).toEqual(compareModels(first, second, targets, given).auc);
  });

  it('are those of what the logits stand for under a loss, or under one for each model', () => {
    const focal = new FocalLoss({ alpha: 0.75, gamma: 2 });
    const asymmetric = new AsymmetricLoss();
    const sigmoid = new SigmoidFocalLoss({ gamma: 1, labelSmoothing: 0.05 });
    const oddsOf = (p: number) => Math.log(Math.max(p, 2 ** -23) / (1 - p));
    const meant = (x: Float64Array, criterion: AsymmetricLoss | SigmoidFocalLoss) =>
      Float64Array.from(posterior(x, criterion), oddsOf);
    const expectSame = (
      got: ReturnType<typeof compareModels>,
      expected: ReturnType<typeof compareModels>,
    ) => {
      for (const name of ['auc', 'accuracy', 'f1', 'logLoss', 'brier'] as const) {
        expect(got[name].first).toBeCloseTo(expected[name].first, 12);
        expect(got[name].second).toBeCloseTo(expected[name].second, 12);
        expect(got[name].low).toBeCloseTo(expected[name].low, 10);
        expect(got[name].pValue).toBeCloseTo(expected[name].pValue, 10);
      }
    };
    // One logit per row.
    const both = compareModels(first, second, targets, { ...given, criterion: sigmoid });
    const expected = compareModels(meant(first, sigmoid), meant(second, sigmoid), targets, given);
    expectSame(both, expected);
    expect(both.logLoss.first).not.toBeCloseTo(
      compareModels(first, second, targets, given).logLoss.first,
      3,
    );
    const criterion = [sigmoid, undefined] as const;
    const mixed = compareModels(first, second, targets, { ...given, criterion });
    expectSame(mixed, compareModels(meant(first, sigmoid), second, targets, given));
    const shifted = first.map((x) => x + 4);
    expectSame(
      compareModels(shifted, second, targets, { ...given, criterion: [asymmetric, sigmoid] }),
      compareModels(meant(shifted, asymmetric), meant(second, sigmoid), targets, given),
    );
    // Rows that do not count, float32, the channels first, and probabilities for targets.
    const labels = Int8Array.from({ length: 30 }, (_, row) => (row === 4 ? -1 : row % 3));
    const logits = Float32Array.from({ length: 90 }, (_, k) => ((k * 37) % 16) / 8);
    const other = logits.map((x, k) => x + Number(labels[Math.floor(k / 3)] === k % 3));
    const of = (x: Float32Array) =>
      Float64Array.from(
        posterior(Float64Array.from(x), focal.with({ alpha: null }), { numClasses: 3 }),
        Math.log,
      );
    const some = { ...given, ignoreIndex: -1 };
    const ofRows = compareModels(of(logits), of(other), labels, some);
    const focusing = focal.with({ alpha: null });
    expectSame(compareModels(logits, other, labels, { ...some, criterion: focusing }), ofRows);
    const turned = (x: Float32Array) => x.map((_, k) => x[(k % 30) * 3 + Math.floor(k / 30)] ?? 0);
    const channelsFirst = { ...some, numClasses: 3, layout: 'channels-first', spatialSize: 30 };
    expectSame(
      compareModels(turned(logits), turned(other), labels, {
        ...(channelsFirst as object),
        criterion: focusing,
      }),
      ofRows,
    );
    const soft = { ...given, numClasses: 3 };
    const shares = Float64Array.from(
      { length: 90 },
      (_, k) => (1 + ((k + Math.floor(k / 3)) % 3) ** 2) / 8,
    );
    expectSame(
      compareModels(logits, other, shares, { ...soft, criterion: focusing }),
      compareModels(of(logits), of(other), shares, soft),
    );
  });

  it('are a table as text', () => {
    const text = `${compareModels(first, second, targets, given)}`;
    expect(text.split('\n').length).toBe(6);
    expect(text).toMatch(/^figure +first +second +difference +from +to +p-value +test$/m);
    expect(text).toMatch(/^accuracy( +-?\d\.\d{4}){6} +mcnemar$/m);
    // A model that is right of 40 rows against one that is wrong.
    const odds = Float64Array.from(
      { length: 40 },
      (_, row) => (row % 2 === 0 ? -1 : 1) * (1 + row),
    );
    const labels = Uint8Array.from(odds, (x) => Number(x > 0));
    const worse = odds.map((x) => -x);
    expect(`${compareModels(worse, odds, labels, { repeats: 10 })}`).toMatch(
      /^accuracy .* <0\.0001 +mcnemar$/m,
    );
  });
});

it('a level next to 1, of an area without a doubt', () => {
  const odds = Float64Array.of(-2, -1, 1, 2);
  const { intervals } = classificationReport(odds, Uint8Array.of(0, 0, 1, 1), {
    intervals: { level: 1 - 2 ** -53, repeats: 10 },
  });
  expect(intervals?.auc).toEqual({ low: 1, high: 1 });
});

it('rows that do not count need no group', () => {
  const groups = Array.from(targets, (_, row) => (row === 3 ? undefined : row >> 1));
  const some = Int8Array.from(targets, (target, row) => (row === 3 ? -1 : target));
  const options = { ignoreIndex: -1, intervals: { groups, repeats: 10 } };
  expect(classificationReport(first, some, options).intervals?.accuracy.low).toBeGreaterThan(0);
});

describe('errors', () => {
  const intervals = (changes: object) =>
    classificationReport(first, targets, { intervals: changes });
  const compare = (changes: object, other = second) =>
    compareModels(first, other, targets, changes as CompareModelsOptions);

  it.each([
    [() => intervals({ level: 1 }), RangeError, 'level must be in (0, 1), got 1'],
    [
      () => intervals({ repeats: 0 }),
      RangeError,
      'repeats must be an integer in [1, 1000000], got 0',
    ],
    [
      () => intervals({ seed: -1 }),
      RangeError,
      'seed must be an integer in [0, 4294967295], got -1',
    ],
    [
      () => intervals({ method: 'basic' }),
      TypeError,
      `method must be 'bca' or 'percentile', got "basic"`,
    ],
    [
      () => intervals({ groups: 3 }),
      TypeError,
      'groups must be an array with the group of each row, got 3',
    ],
    [
      () => intervals({ groups: Array.from(targets, (_, row) => (row === 3 ? null : row)) }),
      TypeError,
      'groups[3] must be the group of a row that counts, got null',
    ],
    [
      () => intervals({ groups: new Array(80) }),
      TypeError,
      'groups[0] must be the group of a row that counts, got undefined',
    ],
    [
      () => compare({ groups: Float64Array.from(targets, (_, row) => (row === 5 ? NaN : row)) }),
      TypeError,
      'groups[5] must be the group of a row that counts, got NaN',
    ],
    [
      () => intervals({ groups: [1, 2] }),
      RangeError,
      'groups must have one entry per row, 80, got 2',
    ],
    [
      () => intervals({ samples: 3 }),
      TypeError,
      'unknown option "samples"; known are level, repeats, seed, groups, method',
    ],
    [
      () => classificationReport(first, targets, { intervals: true as never }),
      TypeError,
      'intervals must be an object, got true',
    ],
    [() => compare({ level: 0 }), RangeError, 'level must be in (0, 1), got 0'],
    [() => compare({ groups: [1] }), RangeError, 'groups must have one entry per row, 80, got 1'],
    [
      () => compare({ sampleWeights: [1] }),
      RangeError,
      'sampleWeights must have one entry per row, 80, got 1',
    ],
    [
      () => compare({ sampleWeights: new Float64Array(80) }),
      RangeError,
      'sampleWeights must be above 0 for a row that counts, got 0 for all of them',
    ],
    [
      () => compare({}, Float64Array.of(1, 2, 3)),
      RangeError,
      'logitsB.length must be a multiple of targets.length, 80, got 3',
    ],
    [
      () => compare({}, new Float64Array(240)),
      RangeError,
      'logitsB must have as many classes as logitsA, 2, got 3',
    ],
    [() => compare({ criterion: 3 }), TypeError, 'criterion must be a loss of this package, got 3'],
    [
      () => compare({ criterion: [new SigmoidFocalLoss(), {}] }),
      TypeError,
      'criterion[1] must be a loss of this package, got an object',
    ],
    [
      () => compare({ criterion: [new SigmoidFocalLoss()] }),
      RangeError,
      'criterion must have a loss for each model, 2, got 1',
    ],
    [
      () => compare({ criterion: new FocalLoss() }),
      TypeError,
      'criterion must be a loss on yes-or-no logits where rows have one, got a FocalLoss',
    ],
    [
      () =>
        compareModels(new Float64Array(6), new Float64Array(6), Uint8Array.of(0, 1), {
          criterion: new AsymmetricLoss(),
        }),
      TypeError,
      'criterion must be a loss on softmax logits where rows have several, got an AsymmetricLoss',
    ],
    [
      () => compareModels(new Float64Array(), new Float64Array(), new Uint8Array()),
      RangeError,
      'targets must have a row that counts, got none',
    ],
  ] as const)('%#', (call, kind, message) =>
    expectFailure(call, kind as ErrorConstructor, message),
  );
});
