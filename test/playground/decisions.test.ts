import { fitCalibration, softmax } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import type { Batch } from '../../examples/playground/src/data/batch.js';
import { makeCohort } from '../../examples/playground/src/decisions/cohort.js';
import {
  confusionAt,
  type DecisionSettings,
  decide,
} from '../../examples/playground/src/decisions/decide.js';
import { SETTINGS } from '../../examples/playground/src/state.js';

const LOSS = { alpha: 0.75, gamma: 2, smoothing: 0 };
const [NONE, POSTERIOR, TEMPERATURE, PLATT, ISOTONIC] = SETTINGS.calibration.choices;
const settings = (changes: Partial<DecisionSettings> = {}): DecisionSettings => ({
  ...LOSS,
  calibration: NONE,
  ...changes,
});

/** A batch of rows as they are written: the logits of each, and its class. */
function batchOf(rows: readonly (readonly [readonly number[], number])[]): Batch {
  const columns = rows[0][0].length;
  return {
    title: 'a batch',
    logits: Float64Array.from(rows.flatMap(([logits]) => logits)),
    targets: Int32Array.from(rows, ([, target]) => target),
    classes: Math.max(columns, 2),
    columns,
  };
}

describe('the built-in data', () => {
  const cohort = makeCohort(LOSS);

  it('are the same for a loss, others for another, and one row in ten is of class 1', () => {
    expect(makeCohort(LOSS)).toEqual(cohort);
    expect(makeCohort({ ...LOSS, gamma: 0 }).logits).not.toEqual(cohort.logits);
    expect(cohort.targets.filter((target) => target === 1)).toHaveLength(400);
    expect(cohort.targets).toHaveLength(4000);
  });

  it('say less with a focal loss than they mean, which a calibration mends', () => {
    const plain = decide(cohort, settings());
    expect(plain.after).toBe(plain.before);
    expect(plain.before.curve.expectedError).toBeGreaterThan(0.15);
    for (const calibration of [PLATT, ISOTONIC]) {
      const { before, after, outcome } = decide(cohort, settings({ calibration }));
      expect(before).toEqual(plain.before);
      expect(outcome).toBe('fitted');
      expect(after.curve.expectedError).toBeLessThan(0.03);
      expect(after.brier).toBeLessThan(before.brier - 0.04);
      // Isotonic regression may say 0 of one who is ill, whose log loss is infinite.
      if (calibration === PLATT) expect(after.logLoss).toBeLessThan(before.logLoss - 0.1);
    }
  });

  it.each([
    LOSS,
    { alpha: 0.25, gamma: 3, smoothing: 0 },
    { alpha: 0.9, gamma: 2, smoothing: 0.1 },
  ])('mean by the loss what comes true, with nothing fitted: %j', (loss) => {
    const batch = makeCohort(loss);
    const found = decide(batch, { ...loss, calibration: POSTERIOR });
    const { before, after, outcome, notes } = found;
    expect(outcome).toBeUndefined();
    expect(notes.at(-1)).toMatch(/^Nothing is fitted: the loss of the sliders/);
    expect(before.curve.expectedError).toBeGreaterThan(0.09);
    expect(after.curve.expectedError).toBeLessThan(0.03);
    expect(after.logLoss).toBeLessThan(before.logLoss);
    // Of another loss, the same logits mean something else.
    const other = decide(batch, { ...loss, gamma: 0, calibration: POSTERIOR });
    expect(other.after.logLoss).toBeGreaterThan(after.logLoss);
    // The order of the rows is the same, and so is the area.
    expect(found.auc).toBeCloseTo(decide(batch, settings()).auc, 12);
  });

  it('mean nothing by a loss in which a class weighs nothing', () => {
    const loss = { ...LOSS, alpha: 1 };
    expect(() => decide(makeCohort(loss), { ...loss, calibration: POSTERIOR })).toThrow(
      'criterion.alpha must be above 0 and below 1, got 1',
    );
  });

  it('learned with cross-entropy mean what they say', () => {
    const { before } = decide(makeCohort({ alpha: 0.5, gamma: 0, smoothing: 0 }), settings());
    expect(before.curve.expectedError).toBeLessThan(0.03);
  });
});

