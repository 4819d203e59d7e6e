import fc from 'fast-check';
import {
  type Calibration,
  type ClassificationReport,
  classificationReport,
  type FloatArray,
  FocalLoss,
  type ReportOptions,
  type Scores,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float32, float64 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';
import { randomProbabilities } from '../support/family.js';
import { generator } from '../support/random.js';
import fixtures from './fixtures/report.json';

/** A figure that may differ by rounding; `null`, as JSON has no NaN, is NaN. */
function expectFigure(
  actual: number,
  expected: number | null,
  where: string,
  tolerance = 1e-13,
): void {
  if (expected === null) expect(actual, where).toBeNaN();
  else
    expect(Math.abs(actual - expected), where).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(expected)),
    );
}

const dtypes = [
  ['float64', float64, 1e-13],
  // The losses of rows are in float32, everything else is in float64.
  ['float32', float32, 1e-7],
] as const;

const SCORES = ['precision', 'recall', 'specificity', 'f1', 'fBeta'] as const;

/** The names of zero divisions in the fixtures. */
const divisions = [
  ['0.0', 0],
  ['1.0', 1],
  ['nan', NaN],
] as const;

type Figures = (typeof fixtures.cases)[number]['plain'];

function expectScores(
  actual: Scores,
  expected: Record<string, number | null>,
  where: string,
): void {
  for (const name of SCORES) expectFigure(actual[name], expected[name], `${where} ${name}`);
}

function expectClasses(
  report: ClassificationReport,
  expected: Record<string, (number | null)[]>,
): void {
  report.classes.forEach((scores, j) => {
    for (const name of SCORES)
      expectFigure(scores[name], expected[name][j], `${name} of class ${j}`);
    expect(scores.support, `support of class ${j}`).toBe(expected.support[j]);
  });
}

function expectCalibration(
  { bins, expectedError, maximumError }: Calibration,
  expected: Figures['calibration'],
): void {
  expect(bins.map(({ rows }) => rows)).toEqual(expected.rows);
  const filled = bins.filter(({ rows }) => rows > 0);
  filled.forEach(({ accuracy, confidence }, i) => {
    expectFigure(accuracy, expected.accuracy[i], `accuracy of filled bin ${i}`);
    expectFigure(confidence, expected.confidence[i], `confidence of filled bin ${i}`);
  });
  expectFigure(expectedError, expected.expectedError, 'expected error');
  expectFigure(maximumError, expected.maximumError, 'maximum error');
}

/**
 * The figures of a report on classes or labels that do not depend on how zero divisions are taken.
 */
function expectShared(
  report: ClassificationReport,
  expected: Omit<Figures, 'scores' | 'topKAccuracy' | 'balancedAccuracy' | 'mcc' | 'kappa'>,
  tolerance: number,
): void {
  for (const name of ['accuracy', 'hammingLoss', 'brier'] as const)
    expectFigure(report[name], expected[name], name);
  expectFigure(report.logLoss, expected.logLoss, 'log loss', tolerance);
  expected.areas.forEach((area, j) => {
    expectFigure(report.classes[j].auc, area, `AUC of class ${j}`);
  });
  if (expected.auc !== null) expectFigure(report.auc, expected.auc, 'AUC');
  if (expected.weightedAuc !== null)
    expectFigure(report.weightedAuc, expected.weightedAuc, 'weighted AUC');
  expect([...(report.confusion ?? [])]).toEqual(expected.confusion);
  expectCalibration(report.calibration, expected.calibration);
}

function expectFigures(report: ClassificationReport, expected: Figures, tolerance: number): void {
  for (const name of ['balancedAccuracy', 'mcc', 'kappa'] as const)
    expectFigure(report[name], expected[name], name);
  expectShared(report, expected, tolerance);
}

const weightings = (one: { sampleWeights: number[] }) =>
  [
    ['plain', {}],
    ['weighted', { sampleWeights: Float32Array.from(one.sampleWeights) }],
  ] as const;

