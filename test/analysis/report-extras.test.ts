import fc from 'fast-check';
import {
  type ClassificationReport,
  CrossEntropyLoss,
  classificationReport,
  classificationReportAsync,
  FocalLoss,
  type ReportAsyncOptions,
  type ReportOptions,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float32, float64 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';
import { randomProbabilities } from '../support/family.js';
import { generator } from '../support/random.js';

describe('rows that tie exactly', () => {
  /** The area of the class of two rows, the first of which is of another class. */
  const area = (first: number[], second: number[], j: number) => {
    const targets = Uint8Array.of(j === 0 ? 1 : 0, j);
    return classificationReport(Float64Array.of(...first, ...second), targets).classes[j].auc;
  };

  it('have an area of 1/2: all rows of four logits from -3 to 3, and those that they become when three change places', () => {
    const values = [-3, -2, -1, 0, 1, 2, 3];
    const pairs = values.flatMap((a) => values.map((b) => [a, b]));
    for (const [[a, b], [c, d]] of pairs.flatMap((ab) => pairs.map((cd) => [ab, cd]))) {
      const areas = [
        [a, b, d, c],
        [a, c, b, d],
        [a, c, d, b],
        [a, d, b, c],
        [a, d, c, b],
      ].map((moved) => area([a, b, c, d], moved, 0));
      if (areas.some((area) => area !== 0.5))
        expect.fail(`the areas of ${[a, b, c, d]} are ${areas}`);
    }
  });

  it('have an area of 1/2, whatever the logits, their number and what is added to all of them', () => {
    // Sums of these are exact.
    const logit = fc.oneof(
      fc.integer({ min: -(2 ** 20), max: 2 ** 20 }).map((n) => n / 1024),
      fc.integer({ min: -8, max: 8 }),
      fc.constantFrom(-Infinity, -700, -745, -40, 0),
    );
    const row = fc.array(logit, { minLength: 3, maxLength: 40 });
    fc.assert(
      fc.property(row, fc.integer({ min: -64, max: 64 }), fc.nat(), (logits, shift, seed) => {
        fc.pre(logits.some(Number.isFinite));
        const random = generator(seed);
        const [first, ...others] = logits;
        const keys = new Map(others.map((_, i) => [i, random()]));
        const order = [...keys.keys()].sort(
          (i, k) => (keys.get(i) as number) - (keys.get(k) as number),
        );
        const moved = [first, ...order.map((i) => others[i])].map((x) => x + shift);
        expect(area(logits, moved, 0)).toBe(0.5);
      }),
      { numRuns: 3000, seed: 17 },
    );
  });

  it('are told from those that are apart by some roundings', () => {
    // The first class has the same logit; the others add up to a little more in the second row.
    for (let gap = 1e-13; gap < 1; gap *= 10) {
      expect(area([1, 0, 0.5, 0.25], [1, gap, 0.5, 0.25], 0)).toBe(0);
      expect(area([1, gap, 0.5, 0.25], [1, 0, 0.5, 0.25], 0)).toBe(1);
    }
    expect(area([0, 0, -40], [0, 0, -40.5], 0)).toBe(0.5); // both are 1/2 to the last bit
    expect(area([9, -40, -41], [9, -40, -41.001], 0)).toBe(1);
  });

  it('do so where there are very many classes', () => {
    const { logits } = randomBatch(float32, 1, 5000, 3);
    const rows = Float32Array.of(...logits, logits[0], ...logits.subarray(1).toReversed());
    const report = classificationReport(rows, Uint16Array.of(0, 1), {
      confusion: false,
      numClasses: 5000,
    });
    expect(report.classes[0].auc).toBe(0.5);
  });
});

/** Everything but what rounding may change. */
function rounded(report: ClassificationReport): string {
  return JSON.stringify(report, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(11)) : value,
  );
}

