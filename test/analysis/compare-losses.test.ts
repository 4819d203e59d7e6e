import { CrossEntropyLoss, FocalLoss } from 'focal-loss';
import {
  classificationReport,
  compareLosses,
  diagnose,
  type LossComparison,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float64 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';
import { generator } from '../support/random.js';

/**
 * Rows of a classifier that is mostly right about nine negatives, and less so about each positive.
 */
function imbalanced(rows: number): [Float64Array, Uint8Array] {
  const random = generator(41);
  const targets = Uint8Array.from({ length: rows }, (_, i) => Number(i % 10 === 0));
  const logits = new Float64Array(2 * rows);
  targets.forEach((target, i) => {
    logits[2 * i] = target === 1 ? 2 * random() - 1.2 : 3 * random();
  });
  return [logits, targets];
}

describe("the page's table of what the losses do", () => {
  const [logits, targets] = imbalanced(500);
  const rows = compareLosses(logits, targets, {
    'cross-entropy': new CrossEntropyLoss(),
    weighted: new CrossEntropyLoss({ weight: [1, 9] }),
    focal: new FocalLoss({ alpha: 0.9 }),
    'focal, smoothed': new FocalLoss({ alpha: 0.9, labelSmoothing: 0.1 }),
  });
  const [plain, weighted, focal, smoothed] = rows;

  it('class balance: weights give the rare class a larger share', () => {
    expect(rows.map(({ name }) => name)).toEqual([
      'cross-entropy',
      'weighted',
      'focal',
      'focal, smoothed',
    ]);
    for (const balanced of [weighted, focal, smoothed]) {
      expect(balanced.lossShare[1]).toBeGreaterThan(plain.lossShare[1]);
      expect(balanced.gradientShare[1]).toBeGreaterThan(plain.gradientShare[1]);
    }
  });

  it('hard examples: focal loss is more about them', () => {
    expect(focal.hardLossShare).toBeGreaterThan(plain.hardLossShare);
  });

  it('confidence is that of the logits, whatever the loss', () => {
    for (const { meanConfidence, overconfidentShare, report } of rows) {
      expect(meanConfidence).toBe(plain.meanConfidence);
      expect(overconfidentShare).toBe(plain.overconfidentShare);
      expect(report).toBe(plain.report);
    }
  });

  it('is a table as text', () => {
    const lines = `${rows}`.split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe(
      'loss              value  of rarest class  of hard rows  confidence  overconfident  accuracy  macro F1     AUC',
    );
    const figures = (lines[3] ?? '').split(/ {2,}/);
    const { value, lossShare, hardLossShare, meanConfidence, overconfidentShare, report } = focal;
    expect(figures).toEqual([
      'focal',
      ...[value, lossShare[1], hardLossShare, meanConfidence, overconfidentShare].map((one) =>
        one.toFixed(4),
      ),
      ...[report.accuracy, report.macro.f1, report.auc].map((one) => one.toFixed(4)),
    ]);
  });
});

it("the page's table of models that were trained with each loss", () => {
  const [logits, targets] = imbalanced(500);
  // The second model separates the classes better.
  const better = logits.map((x, k) => (k % 2 === 0 && targets[k / 2] === 1 ? x - 1 : x));
  const [ce, focal] = compareLosses(logits, targets, {
    ce: new CrossEntropyLoss(),
    focal: { criterion: new FocalLoss({ alpha: 0.25 }), logits: better },
  });
  expect(ce.report).toEqual(classificationReport(logits, targets, { confusion: false }));
  expect(focal.report).toEqual(classificationReport(better, targets, { confusion: false }));
  expect(focal.report.accuracy).toBeGreaterThan(ce.report.accuracy);
  expect(focal.report.macro.f1).toBeGreaterThan(ce.report.macro.f1);
});

it('takes plain arrays, of which it makes one report', () => {
  const [logits, targets] = imbalanced(20);
  const losses = { focal: new FocalLoss(), plain: new CrossEntropyLoss() };
  const rows = Array.from(targets, (_, i) => [...logits.subarray(2 * i, 2 * i + 2)]);
  const compared = compareLosses(rows, [...targets], losses);
  expect(compared).toEqual(compareLosses(logits, targets, losses));
  expect(compared[0].report).toBe(compared[1].report);
});

it('says what diagnose and classificationReport say, for each criterion with its own options', () => {
  const { logits, targets } = randomBatch(float64, 40, 3, 42);
  const criteria = {
    all: new FocalLoss({ gamma: 1 }),
    some: new FocalLoss({ gamma: 1, ignoreIndex: 2, reduction: 'sum' }),
    weighted: new CrossEntropyLoss({
      weight: [1, 2, 3],
      labelSmoothing: 0.1,
      numClasses: 3,
      reduction: 'none',
    }),
  };
  const rows = compareLosses(logits, targets, criteria, { overconfidence: 0.7 });
  for (const [i, criterion] of Object.values(criteria).entries()) {
    const { numClasses, ignoreIndex } = criterion;
    const expected = diagnose(logits, targets, criterion, { overconfidence: 0.7 });
    const row = rows[i];
    expect(row).toEqual<LossComparison>({
      name: Object.keys(criteria)[i],
      value: expected.loss.mean,
      lossShare: Float64Array.from(expected.classes, ({ lossShare }) => lossShare),
      gradientShare: Float64Array.from(expected.classes, ({ gradientShare }) => gradientShare),
      hardLossShare: expected.hard.lossShare,
      meanConfidence: expected.confidence.mean,
      overconfidentShare: expected.overconfident.rows.length / expected.rows,
      report: classificationReport(logits, targets, { numClasses, ignoreIndex, confusion: false }),
    });
  }
  expect(rows[0].report.rows).toBe(40);
  expect(rows[1].report.rows).toBeLessThan(40);
});

it('takes a batch without rows, and no losses', () => {
  const [row] = compareLosses(new Float32Array(0), new Uint8Array(0), {
    focal: new FocalLoss({ numClasses: 2 }),
  });
  expect(row).toMatchObject({
    value: NaN,
    hardLossShare: 0,
    meanConfidence: NaN,
    overconfidentShare: NaN,
  });
  const nothing = compareLosses(new Float32Array(4), new Uint8Array(2), {});
  expect(nothing).toEqual([]);
  expect(`${nothing}`).toMatch(/^loss {2}value/);
  expect(
    `${compareLosses(new Float32Array(0), new Uint8Array(0), { focal: new FocalLoss() })}`,
  ).toMatch(/^focal +-/m);
});

const two = [new Float32Array(4), new Uint8Array(2)] as const;

it.each<[() => unknown, ErrorConstructor, string]>([
  [() => compareLosses(...two, null as never), TypeError, 'losses must be an object, got null'],
  [
    () => compareLosses(...two, { mine: {} as never }),
    TypeError,
    'losses.mine must be a loss of this package, got an object',
  ],
  [
    () => compareLosses(...two, { mine: { criterion: 3 as never, logits: two[0] } }),
    TypeError,
    'losses.mine.criterion must be a loss of this package, got 3',
  ],
  [
    () =>
      compareLosses(...two, {
        mine: { criterion: new FocalLoss(), logits: ['1', 0, 0, 0] as never },
      }),
    TypeError,
    'logits[0] must be a number, got "1"',
  ],
  [
    () => compareLosses(...two, { mine: { criterion: new FocalLoss(), logit: two[0] } as never }),
    TypeError,
    'unknown option "logit"; known are criterion, logits',
  ],
  [
    () => compareLosses(...two, { mine: new FocalLoss() }, { bins: 3 } as never),
    TypeError,
    'unknown option "bins"; known are overconfidence, numClasses, spatialSize',
  ],
])('refuses what it cannot make sense of %#', expectFailure);