describe.each(fixtures.cases)("scikit-learn's figures: $name", (one) => {
  const targets = Uint8Array.from(one.targets);
  const { beta, bins } = fixtures;

  describe.each(weightings(one))('%s', (key, weights) => {
    const expected = one[key];
    const options: ReportOptions = { numClasses: one.classes, bins, beta, ...weights };

    it.each(dtypes)('%s', (_, { array }, tolerance) => {
      expectFigures(classificationReport(array(one.logits), targets, options), expected, tolerance);
    });

    it.each(divisions)('0 / 0 is %s', (name, zeroDivision) => {
      const scores = expected.scores[name];
      for (const averageOver of [undefined, 'present', 'all'] as const) {
        const changes = { ...options, zeroDivision, averageOver };
        const report = classificationReport(Float64Array.from(one.logits), targets, changes);
        expectClasses(report, scores.classes);
        for (const average of ['macro', 'weighted', 'micro'] as const) {
          expectScores(
            report[average],
            scores[averageOver ?? 'present'][average],
            `${average} over ${averageOver}`,
          );
        }
      }
    });

    it.each(Object.entries(expected.topKAccuracy))('top-%s accuracy', (k, accuracy) => {
      const report = classificationReport(Float64Array.from(one.logits), targets, {
        ...options,
        topK: Number(k),
      });
      expectFigure(report.topKAccuracy, accuracy, 'accuracy');
    });
  });
});

describe.each(fixtures.columns)("scikit-learn's figures: $name", (one) => {
  const { beta, bins } = fixtures;
  const sigmoid = new SigmoidFocalLoss();
  const ways: [string, ReportOptions][] = [
    ['numClasses', { numClasses: 1 }],
    ['a SigmoidFocalLoss', { criterion: sigmoid }],
  ];

  describe.each(weightings(one))('%s', (key, weights) => {
    it.each(ways)('by %s', (_, way) => {
      for (const [, { array }, tolerance] of dtypes) {
        for (const targets of [Uint8Array.from(one.targets), Float32Array.from(one.targets)]) {
          const options = { ...way, bins, beta, ...weights };
          const report = classificationReport(array(one.logits), targets, options);
          expectFigures(report, one[key], tolerance);
          expectClasses(report, one[key].scores['0.0'].classes);
          expectScores(report.macro, one[key].scores['0.0'].present.macro, 'macro');
          expect(report).toMatchObject({ numClasses: 2, multiLabel: false, samples: undefined });
        }
      }
    });
  });
});

describe.each(fixtures.labels)("scikit-learn's figures: $name", (one) => {
  const { beta, bins } = fixtures;
  const criterion = new SigmoidFocalLoss({ numClasses: one.classes });

  describe.each(weightings(one))('%s', (key, weights) => {
    const expected = one[key];
    const options: ReportOptions = { criterion, bins, beta, ...weights };

    it.each(dtypes)('%s', (_, { array }, tolerance) => {
      for (const targets of [
        Uint8Array.from(one.targets),
        BigInt64Array.from(one.targets, BigInt),
      ]) {
        const report = classificationReport(array(one.logits), targets, options);
        expectShared(report, expected, tolerance);
        expect(report).toMatchObject({
          numClasses: one.classes,
          multiLabel: true,
          rows: one.sampleWeights.length,
        });
        const { balancedAccuracy, topKAccuracy, mcc, kappa } = report;
        expect([balancedAccuracy, topKAccuracy, mcc, kappa]).toEqual(Array(4).fill(NaN));
      }
    });

    it.each(divisions)('0 / 0 is %s', (name, zeroDivision) => {
      const report = classificationReport(
        Float64Array.from(one.logits),
        Uint8Array.from(one.targets),
        {
          ...options,
          zeroDivision,
        },
      );
      const { classes, ...averages } = expected.scores[name];
      expectClasses(report, classes);
      for (const [average, scores] of Object.entries(averages)) {
        expectScores(report[average as 'samples'] as Scores, scores, average);
      }
    });
  });
});