describe('sampleWeights', () => {
  const batches = fc.record({
    classes: fc.integer({ min: 2, max: 5 }),
    rows: fc.integer({ min: 1, max: 30 }),
    seed: fc.nat(),
  });

  it.each<[string, (classes: number) => ReportOptions, number]>([
    ['classes', (numClasses) => ({ numClasses }), 0],
    ['labels', (numClasses) => ({ criterion: new SigmoidFocalLoss({ numClasses }) }), 1],
  ])('that are whole numbers are rows that are repeated: %s', (_, optionsOf, isMultiLabel) => {
    fc.assert(
      fc.property(batches, ({ classes, rows, seed }) => {
        const random = generator(seed);
        const logits = Float64Array.from({ length: rows * classes }, () =>
          Math.round(8 * random() - 4),
        );
        const width = isMultiLabel ? classes : 1;
        const targets = Uint8Array.from({ length: rows * width }, () =>
          Math.floor(random() * (isMultiLabel ? 2 : classes)),
        );
        const weights = Float64Array.from({ length: rows }, () => 1 + Math.floor(3 * random()));
        const repeat = (
          array: Iterable<number> & { slice(start: number, end: number): Iterable<number> },
          size: number,
        ) =>
          [...weights].flatMap((weight, i) =>
            Array.from({ length: weight }, () => [...array.slice(i * size, (i + 1) * size)]).flat(),
          );
        const options = optionsOf(classes);
        const { confusion, ...weighted } = classificationReport(logits, targets, {
          ...options,
          sampleWeights: weights,
        });
        const repeated = Float64Array.from(repeat(logits, classes));
        const expected = classificationReport(
          repeated,
          Uint8Array.from(repeat(targets, width)),
          options,
        );
        expect(rounded({ ...weighted, rows: 0, confusion: undefined })).toBe(
          rounded({ ...expected, rows: 0, confusion: undefined }),
        );
        expect(weighted.rows).toBe(rows);
        expect(confusion).toBeInstanceOf(Float64Array);
        expect([...(confusion ?? [])]).toEqual([...(expected.confusion ?? [])]);
      }),
      { numRuns: 200, seed: 30 },
    );
  });

  it('may be any numbers: all figures are the same for weights that are twice as large', () => {
    const { logits, targets } = randomBatch(float64, 50, 4, 31);
    const random = generator(32);
    const sampleWeights = Float64Array.from(targets, () => random());
    const report = classificationReport(logits, targets, { sampleWeights });
    const twice = classificationReport(logits, targets, {
      sampleWeights: sampleWeights.map((weight) => 2 * weight),
    });
    const { classes, confusion, calibration, ...figures } = report;
    expect(twice).toMatchObject(figures);
    expect(twice.classes[1].support).toBe(2 * classes[1].support);
    expect(report.classes.reduce((sum, { support }) => sum + support, 0)).toBeCloseTo(
      sampleWeights.reduce((a, b) => a + b),
      10,
    );
  });

  it('may be plain, as logits and targets may', () => {
    const { logits, targets } = randomBatch(float64, 6, 3, 44);
    const sampleWeights = [1, 0.5, 2, 0, 1, 3];
    const rows = [0, 3, 6, 9, 12, 15].map((start) => [...logits.slice(start, start + 3)]);
    const expected = classificationReport(logits, targets, {
      sampleWeights: Float64Array.from(sampleWeights),
    });
    expect(classificationReport(rows, [...targets], { sampleWeights })).toEqual(expected);
    const criterion = new SigmoidFocalLoss();
    const column = classificationReport([2, -1, 0.5, -3], [1, 0, 0, 1], { criterion });
    expect(column).toEqual(
      classificationReport(Float64Array.of(2, -1, 0.5, -3), Uint8Array.of(1, 0, 0, 1), {
        criterion,
      }),
    );
    const labels = [
      [1, 0],
      [0, 1],
    ];
    const report = classificationReport(
      [
        [2, -1],
        [0.5, -3],
      ],
      labels,
      { criterion },
    );
    expect(report).toMatchObject({ multiLabel: true, numClasses: 2, rows: 2, hammingLoss: 0.5 });
  });

  it('leave nothing over where all rows are of one class, or predicted to be', () => {
    const sampleWeights = Float64Array.from({ length: 9 }, (_, i) => 0.1 + i / 7);
    const logits = Float64Array.from({ length: 27 }, (_, i) => (i % 3 === 1 ? 1 : 0));
    const mixed = Uint8Array.from({ length: 9 }, (_, i) => i % 3);
    const { mcc, kappa, classes } = classificationReport(logits, mixed, { sampleWeights });
    expect(mcc).toBe(0);
    expect(kappa).toBeCloseTo(0, 15);
    expect(classes.map(({ specificity }) => specificity)).toEqual([1, 0, 1]);
    const alike = classificationReport(logits, new Uint8Array(9).fill(1), { sampleWeights });
    expect([alike.mcc, alike.kappa, alike.accuracy]).toEqual([0, NaN, 1]);
  });

  it('go with the rows that count, in any layout', () => {
    const { logits, targets } = randomBatch(float64, 24, 3, 33);
    const random = generator(34);
    const sampleWeights = Float64Array.from(targets, () => random());
    const turned = new Float64Array(72);
    for (let i = 0; i < 24; i++) {
      for (let j = 0; j < 3; j++)
        turned[(Math.floor(i / 8) * 3 + j) * 8 + (i % 8)] = logits[3 * i + j];
    }
    const ignoreIndex = 2;
    const expected = classificationReport(logits, targets, { sampleWeights, ignoreIndex });
    const options: ReportOptions = {
      sampleWeights,
      ignoreIndex,
      layout: 'channels-first',
      numClasses: 3,
      spatialSize: 8,
    };
    expect(classificationReport(turned, targets, options)).toEqual(expected);
    const kept = [...targets.keys()].filter((i) => targets[i] !== ignoreIndex);
    const alone = classificationReport(
      Float64Array.from(kept.flatMap((i) => [...logits.subarray(3 * i, 3 * i + 3)])),
      Uint8Array.from(kept, (i) => targets[i]),
      { sampleWeights: Float64Array.from(kept, (i) => sampleWeights[i]) },
    );
    expect(expected).toEqual(alone);
  });
});