describe('decisions', () => {
  it('are about every other row of each class; the rest are for the calibration', () => {
    const rows = Array.from({ length: 40 }, (_, row): [number[], number] => [
      [Math.sin(row), Math.cos(3 * row)],
      Number(row % 4 === 0),
    ]);
    const half = (first: number) =>
      rows.filter(
        (_, row) =>
          (row % 4 === 0 ? row / 4 : Math.floor(row / 4) * 3 + (row % 4) - 1) % 2 === first,
      );
    const fitted = batchOf(half(1));
    const shown = batchOf(half(0));
    const { after, before, tally, notes } = decide(
      batchOf(rows),
      settings({ calibration: TEMPERATURE }),
    );
    expect(tally.positives).toBe(5);
    expect(tally.negatives).toBe(15);
    expect(notes).toEqual([
      '20 rows of a batch, every other one of each class, are for the calibration; the 20 others are shown.',
    ]);
    const calibrator = fitCalibration(fitted.logits, fitted.targets);
    const p = Array.from(calibrator.apply(shown.logits)).filter((_, k) => k % 2 === 1);
    const brier = p.reduce((sum, p, i) => sum + (p - shown.targets[i]) ** 2, 0) / p.length;
    expect(after.brier).toBeCloseTo(brier, 12);
    expect(after.brier).not.toBeCloseTo(before.brier, 3);
  });

  it.each([1, 2, 3])('count rows of %i logits as plain loops do, at every threshold', (columns) => {
    const rows = Array.from({ length: 90 }, (_, row): [number[], number] => [
      Array.from({ length: columns }, (_, j) => Math.round(20 * Math.sin(row * (j + 2))) / 8),
      row % Math.max(columns, 2),
    ]);
    // Probabilities of 0 and 1, of ½, and ties, are at steps of the threshold.
    rows.push([Array.from({ length: columns }, (_, j) => (j === 0 ? 800 : 0)), 0]);
    rows.push([Array.from({ length: columns }, () => 0), 1]);
    rows.push([Array.from({ length: columns }, (_, j) => (j === 0 ? -800 : 0)), 1]);
    const batch = batchOf(rows);
    for (const positive of columns === 3 ? [0, 1, 2] : [0, 1]) {
      const { tally } = decide(batch, settings({ positive }));
      const seen = new Array<number>(3).fill(0);
      const shown = rows.filter(([, target]) => seen[target]++ % 2 === 0);
      const p = shown.map(([logits]) => {
        const row = columns === 1 ? [0, logits[0]] : logits;
        return softmax(Float64Array.from(row), row.length)[positive];
      });
      for (let step = 0; step <= 1000; step++) {
        const threshold = step / 1000;
        const taken = (isOwn: boolean) =>
          shown.filter(
            ([, target], i) => (target === positive) === isOwn && p[i] >= threshold - 1e-15,
          ).length;
        const { truePositives, falsePositives, recall, precision, netBenefit } = confusionAt(
          tally,
          threshold,
        );
        expect([truePositives, falsePositives], `at ${threshold}`).toEqual([
          taken(true),
          taken(false),
        ]);
        expect(recall).toBe(taken(true) / tally.positives);
        expect(precision).toBe(taken(true) / (taken(true) + taken(false)));
        if (step < 1000) {
          const worth = taken(true) - (taken(false) * threshold) / (1 - threshold);
          expect(netBenefit).toBeCloseTo(worth / shown.length, 12);
        }
      }
    }
  });

  it.each([1, 2, 3])('by the loss are about rows of %i logits', (columns) => {
    const rows = Array.from({ length: 60 }, (_, row): [number[], number] => [
      Array.from({ length: columns }, (_, j) => 3 * Math.sin(row * (j + 2))),
      row % Math.max(columns, 2),
    ]);
    const { after, before } = decide(batchOf(rows), settings({ calibration: POSTERIOR }));
    expect(after.brier).not.toBeCloseTo(before.brier, 3);
    // Logits of no weights, no focus and no smoothing mean what softmax says.
    const plain = { ...settings({ calibration: POSTERIOR }), alpha: 0.5, gamma: 0 };
    const same = decide(batchOf(rows), plain);
    expect(same.after.logLoss).toBeCloseTo(same.before.logLoss, 12);
  });

  it('are about the rarest class, unless another is chosen', () => {
    const rows: [number[], number][] = [];
    for (let row = 0; row < 30; row++) {
      const target = row % 10 === 0 ? 1 : row % 5 === 1 ? 2 : 0;
      rows.push([[0, 1, 2].map((j) => Number(j === target) + Math.sin(row + j)), target]);
    }
    const batch = batchOf(rows);
    expect(decide(batch, settings()).positive).toBe(1);
    expect(decide(batch, settings({ positive: 2 })).positive).toBe(2);
    expect(decide(batch, settings()).names).toEqual(['0', '1', '2']);
  });

  it('leave out rows that do not count, and those without finite logits, of which they tell', () => {
    const rows: [number[], number][] = [
      [[1, 0], 0],
      [[0, 1], 1],
      [[NaN, 0], 1],
      [[1, 1], -100],
      [[2, 0], 0],
      [[0, 2], 1],
      [[0, -Infinity], 0],
    ];
    const { tally, notes } = decide(batchOf(rows), settings());
    expect([tally.positives, tally.negatives]).toEqual([1, 1]);
    expect(notes.at(-1)).toBe('2 rows with logits that are not finite are left out.');
  });

  it('say so where logits look like probabilities', () => {
    const rows = Array.from({ length: 80 }, (_, row): [number[], number] => {
      const p = (row % 9) / 10;
      return [[1 - p, p], Number(row % 3 === 0)];
    });
    expect(decide(batchOf(rows), settings()).notes[0]).toMatch(/probabilities/);
  });

  it.each([
    [
      [
        [[1, 0], 0],
        [[0, 1], 1],
      ],
      'of class 1, and of others, but there are 1 and 1',
    ],
    [
      [
        [[1, 0], 0],
        [[1, 0], 0],
      ],
      'of class 0, and of others, but there are 2 and 0',
    ],
    [
      [
        [[1, 0], -100],
        [[1, 0], -100],
      ],
      'of class 0, and of others, but there are 0 and 0',
    ],
    [
      [
        [[NaN, 0], 0],
        [[NaN, 0], 1],
        [[1, 0], 0],
        [[NaN, 0], 1],
        [[1, 0], 0],
      ],
      'of class 0, and of others, but there are 2 and 0',
    ],
  ] as [[number[], number][], string][])('errors: %#', (rows, message) => {
    expect(() => decide(batchOf(rows), settings())).toThrow(
      `a batch: there must be two rows or more ${message}`,
    );
  });

  it('are drawn by few points, whatever the number of rows, through both ends', () => {
    const rows = Array.from({ length: 40_000 }, (_, row): [number[], number] => [
      [Math.sin(row) + Number(row % 10 === 0)],
      Number(row % 10 === 0),
    ]);
    const { roc, precisionRecall, auc } = decide(batchOf(rows), settings());
    for (const { x, y } of [roc, precisionRecall]) {
      expect(x.length).toBeLessThan(2000);
      expect(y).toHaveLength(x.length);
    }
    expect([roc.x[0], roc.y[0], roc.x.at(-1), roc.y.at(-1)]).toEqual([0, 0, 1, 1]);
    // The area below what is drawn is that of all points.
    let area = 0;
    for (let i = 1; i < roc.x.length; i++)
      area += ((roc.x[i] - roc.x[i - 1]) * (roc.y[i] + roc.y[i - 1])) / 2;
    expect(Math.abs(area - auc)).toBeLessThan(1 / 400);
  });
});
