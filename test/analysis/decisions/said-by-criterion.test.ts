// A criterion says what logits mean for every function that takes one.

import {
  AsymmetricLoss,
  type CalibrationMethod,
  Calibrator,
  type CompareModelsOptions,
  classificationReport,
  compareModels,
  type FitCalibrationOptions,
  FocalLoss,
  fitCalibration,
  posterior,
  probabilitiesToLogits,
  ReportMeter,
  rocCurve,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../../support/failure.js';
import { generator } from '../../support/random.js';

const METHODS: readonly CalibrationMethod[] = ['temperature', 'platt', 'isotonic'];
const ROWS = 60;
const random = generator(20_261_127);

/** Logits of three classes or labels, right in most rows, and the classes of the rows. */
const targets = Int8Array.from({ length: ROWS }, () => Math.floor(3 * random()));
const logits = Float64Array.from(
  { length: 3 * ROWS },
  (_, k) => 4 * random() - 2 + Number(targets[Math.floor(k / 3)] === k % 3),
);
const labels = Int8Array.from({ length: 3 * ROWS }, (_, k) =>
  Number(random() < 0.2 + 0.2 * (k % 3)),
);

/** The rows of some place in each of so many. */
function column<A extends Float64Array | Int8Array>(all: A, j: number): A {
  return all.filter((_, k) => k % 3 === j) as A;
}

/** Samples of 20 positions with the classes first, of rows of three classes; and back. */
function turned<A extends Float64Array | Float32Array>(rows: A): A {
  return rows.map((_, k) => {
    const [sample, place] = [Math.floor(k / 60), k % 60];
    return rows[60 * sample + 3 * (place % 20) + Math.floor(place / 20)] as number;
  }) as A;
}

describe('ignoreIndex, numClasses and layout', () => {
  const alpha = [0.2, 0.5, 0.8];
  const some = targets.map((target, row) => (row % 7 === 2 ? -1 : target));

  it.each(METHODS)('%s', (method) => {
    const criterion = new FocalLoss({ alpha, ignoreIndex: -1 });
    const asked = { method, criterion: new FocalLoss({ alpha }), ignoreIndex: -1 };
    const expected = fitCalibration(logits, some, asked);
    const found = fitCalibration(logits, some, { method, criterion });
    expect(found.parameters).toEqual(expected.parameters);
    expect(found.before).toEqual(expected.before);
    // An option that is given comes first.
    const other = new FocalLoss({ alpha, ignoreIndex: 2 });
    expect(
      fitCalibration(logits, some, { method, criterion: other, ignoreIndex: -1 }).parameters,
    ).toEqual(expected.parameters);

    const first = new FocalLoss({
      alpha,
      ignoreIndex: -1,
      layout: 'channels-first',
      numClasses: 3,
    });
    const ofTurned = fitCalibration(turned(logits), some, {
      method,
      criterion: first,
      spatialSize: 20,
    });
    expect(ofTurned.parameters).toEqual(expected.parameters);
    // A layout of the fit is that of what it is applied to, unless another is given.
    const p = expected.apply(logits);
    for (const calibrator of [
      ofTurned,
      Calibrator.fromJSON(JSON.parse(JSON.stringify(ofTurned))),
    ]) {
      expect(calibrator.apply(turned(logits), { spatialSize: 20 })).toEqual(turned(p));
      expect(calibrator.apply(logits, { layout: 'channels-last' })).toEqual(p);
    }
    const tensor = { data: Float32Array.from(turned(logits)), shape: [3, 3, 4, 5] };
    expect(expected.apply(tensor, { layout: 'channels-first' })).toEqual(
      turned(expected.apply(Float32Array.from(logits))),
    );
    expect(
      expected.apply(turned(logits), {
        layout: 'channels-first',
        spatialSize: 20,
        output: 'logits',
      }),
    ).toEqual(turned(expected.apply(logits, { output: 'logits' })));

    const shares = Float64Array.from(logits, (_, k) => [0.2, 0.3, 0.5][(k * 5) % 3] as number);
    const soft = new FocalLoss({ alpha, numClasses: 3 });
    expect(fitCalibration(logits, shares, { method, criterion: soft }).parameters).toEqual(
      fitCalibration(logits, shares, { method, criterion: soft, numClasses: 3 }).parameters,
    );
    // One logit per row, and the probability of yes.
    const [x, y] = [column(logits, 0), column(shares, 1)];
    const sigmoid = new SigmoidFocalLoss({ alpha: 0.4 });
    expect(fitCalibration(x, y, { method, criterion: sigmoid }).parameters).toEqual(
      fitCalibration(x, y, { method, criterion: sigmoid, numClasses: 1 }).parameters,
    );
  });

  it('of two models', () => {
    const other = logits.map((x) => -x);
    const plain = new FocalLoss({ alpha });
    const given = { repeats: 20 };
    const asked = { ...given, criterion: plain, ignoreIndex: -1 };
    const expected = compareModels(logits, other, some, asked);
    const criterion = new FocalLoss({ alpha, ignoreIndex: -1 });
    const first = criterion.with({ layout: 'channels-first', numClasses: 3 });
    expect(compareModels(logits, other, some, { ...given, criterion })).toEqual(expected);
    for (const both of [
      [criterion, plain],
      [plain, criterion],
    ] as const)
      expect(compareModels(logits, other, some, { ...given, criterion: both })).toEqual(expected);
    const spatial = { ...given, criterion: first, spatialSize: 20 };
    expect(compareModels(turned(logits), turned(other), some, spatial)).toEqual(expected);
    const [x, y] = [
      column(logits, 0),
      column(logits, 1).map((logit) => Math.min(Math.max(logit, 0), 1)),
    ];
    const single = new SigmoidFocalLoss();
    expect(compareModels(x, x, y, { ...given, criterion: single }).logLoss.first).toBe(
      compareModels(x, x, y, { ...given, criterion: single, numClasses: 1 }).logLoss.first,
    );
    expectFailure(
      () =>
        compareModels(logits, other, some, {
          criterion: [criterion, plain.with({ ignoreIndex: 1 })],
        }),
      RangeError,
      'criterion[1].ignoreIndex must be that of criterion[0], -1, got 1',
    );
  });
});

describe('rows of several labels', () => {
  const some = labels.map((label, k) => (k % 11 === 3 ? -1 : label));
  const sampleWeights = Float64Array.from({ length: ROWS }, (_, row) => (row % 4) / 2);
  const sigmoid = new SigmoidFocalLoss({
    alpha: [0.2, 0.5, 0.7],
    posWeight: 2,
    labelSmoothing: 0.05,
    numClasses: 3,
    ignoreIndex: -1,
  });
  const criteria = [sigmoid, new AsymmetricLoss({ numClasses: 3, ignoreIndex: -1 })];
  const ofColumn = (j: number) => [
    sigmoid.with({ alpha: [0.2, 0.5, 0.7][j] as number, numClasses: 1 }),
    new AsymmetricLoss({ ignoreIndex: -1 }),
  ];

  it.each(['platt', 'isotonic'] as const)('%s: each label as one logit per row', (method) => {
    for (const [i, criterion] of criteria.entries()) {
      const found = fitCalibration(logits, some, { method, criterion, sampleWeights });
      expect([found.multiLabel, found.numClasses]).toEqual([true, 3]);
      const p = found.apply(logits);
      const json = JSON.stringify(found);
      const back = Calibrator.fromJSON(JSON.parse(json));
      expect(JSON.stringify(back)).toBe(json);
      expect(back.apply(logits)).toEqual(p);
      for (let j = 0; j < 3; j++) {
        const options = { method, criterion: ofColumn(j)[i], sampleWeights };
        const one = fitCalibration(column(logits, j), column(some, j), options);
        expect(one.multiLabel).toBe(false);
        expect(column(p, j)).toEqual(one.apply(column(logits, j)));
      }
    }
  });

  it('temperature: one for all labels', () => {
    const plain = new SigmoidFocalLoss({ alpha: null, gamma: 0, numClasses: 3, ignoreIndex: -1 });
    const found = fitCalibration(logits, some, { criterion: plain });
    const all = fitCalibration(logits, some, { ignoreIndex: -1, numClasses: 1 });
    expect(found.parameters.temperature).toBeCloseTo(all.parameters.temperature, 12);
    expect(found.after.logLoss).toBeCloseTo(all.after.logLoss, 12);
    const { logLoss, brier, calibration } = classificationReport(logits, some, {
      criterion: plain,
    });
    expect(found.before.logLoss).toBeCloseTo(logLoss, 12);
    expect(found.before.brier).toBeCloseTo(brier, 12);
    expect(found.before.calibrationError).toBeCloseTo(calibration.expectedError, 12);
    const rows = Array.from({ length: ROWS }, (_, row) => [
      ...logits.subarray(3 * row, 3 * row + 3),
    ]);
    expect(found.apply(rows)).toEqual(found.apply(logits));
  });

  it('something for each label says how many there are', () => {
    const numbers = [0.2, 0.5, 0.7];
    for (const options of [
      { alpha: numbers },
      { posWeight: numbers },
      { alpha: 0.2, posWeight: numbers },
    ]) {
      const plain = { criterion: new SigmoidFocalLoss(options) };
      const said = { criterion: new SigmoidFocalLoss({ ...options, numClasses: 3 }) };
      const report = classificationReport(logits, labels, plain);
      expect(`${report}`).toBe(`${classificationReport(logits, labels, said)}`);
      expect(`${new ReportMeter(plain).update(logits, labels).result()}`).toBe(`${report}`);
      const each = rocCurve(logits, labels, { ...plain, positive: 'each' });
      expect(each.map(({ auc }) => auc)).toEqual(report.classes.map(({ auc }) => auc));
      expect(fitCalibration(logits, labels, plain).parameters).toEqual(
        fitCalibration(logits, labels, said).parameters,
      );
      const given = { repeats: 5 };
      expect(compareModels(logits, logits, labels, { ...given, ...plain })).toEqual(
        compareModels(logits, logits, labels, { ...given, ...said }),
      );
    }
  });

  it('of two models', () => {
    const other = logits.map((x, k) => x + 2 * (labels[k] as number) - 1);
    const meant = (x: Float64Array) =>
      probabilitiesToLogits(
        posterior(x, sigmoid).map((p) => Math.min(Math.max(p, 2 ** -23), 1 - 2 ** -23)),
        1,
      );
    const groups = Int8Array.from({ length: ROWS }, (_, row) => Math.floor(row / 4));
    for (const options of [{}, { groups }, { sampleWeights }] as CompareModelsOptions[]) {
      const found = compareModels(logits, other, some, {
        repeats: 50,
        criterion: sigmoid,
        ...options,
      });
      expect(found.rows).toBe(ROWS);
      const { groups, sampleWeights } = options;
      for (const [x, of] of [
        [logits, 'first'],
        [other, 'second'],
      ] as const) {
        const report = classificationReport(meant(x), some, { criterion: sigmoid, sampleWeights });
        expect(found.auc[of]).toBeCloseTo(report.auc, 12);
        expect(found.accuracy[of]).toBe(report.accuracy);
        expect(found.f1[of]).toBeCloseTo(report.macro.f1, 12);
        expect(found.logLoss[of]).toBeCloseTo(report.logLoss, 9);
        expect(found.brier[of]).toBeCloseTo(report.brier, 12);
      }
      expect(found.auc.test).toBe('bootstrap');
      expect(found.accuracy.test).toBe((groups ?? sampleWeights) ? 'bootstrap' : 'mcnemar');
      expect(found.brier.pValue).toBeLessThan(0.1);
      expect(found.brier.low).toBeLessThan(found.brier.difference);
      expect(found.brier.high).toBeGreaterThan(found.brier.difference);
    }
    // Models with a loss each, and one whose logits are taken as they are.
    const mixed = compareModels(logits, meant(logits), some, {
      repeats: 5,
      criterion: [
        sigmoid,
        new SigmoidFocalLoss({ alpha: null, gamma: 0, numClasses: 3, ignoreIndex: -1 }),
      ],
    });
    expect(mixed.logLoss.difference).toBeCloseTo(0, 9);
    expect(mixed.accuracy.pValue).toBe(1);
  });

  const fitLabels = (
    changes: FitCalibrationOptions,
    x = logits,
    y: Int8Array | Uint8Array = labels,
  ) => fitCalibration(x, y, { criterion: criteria[1], ...changes });
  const compare = (x: Float64Array, y: Float64Array, options: CompareModelsOptions) =>
    compareModels(x, y, labels, options);
  const nowhere = labels.map((label, k) => (k % 3 === 1 ? -1 : label));
  const state = fitLabels({ method: 'platt' }).toJSON();

  it.each([
    [
      () =>
        fitLabels(
          {},
          logits.map((x, k) => (k === 4 ? NaN : x)),
        ),
      RangeError,
      'logits: that of label 1 of row 1 must be finite, got NaN',
    ],
    [
      () => fitLabels({}, logits, nowhere),
      RangeError,
      'targets of label 1 must have a row that counts, got none',
    ],
    [
      () => fitLabels({ sampleWeights: [1, 2] }),
      RangeError,
      'sampleWeights must have one entry per row, 60, got 2',
    ],
    [
      () => fitLabels({ layout: 'channels-first' }),
      TypeError,
      'layout and spatialSize are for rows of one class each, not for labels',
    ],
    [
      () => fitLabels({}).apply(logits, { layout: 'channels-first' }),
      TypeError,
      "layout 'channels-first' is for rows of several classes alone",
    ],
    [
      () => fitLabels({}).apply(logits, { spatialSize: 2 }),
      TypeError,
      "spatialSize is for layout 'channels-first' alone",
    ],
    [
      () => Calibrator.fromJSON({ ...state, multiLabel: 1 as never }),
      TypeError,
      'state.multiLabel must be true or false, got 1',
    ],
    [
      () => Calibrator.fromJSON({ ...state, numClasses: 1 }),
      RangeError,
      'state.numClasses must be an integer in [2, 16777216], got 1',
    ],
    [
      () => compare(logits, logits, { criterion: [sigmoid, undefined] }),
      RangeError,
      'logitsB must have as many classes as logitsA, 3 labels, got 2',
    ],
    [
      () =>
        compareModels(logits, logits, targets, { criterion: [undefined, new SigmoidFocalLoss()] }),
      TypeError,
      'criterion[1] must be a loss on softmax logits where rows have several, got a SigmoidFocalLoss',
    ],
    [
      () => compare(logits, logits, { criterion: [undefined, new FocalLoss()] }),
      TypeError,
      'criterion[1] must be a loss on yes-or-no logits where rows have one, got a FocalLoss',
    ],
    [
      () => compare(logits, logits, { sampleWeights: new Float64Array(180) }),
      RangeError,
      'sampleWeights must be above 0 for a row that counts, got 0 for all of them',
    ],
  ] as const)('errors: %#', (call, kind, message) =>
    expectFailure(call, kind as ErrorConstructor, message),
  );
});
