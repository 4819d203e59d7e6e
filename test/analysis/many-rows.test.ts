import { classificationReport, diagnose, FocalLoss } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { generator } from '../support/random.js';

// More rows than the module sorts at a time.
const ROWS = 2 ** 20 + 2 ** 17;

const random = generator(3);
const targets = Uint8Array.from({ length: ROWS }, () => Number(random() < 0.2));

/** Log-odds of rows: what the piles are like into which they are dealt. */
const SCORES = {
  'of all sizes': () => (random() - 0.5) * 2 ** Math.round(40 * random() - 20),
  'nearly all the same': (row: number) => (row % 16 === 0 ? Math.round(8 * random()) - 4 : 1),
  'that differ in their last bits': () => 1 + Math.round(1000 * random()) * Number.EPSILON,
  'below 0 that differ in their last bits': () => -1 - Math.round(1e6 * random()) * 2 ** -52,
  'that are 0, with both signs, or next to it': () =>
    [0, -0, Number.MIN_VALUE, -Number.MIN_VALUE][Math.floor(4 * random())] as number,
};

/** The area under the ROC curve, from the engine's own order of the rows of either class. */
function plainArea(scores: Float64Array): number {
  const [own, others] = [1, 0].map((label) =>
    scores.filter((_, row) => targets[row] === label).sort(),
  ) as [Float64Array, Float64Array];
  let [behind, fewer, notMore] = [0, 0, 0];
  for (const score of own) {
    while (fewer < others.length && (others[fewer] as number) < score) fewer++;
    while (notMore < others.length && (others[notMore] as number) <= score) notMore++;
    behind += fewer + notMore;
  }
  return behind / (2 * own.length * others.length);
}

describe.each(Object.entries(SCORES))('scores %s', (_, scoreOf) => {
  const scores = Float64Array.from({ length: ROWS }, (_, row) => scoreOf(row));
  const logits = new Float64Array(2 * ROWS);
  scores.forEach((score, row) => {
    logits[2 * row + 1] = score;
  });

  it('have the area of their order, also by weights', { timeout: 60_000 }, () => {
    const area = plainArea(scores);
    const even = classificationReport(logits, targets);
    expect(even.auc).toBe(area);
    // Weights that are all 1 take the way in which rows are sorted with their places.
    const weighted = classificationReport(logits, targets, {
      sampleWeights: new Float32Array(ROWS).fill(1),
    });
    expect(weighted.auc).toBe(area);
    for (const [j, one] of even.classes.entries()) {
      const { averagePrecision } = weighted.classes[j] as (typeof weighted.classes)[number];
      expect(one.averagePrecision / averagePrecision).toBeCloseTo(1, 12);
    }
    expect(even.confusion).toEqual(Uint32Array.from(weighted.confusion as Float64Array));
  });

  it('are in the order of their losses where they are hard', { timeout: 60_000 }, () => {
    const criterion = new FocalLoss({ alpha: null, gamma: 0 });
    const losses = criterion.with({ reduction: 'none' }).forward(logits, targets);
    const { hard } = diagnose(logits, targets, criterion);
    const above = losses.reduce((count, loss) => count + Number(loss > hard.threshold), 0);
    expect(hard.rows.length).toBe(above);
    const loss = (place: number) => losses[hard.rows[place] as number] as number;
    const isBehind = (place: number) =>
      loss(place - 1) > loss(place) ||
      (loss(place - 1) === loss(place) &&
        (hard.rows[place - 1] as number) < (hard.rows[place] as number));
    let place = 1;
    while (place < above && isBehind(place)) place++;
    expect(place).toBe(Math.max(above, 1));
  });
});