/** From the definition: the share of pairs in the right order. */
function pairwiseArea(scores: number[], isPositive: boolean[]): number {
  let won = 0;
  let pairs = 0;
  scores.forEach((a, i) => {
    scores.forEach((b, k) => {
      if (!isPositive[i] || isPositive[k]) return;
      pairs++;
      won += a > b ? 1 : a === b ? 0.5 : 0;
    });
  });
  return won / pairs;
}

describe('areas under ROC curves', () => {
  const gap = fc.oneof(
    fc.integer({ min: -4, max: 4 }),
    // The logarithms of probabilities tell these apart.
    fc.double({ min: -700, max: 700, noNaN: true }).map((gap) => Math.round(gap * 1024) / 1024),
    fc.constantFrom(0, -0, 40, 40.0000001, 41, -40, -41, Infinity, -Infinity),
  );

  it('are the share of pairs in the right order', () => {
    const rows = fc.array(fc.record({ gap, positive: fc.boolean() }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(rows, (rows) => {
        // As -0 is 0, and Infinity is the other logit masked.
        const logits = rows.flatMap(({ gap }) => (gap === Infinity ? [-Infinity, 0] : [0, gap]));
        const labels = rows.map(({ positive }) => Number(positive));
        const { auc } = classificationReport(Float64Array.from(logits), Uint8Array.from(labels));
        const expected = pairwiseArea(
          rows.map(({ gap }) => gap),
          rows.map(({ positive }) => positive),
        );
        if (Number.isNaN(expected)) expect(auc).toBeNaN();
        else expect(Math.abs(auc - expected)).toBeLessThan(1e-14);
      }),
      { numRuns: 500, seed: 22 },
    );
  });

  it('tell apart what has become 1 as a probability', () => {
    const logits = Float64Array.of(0, 50, 0, 51, 0, 60, 0, 600);
    expect(classificationReport(logits, Uint8Array.of(0, 1, 0, 1)).auc).toBe(0.75);
  });

  it('for more than two classes are those of each against all others', () => {
    const { logits, targets } = randomBatch(float64, 80, 4, 23);
    const report = classificationReport(logits, targets);
    const areas = [0, 1, 2, 3].map((j) => {
      const scores = Array.from(targets, (_, i) => {
        const row = Array.from(logits.subarray(4 * i, 4 * i + 4), Math.exp);
        return row[j] / row.reduce((a, b) => a + b);
      });
      return pairwiseArea(
        scores,
        Array.from(targets, (target) => target === j),
      );
    });
    areas.forEach((area, j) => {
      expect(report.classes[j].auc).toBeCloseTo(area, 14);
    });
    expect(report.auc).toBeCloseTo(areas.reduce((a, b) => a + b) / 4, 14);
  });

  it('can be left out', () => {
    const report = classificationReport(new Float32Array(6), Uint8Array.of(0, 1, 1), {
      auc: false,
    });
    expect([report.auc, report.weightedAuc, report.classes[0].auc, report.classes[1].auc]).toEqual(
      Array(4).fill(NaN),
    );
  });
});

/** A random batch with ties, and NaNs of some rows. */
const batches = fc.record({
  classes: fc.integer({ min: 2, max: 6 }),
  rows: fc.array(
    fc.record({
      logits: fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 6, maxLength: 6 }),
      target: fc.nat(5),
    }),
    {
      minLength: 1,
      maxLength: 50,
    },
  ),
  seed: fc.nat(),
});

const flatten = (rows: { logits: number[]; target: number }[], classes: number) =>
  [
    Float64Array.from(rows.flatMap(({ logits }) => logits.slice(0, classes))),
    Int8Array.from(rows, ({ target }) => target % classes),
  ] as const;