describe('a criterion', () => {
  const { logits, targets } = randomBatch(float64, 30, 3, 35);

  it('says what is ignored, how many classes there are and how they lie, and nothing else', () => {
    const criterion = new FocalLoss({
      ignoreIndex: 1,
      numClasses: 3,
      gamma: 5,
      labelSmoothing: 0.3,
      alpha: [1, 2, 3],
    });
    const expected = classificationReport(logits, targets, { ignoreIndex: 1 });
    expect(classificationReport(logits, targets, { criterion })).toEqual(expected);
    const other = classificationReport(logits, targets, { criterion, ignoreIndex: 0 });
    expect(other).toEqual(classificationReport(logits, targets, { ignoreIndex: 0 }));
    const soft = randomProbabilities(float64, 30, 3, 36);
    expect(
      classificationReport(logits, soft, { criterion: new CrossEntropyLoss({ numClasses: 3 }) }),
    ).toEqual(classificationReport(logits, soft, { numClasses: 3 }));
  });

  it('may leave labels of rows out, and rows with none', () => {
    const criterion = new SigmoidFocalLoss({ numClasses: 3, ignoreIndex: -1 });
    const x = Float64Array.of(1, -1, 2, 0.5, -3, 1, 4, 4, 4);
    const y = Int8Array.of(1, 0, -1, -1, 1, 1, -1, -1, -1);
    const report = classificationReport(x, y, { criterion });
    expect(report).toMatchObject({ rows: 2, accuracy: 0.5, hammingLoss: 0.25 });
    expect(report.classes.map(({ support, predicted }) => [support, predicted])).toEqual([
      [1, 1],
      [1, 0],
      [1, 1],
    ]);
    expect([...(report.confusion ?? [])]).toEqual([0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1]);
    expect(report.classes.map(({ auc }) => auc)).toEqual([NaN, 0, NaN]);
    expect(report.samples).toMatchObject({ recall: 0.75, precision: 1 });
    const sum = new SigmoidFocalLoss({ alpha: null, gamma: 0, ignoreIndex: -1 }).forward(x, y);
    expect(report.logLoss).toBeCloseTo(sum, 14);
    const none = classificationReport(x, new Int8Array(9).fill(-1), { criterion });
    expect([none.rows, none.accuracy, none.macro.f1, none.samples?.f1]).toEqual([0, NaN, NaN, NaN]);
  });

  it('may have probabilities for labels', () => {
    const criterion = new SigmoidFocalLoss({ numClasses: 2 });
    const x = Float64Array.of(1, -1, 2, 0);
    const y = Float64Array.of(0.75, 0.25, 0.5, 1);
    const report = classificationReport(x, y, { criterion });
    expect(report.classes.map(({ support }) => support)).toEqual([1, 1]);
    const p = Array.from(x, (logit) => 1 / (1 + Math.exp(-logit)));
    expect(report.brier).toBeCloseTo(p.reduce((sum, one, i) => sum + (one - y[i]) ** 2, 0) / 4, 14);
    expect(report.logLoss).toBeCloseTo(
      new SigmoidFocalLoss({ alpha: null, gamma: 0 }).forward(x, y),
      14,
    );
  });

  it('goes with tensors, whose shapes say how many labels there are', () => {
    const x = Float32Array.of(1, -1, 2, 0, -1, 1);
    const y = Uint8Array.of(1, 0, 1, 1, 0, 0);
    const expected = classificationReport(x, y, {
      criterion: new SigmoidFocalLoss({ numClasses: 2 }),
    });
    const tensors = [
      { data: x, dims: [3, 2] },
      { data: y, shape: [3, 2] },
    ] as const;
    expect(classificationReport(...tensors, { criterion: new SigmoidFocalLoss() })).toEqual(
      expected,
    );
    const column = classificationReport(x, y, { numClasses: 1 });
    const criterion = new SigmoidFocalLoss();
    expect(
      classificationReport({ data: x, dims: [6, 1] }, { data: y, dims: [6, 1] }, { criterion }),
    ).toEqual(column);
    expect(classificationReport({ data: x, dims: [6, 1] }, { data: y, dims: [6] })).toEqual(column);
  });

  it('of labels: a logit that is NaN or Infinity spoils its label, and what all have part in', () => {
    const criterion = new SigmoidFocalLoss({ numClasses: 2 });
    const y = Uint8Array.of(1, 0, 0, 1, 1, 1);
    for (const bad of [NaN, Infinity]) {
      const report = classificationReport(Float64Array.of(1, -1, bad, 2, 3, 4), y, { criterion });
      expect(report.nonFinite).toBe(1);
      expect([report.logLoss, report.brier, report.classes[0].auc]).toEqual([NaN, NaN, NaN]);
      expect(report.classes[1].auc).toBe(1);
      expect(String(report)).toContain('\n1 labels have logits that are NaN or Infinity.');
    }
  });
});

