import {
  type CurveOptions,
  calibrationCurve,
  chooseThreshold,
  classificationReport,
  decisionCurve,
  fitCalibration,
  precisionRecallCurve,
  rocCurve,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../../support/failure.js';
import fixtures from '../fixtures/curves.json';

type Numbers = readonly (number | string | null)[];

/** A number of the fixtures: JSON has no NaN, and no Infinity. */
function numberOf(entry: number | string | null): number {
  return entry === null ? NaN : Number(entry);
}

function expectClose(
  actual: ArrayLike<number>,
  expected: Numbers,
  where: string,
  tolerance = 1e-12,
): void {
  expect(actual.length, where).toBe(expected.length);
  for (const [i, entry] of expected.entries()) {
    const [a, b] = [actual[i] as number, numberOf(entry)];
    const isSame = Object.is(a, b) || Math.abs(a - b) <= tolerance;
    expect(isSame, `${where}, entry ${i}: ${a}, not ${b}`).toBe(true);
  }
}

/** The figures of a class in the fixtures. */
interface Expected {
  positive: number;
  whole: { roc: Numbers[]; precisionRecall: Numbers[] };
  dropped: { roc: Numbers[]; precisionRecall: Numbers[] };
  auc: number | null;
  averagePrecision: number | null;
  calibration: { uniform: Numbers[]; quantile: Numbers[] } | null;
  thresholds: number[];
  netBenefit: number[];
}

const cases = fixtures.cases.flatMap((one) => [
  { name: `${one.name}, plain`, one, expected: one.plain as unknown as Expected[], options: {} },
  {
    name: `${one.name}, weighted`,
    one,
    expected: one.weighted as unknown as Expected[],
    options: { sampleWeights: one.sampleWeights },
  },
]);

describe.each(cases)("scikit-learn's curves: $name", ({ one, expected, options }) => {
  const logits = Float64Array.from(one.logits);
  const targets = Uint8Array.from(one.targets);
  const given = { numClasses: one.classes, ...options };

  it.each(expected)('ROC of class $positive', ({ positive, whole, dropped, auc }) => {
    for (const [dropIntermediate, { roc }] of [
      [false, whole],
      [true, dropped],
    ] as const) {
      const curve = rocCurve(logits, targets, { ...given, positive, dropIntermediate });
      const [falsePositives, truePositives, thresholds] = roc as unknown as [
        Numbers,
        Numbers,
        Numbers,
      ];
      expectClose(curve.falsePositiveRate, falsePositives, 'false positives');
      expectClose(curve.truePositiveRate, truePositives, 'true positives');
      // The scores of the fixture are rounded.
      expectClose(curve.thresholds, thresholds, 'thresholds', 1e-13);
      expectClose([curve.auc], [auc], 'area');
    }
  });

  it.each(expected)(
    'precision and recall of class $positive',
    ({ positive, whole, dropped, averagePrecision }) => {
      for (const [dropIntermediate, { precisionRecall }] of [
        [false, whole],
        [true, dropped],
      ] as const) {
        const curve = precisionRecallCurve(logits, targets, {
          ...given,
          positive,
          dropIntermediate,
        });
        const [precision, recall, thresholds] = precisionRecall as unknown as [
          Numbers,
          Numbers,
          Numbers,
        ];
        expectClose(curve.precision, precision, 'precision');
        expectClose(curve.recall, recall, 'recall');
        expectClose(curve.thresholds, thresholds, 'thresholds', 1e-13);
        expectClose([curve.averagePrecision], [averagePrecision], 'average precision');
      }
    },
  );

  it.each(expected)('report, class $positive', ({ positive, auc, averagePrecision }) => {
    const report = classificationReport(logits, targets, given);
    const scores = report.classes[positive];
    expectClose(
      [scores?.auc as number, scores?.averagePrecision as number],
      [auc, averagePrecision],
      'report',
    );
    if (one.classes === 2) expect(report.averagePrecision).toBe(scores?.averagePrecision);
    const { auc: area } = rocCurve(logits, targets, { ...given, positive });
    // Without weights, all sums are whole numbers.
    if ('sampleWeights' in options) expectClose([area], [scores?.auc as number], 'area', 1e-15);
    else expect(area).toBe(scores?.auc);
  });

  it.each(expected)('calibration of class $positive', ({ positive, calibration }) => {
    if (calibration === null) return;
    for (const strategy of ['uniform', 'quantile'] as const) {
      const curve = calibrationCurve(logits, targets, {
        ...given,
        positive,
        strategy,
        bins: fixtures.bins,
      });
      const [share, probability] = calibration[strategy] as unknown as [Numbers, Numbers];
      expectClose(curve.share, share, 'share');
      expectClose(curve.probability, probability, 'probability');
      expect(curve.rows.reduce((a, b) => a + b)).toBe(targets.length);
    }
  });

  it.each(expected)('net benefit for class $positive', ({ positive, thresholds, netBenefit }) => {
    const curve = decisionCurve(logits, targets, { ...given, positive, thresholds });
    expectClose(curve.netBenefit, netBenefit, 'net benefit', 1e-13);
    expect(curve.treatAll[0]).toBe(
      decisionCurve(logits, targets, { ...given, positive, thresholds: [0.05] }).treatAll[0],
    );
  });
});

describe('batches of all forms', () => {
  const logits = Float64Array.of(1, 0, 0, 2, 1, 3, 0.5, 0.25, 2, 0);
  const targets = Uint8Array.of(0, 1, 1, 0, 1);
  const odds = Float64Array.from(
    targets,
    (_, k) => (logits[2 * k + 1] as number) - (logits[2 * k] as number),
  );
  const curves = [
    ['rocCurve', rocCurve],
    ['precisionRecallCurve', precisionRecallCurve],
    ['calibrationCurve', calibrationCurve],
    ['decisionCurve', decisionCurve],
  ] as const;

  it.each(curves)(
    '%s: one logit per row, tensors, plain arrays, float32, ignored rows',
    (_, curve) => {
      const expected = curve(logits, targets);
      const criterion = new SigmoidFocalLoss();
      expect(curve(odds, targets)).toEqual(expected);
      expect(curve(odds, targets, { criterion })).toEqual(expected);
      expect(curve({ data: logits, dims: [5, 2] }, targets)).toEqual(expected);
      expect(curve(Float32Array.from(logits), [0, 1, 1, 0, 1])).toEqual(expected);
      const more = Float64Array.from([NaN, 1, ...logits]);
      expect(curve(more, Int8Array.from([-1, ...targets]), { ignoreIndex: -1 })).toEqual(expected);
      const sampleWeights = [1, 1, 1, 1, 1];
      expect(curve(logits, targets, { sampleWeights })).toEqual(expected);
    },
  );

  it.each(curves)('%s: each class, and each label', (_, curve) => {
    const each = curve(logits, targets, { positive: 'each' });
    expect(each).toEqual([0, 1].map((positive) => curve(logits, targets, { positive })));
    const labels = Uint8Array.of(1, 0, 0, 1, 1, 1, 0, 0, 0, 1);
    const criterion = new SigmoidFocalLoss({ numClasses: 2, ignoreIndex: 2 });
    const byLabel = curve(logits, labels, { criterion, positive: 'each' });
    for (const j of [0, 1]) {
      const column = logits.filter((_, k) => k % 2 === j);
      const single = curve(
        column,
        labels.filter((_, k) => k % 2 === j),
        { numClasses: 1 },
      );
      expect(byLabel[j]).toEqual({ ...single, positive: j });
    }
    const partly = labels.map((label, k) => (k === 1 ? 2 : label));
    const rest = curve(
      logits.filter((_, k) => k % 2 === 1 && k > 1),
      labels.filter((_, k) => k % 2 === 1 && k > 1),
      { numClasses: 1 },
    );
    expect(
      curve(logits, partly, { criterion, positive: 1, sampleWeights: [1, 1, 1, 1, 1] }),
    ).toEqual(rest);
  });

  it('rows whose probability has become 1 are still told apart', () => {
    const sure = Float64Array.of(50, 60, 70, 80);
    const { auc, truePositiveRate } = rocCurve(sure, Uint8Array.of(0, 0, 1, 1));
    expect(auc).toBe(1);
    expect(truePositiveRate).toEqual(Float64Array.of(0, 0.5, 1, 1));
    const wide = Float64Array.of(0, 0, 50, 0, 0, 60, 0, 0, 70, 0, 0, 80);
    expect(rocCurve(wide, Uint8Array.of(0, 1, 2, 2), { positive: 2 }).auc).toBe(1);
  });

  it('the error of a calibration curve, and its edges', () => {
    const two = Float64Array.of(-2, -2, -2, -2, 2, 2, 2, 2);
    const { expectedError, from, to, rows } = calibrationCurve(
      two,
      Uint8Array.of(0, 0, 0, 1, 1, 1, 1, 1),
      { bins: 4 },
    );
    const p = 1 / (1 + Math.exp(-2));
    expect(expectedError).toBeCloseTo((0.25 - (1 - p)) / 2 + (1 - p) / 2, 14);
    expect([from, to, rows]).toEqual([
      Float64Array.of(0, 0.75),
      Float64Array.of(0.25, 1),
      Float64Array.of(4, 4),
    ]);
  });

  it('a model that treats nobody has no net benefit, and treating all that of the prevalence', () => {
    const { netBenefit, treatAll } = decisionCurve(odds, targets, { thresholds: [0, 0.999999] });
    expect(netBenefit[0]).toBe(0.6);
    expect(netBenefit[1]).toBe(0);
    expect(treatAll[0]).toBe(0.6);
    expect(treatAll[1]).toBeLessThan(-1000);
    expect(decisionCurve(odds, targets).thresholds).toEqual(
      Float64Array.from({ length: 99 }, (_, i) => (i + 1) / 100),
    );
  });

  it('one class alone: rates of the other are NaN, as in scikit-learn, recall is 1 without rows of the class', () => {
    const none = rocCurve(odds, new Uint8Array(5));
    expect(none.truePositiveRate.every(Number.isNaN)).toBe(true);
    expect(none.falsePositiveRate.at(-1)).toBe(1);
    expect(none.auc).toBeNaN();
    const { recall, precision, averagePrecision } = precisionRecallCurve(odds, new Uint8Array(5));
    // Two of the five rows are tied.
    expect(recall).toEqual(Float64Array.of(1, 1, 1, 1, 0));
    expect(precision).toEqual(Float64Array.of(0, 0, 0, 0, 1));
    expect(averagePrecision).toBeNaN();
    const all = precisionRecallCurve(odds, new Uint8Array(5).fill(1));
    expect(all.averagePrecision).toBe(1);
    expect(calibrationCurve(odds, new Uint8Array(5)).share.every((share) => share === 0)).toBe(
      true,
    );
    expect(decisionCurve(odds, new Uint8Array(5)).netBenefit.every((benefit) => benefit <= 0)).toBe(
      true,
    );
  });

  it('a class that is masked has probability 0, and the other of two then 1', () => {
    const masked = Float64Array.of(-Infinity, 0, 0, -Infinity, 0, 0, -Infinity, 5, 2, 0);
    const labels = Uint8Array.of(1, 0, 1, 0, 0);
    const ps = [1, 0, 0.5, 1, 1 / (1 + Math.exp(2))];
    const roc = rocCurve(masked, labels, { dropIntermediate: false });
    expectClose(roc.thresholds, [Infinity, 1, 0.5, ps[4], 0].map(String), 'thresholds');
    expect(roc.auc).toBe(4.5 / 6);
    expectClose(precisionRecallCurve(masked, labels).thresholds, [0, ps[4], 0.5, 1], 'rising');
    const { probability, rows, expectedError } = calibrationCurve(masked, labels, { bins: 2 });
    expectClose(rows, [3, 2], 'rows');
    expectClose(probability, [(ps[1] + ps[2] + ps[4]) / 3, 1], 'probability');
    // One row in three of the first bin is of the class, and one in two of the second.
    const error = (3 * Math.abs(1 / 3 - (ps[1] + ps[2] + ps[4]) / 3) + 2 * 0.5) / 5;
    expect(expectedError).toBeCloseTo(error, 12);
    const { netBenefit } = decisionCurve(masked, labels, { thresholds: [0.75] });
    expectClose(netBenefit, [(1 - 3) / 5], 'net benefit');
    const { curve } = chooseThreshold(masked, labels);
    expectClose(
      curve.thresholds,
      [Infinity, 0.75, (0.5 + ps[4]) / 2, ps[4] / 2, 0].map(String),
      '',
    );
  });

  it('calibrated probabilities of 0 and 1, as of isotonic regression, are taken', () => {
    const labels = Uint8Array.of(0, 0, 1, 1);
    const fitTo = (x: Float64Array) => fitCalibration(x, labels, { method: 'isotonic' });
    const single = fitTo(Float64Array.of(-3, -1, 1, 3));
    for (const x of [Float64Array.of(-9, 0, 9), Float32Array.of(-9, 0, 9)]) {
      const calibrated = single.apply(x, { output: 'logits' });
      const { thresholds } = rocCurve(calibrated, labels.subarray(1), { dropIntermediate: false });
      expectClose(thresholds, ['Infinity', 1, 0.5, 0], 'thresholds');
    }
    const pairs = fitTo(Float64Array.of(0, -3, 0, -1, 0, 1, 0, 3));
    const calibrated = pairs.apply(Float64Array.of(0, -9, 0, 0, 0, 9), { output: 'logits' });
    const { expectedError } = calibrationCurve(calibrated, labels.subarray(1));
    expect(expectedError).toBeCloseTo(0.5 / 3, 12);
  });

  const roc = (changes: object, x = logits, y: Uint8Array = targets) =>
    rocCurve(x, y, changes as CurveOptions<number>);
  const three = Float64Array.of(1, 2, 3, 4, 5, 6);

  it.each([
    [
      () => roc({}, three, Uint8Array.of(0, 1)),
      TypeError,
      "positive must be given where there are 3 classes: one of them, or 'each'",
    ],
    [
      () => roc({ criterion: new SigmoidFocalLoss({ numClasses: 2 }) }, logits, new Uint8Array(10)),
      TypeError,
      "positive must be given where there are 2 labels: one of them, or 'each'",
    ],
    [() => roc({ positive: 2 }), RangeError, 'positive must be an integer in [0, 1], got 2'],
    [() => roc({ positive: 'all' }), TypeError, 'positive must be a number, got "all"'],
    [
      () => roc({ dropIntermediate: 1 }),
      TypeError,
      'dropIntermediate must be true or false, got 1',
    ],
    [
      () => roc({}, new Float64Array(), new Uint8Array()),
      RangeError,
      'targets must have a row that counts, got none',
    ],
    [
      () => roc({ ignoreIndex: 0 }, logits.subarray(0, 4), new Uint8Array(2)),
      RangeError,
      'targets must have a row that counts, got none',
    ],
    [
      () => roc({}, Float64Array.of(1, 0, 0, NaN), Uint8Array.of(0, 1)),
      RangeError,
      'logits: those of row 1 must be such that there is a probability, got NaN',
    ],
    [
      () => roc({ positive: 1 }, Float64Array.of(1, 0, 0, 1, Infinity, 0), Uint8Array.of(0, 1)),
      RangeError,
      'logits: those of row 1 must be such that there is a probability, got Infinity',
    ],
    [
      () => roc({}, Float64Array.of(-Infinity, -Infinity, 1, 2), Uint8Array.of(0, 1)),
      RangeError,
      'logits: those of row 0 must be such that there is a probability, got -Infinity',
    ],
    [
      () =>
        roc(
          { criterion: new SigmoidFocalLoss({ numClasses: 2 }), positive: 1 },
          Float64Array.of(1, 0, 0, Infinity),
          new Uint8Array(4),
        ),
      RangeError,
      'logits: those of label 1 of row 1 must be such that there is a probability, got Infinity',
    ],
    [
      () => roc({ sampleWeights: [0, 0, 0, 0, 0] }),
      RangeError,
      'sampleWeights must be above 0 for a row that counts, got 0 for all of them',
    ],
    [
      () => roc({ sampleWeights: [0, 0] }),
      RangeError,
      'sampleWeights must have one entry per row, 5, got 2',
    ],
    [
      () => roc({}, logits, Uint8Array.of(0, 1, 2, 1, 0)),
      RangeError,
      'targets[2] must be a class in [0, 2), got 2',
    ],
    [
      () => decisionCurve(odds, targets, { thresholds: [0.5, 1] }),
      RangeError,
      'thresholds[1] must be in [0, 1), got 1',
    ],
    [
      () => calibrationCurve(odds, targets, { strategy: 'equal' as 'uniform' }),
      TypeError,
      `strategy must be 'uniform' or 'quantile', got "equal"`,
    ],
    [
      () => calibrationCurve(odds, targets, { bins: 0 }),
      RangeError,
      'bins must be an integer in [1, 10000], got 0',
    ],
  ] as const)('errors: %#', (call, kind, message) =>
    expectFailure(call, kind as ErrorConstructor, message),
  );
});