it('does not depend on the order of the rows', () => {
  fc.assert(
    fc.property(batches, ({ classes, rows, seed }) => {
      const random = generator(seed);
      const keys = new Map(rows.map((row) => [row, random()]));
      const shuffled = rows.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
      const report = classificationReport(...flatten(rows, classes));
      const other = classificationReport(...flatten(shuffled, classes));
      // Counts are the same; sums are, to rounding.
      for (const name of [
        'accuracy',
        'balancedAccuracy',
        'auc',
        'weightedAuc',
        'classes',
        'confusion',
      ] as const) {
        expect(other[name], name).toEqual(report[name]);
      }
      expectFigure(other.logLoss, report.logLoss, 'log loss');
      expectFigure(other.brier, report.brier, 'Brier score');
      expectFigure(
        other.calibration.expectedError,
        report.calibration.expectedError,
        'calibration',
      );
    }),
    { numRuns: 200, seed: 23 },
  );
});

it('leaves rows to be ignored out', () => {
  fc.assert(
    fc.property(batches, fc.constantFrom(0, 1, -100), ({ classes, rows }, ignoreIndex) => {
      const [logits, targets] = flatten(rows, classes);
      if (ignoreIndex < 0) targets[0] = ignoreIndex;
      const kept = rows.filter((_, i) => targets[i] !== ignoreIndex);
      const options = { numClasses: classes };
      const report = classificationReport(logits, targets, { ...options, ignoreIndex });
      const expected = classificationReport(...flatten(kept, classes), options);
      expect(report).toEqual(expected);
      expect(report.rows).toBe(kept.length);
    }),
    { numRuns: 200, seed: 24 },
  );
});