describe('topK', () => {
  it('1 is the accuracy, also among equals and NaN; all classes are certain', () => {
    const row = fc.array(fc.constantFrom(-1, 0, 1, NaN, -0), { minLength: 4, maxLength: 4 });
    const rows = fc.array(fc.record({ row, target: fc.nat(3) }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(rows, (rows) => {
        const logits = Float64Array.from(rows.flatMap(({ row }) => row));
        const targets = Uint8Array.from(rows, ({ target }) => target);
        const accuracies = [1, 2, 3, 4, 9].map(
          (topK) => classificationReport(logits, targets, { topK }).topKAccuracy,
        );
        expect(accuracies[0]).toBe(classificationReport(logits, targets).accuracy);
        expect(accuracies).toEqual([...accuracies].sort((a, b) => a - b));
        expect(accuracies.slice(3)).toEqual([1, 1]);
        // Every class is the target of each row once: so many of them are among the first.
        const each = [0, 1, 2, 3].map(
          (j) => classificationReport(logits, targets.fill(j), { topK: 3 }).topKAccuracy,
        );
        expect(each.reduce((a, b) => a + b)).toBeCloseTo(3, 12);
      }),
      { numRuns: 300, seed: 37 },
    );
  });
});

describe('classificationReportAsync', () => {
  const { logits, targets } = randomBatch(float32, 60_000, 12, 38);
  const labels = Uint8Array.from(logits, (logit) => (logit > 0.5 ? 1 : 0));
  const sampleWeights = Float32Array.from(targets, (target) => target / 3);
  const multiLabel = new SigmoidFocalLoss({ numClasses: 12 });

  it.each<[string, Parameters<typeof classificationReport>]>([
    ['classes', [logits, targets]],
    ['weights', [logits, targets, { sampleWeights, auc: false }]],
    ['ignored rows', [logits, targets, { ignoreIndex: 3 }]],
    [
      'classes first',
      [logits, targets, { layout: 'channels-first', numClasses: 12, spatialSize: 1000 }],
    ],
    ['one sample', [logits, targets, { layout: 'channels-first', numClasses: 12, auc: false }]],
    ['probabilities', [logits, randomProbabilities(float32, 60_000, 12, 39), { numClasses: 12 }]],
    ['one column', [logits, labels, { numClasses: 1 }]],
    ['labels', [logits, labels, { criterion: multiLabel, sampleWeights }]],
    ['few rows', [logits.subarray(0, 24), targets.subarray(0, 2)]],
    ['no rows', [logits.subarray(0, 0), targets.subarray(0, 0), { numClasses: 12 }]],
  ])('gives the same, to the last bit, and says how far it is: %s', async (_, [x, y, options]) => {
    const steps: [number, number][] = [];
    const others: number[] = [];
    const turn = setInterval(() => others.push(steps.length));
    const report = await classificationReportAsync(x, y, {
      ...options,
      onProgress: (...step) => steps.push(step),
    });
    clearInterval(turn);
    const expected = classificationReport(x, y, options);
    expect(report).toEqual(expected);
    expect(String(report)).toBe(String(expected));
    const rows = x === logits && y !== labels ? 60_000 : steps[0][1];
    expect(steps.map(([, of]) => of)).toEqual(steps.map(() => rows));
    const done = steps.map(([done]) => done);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(rows);
    expect(done.every(Number.isInteger)).toBe(true);
    if (x === logits) expect(others.length).toBeGreaterThan(1);
  });

  it('can be aborted, before it begins and while it is at it', async () => {
    const early = classificationReportAsync(logits, targets, {
      signal: AbortSignal.abort(new Error('early')),
    });
    await expect(early).rejects.toThrow('early');
    const controller = new AbortController();
    const steps: number[] = [];
    const onProgress = (done: number) => {
      steps.push(done);
      controller.abort(new Error('enough'));
    };
    const late = classificationReportAsync(logits, targets, {
      signal: controller.signal,
      onProgress,
    });
    await expect(late).rejects.toThrow('enough');
    expect(steps).toHaveLength(1);
    expect(steps[0]).toBeLessThan(60_000);
  });

  it('is rejected for what the other throws', async () => {
    await expect(classificationReportAsync(logits, targets.with(50_000, 12))).rejects.toThrow(
      new RangeError('targets[50000] must be a class in [0, 12), got 12'),
    );
    await expect(classificationReportAsync(logits, targets, { bins: 0 })).rejects.toThrow(
      RangeError,
    );
    await expect(
      classificationReportAsync(logits, targets, { metric: 1 } as ReportAsyncOptions),
    ).rejects.toThrow('unknown option "metric"');
    const failing = classificationReportAsync(logits, targets, {
      onProgress: () => {
        throw new Error('of the caller');
      },
    });
    await expect(failing).rejects.toThrow('of the caller');
    expect(() =>
      classificationReport(logits, targets, { signal: undefined } as ReportOptions),
    ).toThrow('unknown option "signal"');
  });
});

describe('as text', () => {
  const names = ['cat', 'a dog with a name that is much too long', '猫\n\tx', '', 'e'];

  it('a report has the names of classes, figures that are asked for, and no line of more than 80 columns', () => {
    const { logits, targets } = randomBatch(float64, 400, 5, 40);
    const options = {
      classNames: names,
      beta: 0.5,
      topK: 3,
      sampleWeights: Float64Array.from(targets, (t) => 1e4 + t / 7),
    };
    const text = String(classificationReport(logits, targets, options));
    const lines = text.split('\n');
    expect(lines[0]).toMatch(/^class +precision {2}recall {2}specificity {4}F0.5 {5}AUC +rows$/);
    expect(lines[1]).toMatch(/^cat +0\.\d{4} /);
    expect(lines[2]).toMatch(/^a dog with a name \.\. +0\.\d{4} /);
    expect(lines[3]).toMatch(/^猫 x +0\.\d{4} /);
    expect(text).toContain('\ntop-3 accuracy  ');
    const widths = lines.map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
    // All lines of the table of classes end in the same column.
    expect(new Set(widths.slice(0, 9)).size).toBe(1);
  });

  it('a confusion matrix of many classes is cut into tables of 80 columns', () => {
    const { logits, targets } = randomBatch(float64, 4000, 20, 41);
    const classNames = Array.from({ length: 20 }, (_, j) => `class number ${j}`);
    const report = classificationReport(logits, targets, { classNames });
    const text = String(report);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    const tables = text.split('\n\n').slice(2);
    expect(tables.length).toBeGreaterThan(1);
    const cells = tables.map((table) =>
      table
        .split('\n')
        .map((line) => line.slice('class \\ predicted'.length).trim().split(/ {2,}/)),
    );
    const numbers = cells.map((lines) => lines.slice(1).map((line) => line.map(Number)));
    const whole = classNames.flatMap((_, i) => numbers.flatMap((table) => table[i]));
    expect(whole).toEqual([...(report.confusion ?? [])]);
  });

  it('labels have their own figures', () => {
    const criterion = new SigmoidFocalLoss({ numClasses: 2 });
    const report = classificationReport(
      Float64Array.of(2, -1, -1, 1, 1, 1),
      Uint8Array.of(1, 0, 0, 1, 1, 0),
      {
        criterion,
        classNames: ['sky', 'sea'],
      },
    );
    expect(String(report)).toBe(`\
class             precision  recall  specificity      F1     AUC  rows
sky                  1.0000  1.0000       1.0000  1.0000  1.0000     2
sea                  0.5000  1.0000       0.5000  0.6667  0.7500     1
macro average        0.7500  1.0000       0.7500  0.8333  0.8750     3
weighted average     0.8333  1.0000       0.8333  0.8889  0.9167     3
micro average        0.7500  1.0000       0.6667  0.8571             3
samples average      0.8333  1.0000       0.6667  0.8889             3

rows with all labels right  0.6667
Hamming loss                0.1667
average precision           0.7500
log loss                    0.4489
Brier score                 0.1397
expected calibration error  0.0773
maximum calibration error   0.1192

label  true no  false yes  false no  true yes
sky          1          0         0         2
sea          1          1         0         1`);
  });
});

describe('a warning', () => {
  const { targets } = randomBatch(float64, 40, 3, 42);
  const shares = randomProbabilities(float64, 40, 3, 43);

  it('says that logits look like probabilities, in the text as well', () => {
    const single = Float64Array.from(targets, (_, i) => shares[3 * i]);
    const yes = Uint8Array.from(targets, (target) => target % 2);
    const labels = Uint8Array.from(shares, (share) => Math.round(share));
    for (const report of [
      classificationReport(shares, targets),
      classificationReport(single, yes, { numClasses: 1 }),
      classificationReport(shares, labels, { criterion: new SigmoidFocalLoss({ numClasses: 3 }) }),
    ]) {
      expect(report.warning).toMatch(
        /^The logits look like probabilities: .* probabilitiesToLogits\.$/,
      );
      const text = String(report);
      expect(text.replace(/\s+/g, ' ')).toContain(` ${report.warning}`);
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  it('is not there where a row is none, but for rows that are ignored', () => {
    const logits = shares.slice();
    logits[5] += 0.01;
    expect(classificationReport(logits, targets).warning).toBeUndefined();
    const some = targets.slice();
    some[1] = 7;
    expect(classificationReport(logits, some, { ignoreIndex: 7 }).warning).toBeDefined();
    const criterion = new SigmoidFocalLoss({ numClasses: 3 });
    logits[5] = -0.01;
    expect(
      classificationReport(logits, new Uint8Array(120), { criterion }).warning,
    ).toBeUndefined();
    expect(
      classificationReport(new Float64Array(6).fill(0.5), new Uint8Array(6), { criterion }).warning,
    ).toBeUndefined();
  });
});

const two = [new Float32Array(4), new Uint8Array(2)] as const;

it.each<[() => unknown, ErrorConstructor, string]>([
  [
    () => classificationReport(...two, { beta: -1 }),
    RangeError,
    'beta must be finite and not negative, got -1',
  ],
  [
    () => classificationReport(...two, { topK: 0 }),
    RangeError,
    'topK must be an integer in [1, 9007199254740991], got 0',
  ],
  [
    () => classificationReport(...two, { averageOver: 'some' as never }),
    TypeError,
    "averageOver must be 'present' or 'all', got \"some\"",
  ],
  [
    () => classificationReport(...two, { classNames: ['a'] }),
    RangeError,
    'classNames must have one entry per class, 2, got 1',
  ],
  [
    () => classificationReport(...two, { classNames: [1, 2] as never }),
    TypeError,
    'classNames[0] must be a string, got 1',
  ],
  [
    () => classificationReport(...two, { classNames: 'ab' as never }),
    TypeError,
    'classNames must be an array with one name per class, got "ab"',
  ],
  [
    () => classificationReport(...two, { sampleWeights: new Float32Array(3) }),
    RangeError,
    'sampleWeights must have one entry per row, 2, got 3',
  ],
  [
    () => classificationReport(...two, { sampleWeights: Float32Array.of(1, -1) }),
    RangeError,
    'sampleWeights[1] must be finite and not negative, got -1',
  ],
  [
    () => classificationReport(...two, { sampleWeights: Int32Array.of(1, 1) as never }),
    TypeError,
    'sampleWeights must be a float array with one weight per row, got an Int32Array',
  ],
  [
    () => classificationReport(...two, { criterion: {} as never }),
    TypeError,
    'criterion must be a loss of this package, got an object',
  ],
  [
    () =>
      classificationReport(two[0], Uint8Array.of(0, 1, 2, 0), {
        criterion: new SigmoidFocalLoss({ numClasses: 2 }),
      }),
    RangeError,
    'targets[2] must be in [0, 1], got 2',
  ],
  [
    () =>
      classificationReport(two[0], new Uint8Array(4), {
        criterion: new SigmoidFocalLoss({ numClasses: 3 }),
      }),
    RangeError,
    'logits.length must be a multiple of numClasses, 3, got 4',
  ],
  [
    () =>
      classificationReport(two[0], new Uint8Array(4), {
        criterion: new SigmoidFocalLoss({ numClasses: 2 }),
        layout: 'channels-first',
      }),
    TypeError,
    'layout and spatialSize are for rows of one class each, not for labels',
  ],
])('refuses what it cannot make sense of %#', expectFailure);