describe('input', () => {
  const { logits, targets } = randomBatch(float64, 30, 3, 25);
  const expected = classificationReport(logits, targets);

  it('may have targets of any integer kind', () => {
    for (const Kind of [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Uint32Array,
    ]) {
      expect(classificationReport(logits, Kind.from(targets))).toEqual(expected);
    }
    for (const Kind of [BigInt64Array, BigUint64Array]) {
      expect(classificationReport(logits, Kind.from(Array.from(targets, BigInt)))).toEqual(
        expected,
      );
    }
  });

  it('may have the classes first', () => {
    for (const spatialSize of [30, 10, 5]) {
      const turned = new Float64Array(90);
      for (let i = 0; i < 30; i++) {
        const sample = Math.floor(i / spatialSize);
        for (let j = 0; j < 3; j++)
          turned[(sample * 3 + j) * spatialSize + (i % spatialSize)] = logits[3 * i + j];
      }
      const options: ReportOptions = { layout: 'channels-first', numClasses: 3, spatialSize };
      expect(classificationReport(turned, targets, options)).toEqual(expected);
    }
  });

  it('may have certain probabilities for targets, which are as class indices', () => {
    const soft = new Float64Array(90);
    targets.forEach((target, i) => {
      soft[3 * i + target] = 1;
    });
    const report = classificationReport(logits, soft, { numClasses: 3 });
    expectFigure(report.brier, expected.brier, 'Brier score');
    expectFigure(report.logLoss, expected.logLoss, 'log loss');
    expect({ ...report, brier: 0, logLoss: 0 }).toEqual({ ...expected, brier: 0, logLoss: 0 });
  });

  it('may have probabilities for targets: the most probable class, and all of them in log loss and Brier score', () => {
    const soft = randomProbabilities(float64, 30, 3, 26);
    const report = classificationReport(logits, soft, { numClasses: 3 });
    let logLoss = 0;
    let brier = 0;
    const labels = Uint8Array.from({ length: 30 }, (_, i) => {
      const q = [...soft.subarray(3 * i, 3 * i + 3)];
      const terms = Array.from(logits.subarray(3 * i, 3 * i + 3), Math.exp);
      const total = terms.reduce((a, b) => a + b);
      q.forEach((qj, j) => {
        logLoss -= (qj * Math.log(terms[j] / total)) / 30;
        brier += (terms[j] / total - qj) ** 2 / 30;
      });
      return q.indexOf(Math.max(...q));
    });
    expectFigure(report.logLoss, logLoss, 'log loss');
    expectFigure(report.brier, brier, 'Brier score');
    const hard = classificationReport(logits, labels);
    expect({ ...report, brier: 0, logLoss: 0 }).toEqual({ ...hard, brier: 0, logLoss: 0 });
  });

  it.runIf(globalThis.Float16Array !== undefined)('may be in half precision', () => {
    const half = Float16Array.from(logits);
    expect(classificationReport(half, targets)).toEqual(
      classificationReport(new Float32Array(half), targets),
    );
  });

  it('may have no rows', () => {
    const report = classificationReport(new Float32Array(0), new Uint8Array(0), { numClasses: 3 });
    const { macro, weighted, micro, auc, brier, logLoss, accuracy, balancedAccuracy, calibration } =
      report;
    expect(report).toMatchObject({
      rows: 0,
      numClasses: 3,
      nonFinite: 0,
      confusion: new Uint32Array(9),
    });
    expect([auc, brier, logLoss, accuracy, balancedAccuracy, micro.f1, weighted.f1]).toEqual(
      Array(7).fill(NaN),
    );
    expect([calibration.expectedError, calibration.maximumError]).toEqual([NaN, NaN]);
    expect([macro.f1, macro.specificity, report.mcc, report.kappa, report.topKAccuracy]).toEqual(
      Array(5).fill(NaN),
    );
    expect([report.classes[2].support, report.classes[2].recall]).toEqual([0, 0]);
    const all = classificationReport(new Float32Array(0), new Uint8Array(0), {
      numClasses: 3,
      averageOver: 'all',
    });
    expect([all.macro.f1, all.weighted.f1, all.micro.f1]).toEqual([NaN, NaN, NaN]);
    expect(classificationReport(new Float32Array(0), new Uint8Array(0)).numClasses).toBe(0);
  });

  it('may have all rows ignored', () => {
    const all = classificationReport(logits, new Int8Array(30).fill(-1), { ignoreIndex: -1 });
    expect(all).toEqual(
      classificationReport(new Float64Array(0), new Uint8Array(0), { numClasses: 3 }),
    );
  });

  it.each([NaN, Infinity])(
    'may have a logit of %f: what depends on it is NaN, and what does not is there',
    (bad) => {
      const spoilt = logits.slice();
      spoilt[31] = bad; // class 1 of row 10
      const report = classificationReport(spoilt, targets);
      const { auc, brier, logLoss, calibration } = report;
      expect(report.nonFinite).toBe(1);
      expect([auc, brier, logLoss, calibration.expectedError]).toEqual([NaN, NaN, NaN, NaN]);
      const finite = logits.slice();
      finite[31] = 1000;
      const { accuracy, macro, confusion } = classificationReport(finite, targets);
      expect(report).toMatchObject({ accuracy, macro, confusion });
      expect(String(report)).toContain('\n1 of 30 rows have logits that are NaN or Infinity.');
    },
  );

  it('may have classes that are masked', () => {
    const masked = new Float64Array(120).fill(-Infinity);
    for (let i = 0; i < 30; i++) masked.set(logits.subarray(3 * i, 3 * i + 3), 4 * i);
    const { classes, ...report } = classificationReport(masked, targets);
    expectFigure(report.logLoss, expected.logLoss, 'log loss');
    expectFigure(report.brier, expected.brier, 'Brier score');
    expect(classes.slice(0, 3)).toEqual(expected.classes);
    expect(classes[3]).toMatchObject({ support: 0, predicted: 0, auc: NaN });
  });
});

it('keeps the digits of what is nearly certain', () => {
  // p = 1 - exp(-40), which as a float64 is 1.
  const report = classificationReport(Float64Array.of(40, 0), Uint8Array.of(0));
  expect(report.brier / Math.exp(-80)).toBeCloseTo(1, 13);
  expect(report.logLoss / Math.exp(-40)).toBeCloseTo(1, 13);
});

it('is a table as text', () => {
  const logits = new Float64Array([2, 0, 1, 0, 0, 1, 0.5, 0]);
  const report = classificationReport(logits, new Uint8Array([0, 0, 1, 1]));
  expect(Object.keys(report)).not.toContain('toString');
  expect(`${report}`).toBe(`\
class             precision  recall  specificity      F1     AUC  rows
0                    0.6667  1.0000       0.5000  0.8000  1.0000     2
1                    1.0000  0.5000       1.0000  0.6667  1.0000     2
macro average        0.8333  0.7500       0.7500  0.7333  1.0000     4
weighted average     0.8333  0.7500       0.7500  0.7333  1.0000     4
micro average        0.7500  0.7500       0.7500  0.7500             4

accuracy                    0.7500
balanced accuracy           0.7500
Matthews correlation        0.5774
Cohen's kappa               0.5000
average precision           1.0000
log loss                    0.4319
Brier score                 0.1366
expected calibration error  0.3199
maximum calibration error   0.6225

class \\ predicted  0  1
0                  2  0
1                  1  1`);
  const many = classificationReport(new Float32Array(21), Uint8Array.of(3), { numClasses: 21 });
  expect(many.toString()).toMatch(/^20 +0.0000 +0.0000 +1.0000 +0.0000 +- +0$/m);
  expect(many.toString()).not.toContain('predicted');
});

const two = [new Float32Array(4), new Uint8Array(2)] as const;

it.each<[() => unknown, ErrorConstructor, string]>([
  [
    () => classificationReport(['1', 2] as never, two[1]),
    TypeError,
    'logits[0] must be a number, got "1"',
  ],
  [
    () => classificationReport(new Float32Array(5), two[1]),
    RangeError,
    'logits.length must be a multiple of targets.length, 2, got 5',
  ],
  [
    () => classificationReport(two[0], Uint8Array.of(0, 7)),
    RangeError,
    'targets[1] must be a class in [0, 2), got 7',
  ],
  [
    () => classificationReport(two[0], Float64Array.of(1, 0, 1, 1), { numClasses: 2 }),
    RangeError,
    'targets: the probabilities of row 1 must add up to 1, within 0.001, got 2',
  ],
  [
    () => classificationReport(two[0], new Float32Array(4)),
    TypeError,
    'numClasses must be given where targets are probabilities',
  ],
  [
    () => classificationReport(...two, { bins: 0 }),
    RangeError,
    'bins must be an integer in [1, 10000], got 0',
  ],
  [
    () => classificationReport(...two, { zeroDivision: 2 }),
    RangeError,
    'zeroDivision must be 0, 1 or NaN, got 2',
  ],
  [
    () => classificationReport(...two, { auc: 1 as never }),
    TypeError,
    'auc must be true or false, got 1',
  ],
  [
    () => classificationReport(...two, { gamma: 1 } as never),
    TypeError,
    'unknown option "gamma"; known are numClasses, ignoreIndex, layout, spatialSize, bins, zeroDivision, auc, confusion, averageOver, ' +
      'beta, topK, classNames, sampleWeights, criterion, intervals',
  ],
  [
    () => classificationReport(...two, { layout: 'rows' as never }),
    TypeError,
    "layout must be 'channels-last' or 'channels-first', got \"rows\"",
  ],
  [
    () => classificationReport(new Float32Array(2 ** 18), Int32Array.of(5)),
    RangeError,
    'not enough memory for a confusion matrix of 262144 classes: leave it out with confusion: false',
  ],
])('refuses what it cannot make sense of %#', expectFailure);

it('takes very many classes without a confusion matrix', () => {
  const logits: FloatArray = new Float32Array(2 ** 19);
  logits[5] = 1;
  const report = classificationReport(logits, Int32Array.of(5, 0), { confusion: false });
  expect(report).toMatchObject({ accuracy: 1, confusion: undefined, numClasses: 2 ** 18 });
  // Two rows, in both of which all other classes are alike.
  const { logLoss } = report;
  const expected = new FocalLoss({ alpha: null, gamma: 0 }).forward(logits, Int32Array.of(5, 0));
  expectFigure(logLoss, expected, 'log loss', 1e-7);
});
