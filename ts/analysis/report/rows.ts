import { lengthOf } from '../../arrays/typed-arrays.js';
import { pick } from '../rows/loops.js';
import { warningOf } from '../rows/probability-watch.js';
import { fillFigures, fillScores, NO_FIGURES, type WantedFigures } from '../rows/row-figures.js';
import type { Rows } from '../rows/rows.js';
import { eachPart, type Work } from '../rows/turns.js';
import { cohensKappa, matthews } from './agreement.js';
import { fillMatrix } from './confusion.js';
import { Decisions, matrixOf, scoreFigures, weightsOf } from './figures.js';
import {
  emptyRanking,
  type RankingArrays,
  rankingFigures,
  ScoresApart,
  setOfOne,
  setOfTwo,
} from './ranking.js';
import type { Findings, Settings } from './result.js';
import { average } from './scores.js';

/** Rows whose figures are there at a time, at most. */
const AT_ONCE = 2 ** 14;

/** The report on rows of one class each. */
export function* reportOnRows(rows: Rows, settings: Settings): Work<Findings> {
  const { labels, classes } = rows;
  const { topK } = settings;
  const { length } = labels;
  const given = weightsOf(settings, classes === 0 ? 0 : lengthOf(rows.logits) / classes);
  const weights = given && pick(given, rows.numbers, new Float64Array(length));
  const decisions = new Decisions(classes, settings.bins, weights);
  const matrix = matrixOf(settings, classes, classes * classes);
  const scores = settings.auc ? new ScoresOfClasses(rows, weights) : undefined;
  // The counts of two classes are the matrix.
  const filled = classes === 2 ? undefined : matrix;
  const height = Math.min(length, AT_ONCE);
  const kept = scores?.figures(height) ?? NO_FIGURES;
  const figures = filled ? { ...kept, predicted: new Int32Array(height) } : kept;
  let hits = 0;
  const weightOf = (k: number) => (weights === undefined ? 1 : (weights[k] as number));
  const add = (start: number, end: number) => {
    fillFigures(figures, rows, start, end, decisions.decided, scores?.apart);
    scores?.keep(figures, start, end);
    if (filled !== undefined)
      fillMatrix(filled, classes, labels, figures.predicted as Int32Array, weights, start, end);
    for (let k = start; topK > 1 && topK < classes && k < end; k++)
      if (isAmongFirst(rows, k, topK)) hits += weightOf(k);
  };
  yield* eachPart(length, classes, (start, end) => {
    for (let first = start; first < end; first += AT_ONCE)
      add(first, Math.min(first + AT_ONCE, end));
  });
  const { counts } = decisions;
  const { support, right, wrong } = counts;
  if (classes === 2) matrix?.set([right[0], wrong[1], wrong[0], right[1]] as number[]);
  const ranked = emptyRanking(classes);
  if (scores !== undefined) yield* fillRanked(ranked, rows, scores, support, weights);
  const found = decisions.figures();
  return {
    multiLabel: false,
    rows: labels.length,
    numClasses: classes,
    ...found,
    // The probabilities of two classes are equally far from their targets.
    brier: found.brier / (classes === 2 ? 2 : 1),
    balancedAccuracy: balancedAccuracyOf(right, support),
    topKAccuracy:
      topK === 1 ? found.accuracy : (topK < classes ? hits : decisions.weight) / decisions.weight,
    mcc: matthews(counts),
    kappa: cohensKappa(counts),
    ...scoreFigures(counts, ranked, labels.length > 0, settings.averageOver === 'all', settings),
    // The areas of two classes are one, and the precision is that of the class that is looked for.
    ...(classes === 2 ? ofSecond(ranked) : {}),
    samples: undefined,
    confusion: matrix,
    warning: warningOf(rows),
    intervals: undefined,
  };
}

/**
 * A test whether fewer than so many classes come before that of a row: those with larger logits,
 * and of equals those before it. A NaN is the largest.
 */
export function isAmongFirst(
  { logits, classes, labels, stride, start }: Rows,
  k: number,
  topK: number,
): boolean {
  const first = start(k);
  const label = labels[k] as number;
  const own = logits[first + label * stride] as number;
  const isNumber = !Number.isNaN(own);
  let rank = 0;
  for (let j = 0; j < classes && rank < topK; j++) {
    const logit = logits[first + j * stride] as number;
    const isLarger = isNumber && !(logit <= own);
    const isEqual = isNumber ? logit === own : Number.isNaN(logit);
    if (isLarger || (isEqual && j < label)) rank++;
  }
  return rank < topK;
}

/** The average recall of the classes that have rows. */
export function balancedAccuracyOf(right: Float64Array, support: Float64Array): number {
  return average(
    right.map((weight, j) => weight / (support[j] as number)),
    () => 1,
  );
}

/** The figures of rankings of two classes. */
export function ofSecond({ auc, averagePrecision }: RankingArrays) {
  return {
    auc: auc[1] as number,
    weightedAuc: auc[1] as number,
    averagePrecision: averagePrecision[1] as number,
  };
}

/** The scores of rows, or of many classes what they are made of. */
class ScoresOfClasses {
  /** The scores of two classes whose rows weigh the same. */
  readonly apart: ScoresApart | undefined;
  readonly #rows: Rows;
  /** The scores for class 1 of two; of more classes minus the logarithms of the confidences. */
  readonly #kept: Float64Array;
  /** Predicted classes, of more than two. */
  readonly #predicted: Int32Array;

  constructor(rows: Rows, weights: Float64Array | undefined) {
    const { classes, labels } = rows;
    const isPair = classes === 2;
    this.#rows = rows;
    this.apart = isPair && weights === undefined ? new ScoresApart(labels.length, 1) : undefined;
    this.#kept = new Float64Array(this.apart === undefined ? labels.length : 0);
    this.#predicted = new Int32Array(isPair ? 0 : labels.length);
  }

  /** Room for the figures of so many rows that scores are made of. */
  figures(height: number): WantedFigures {
    if (this.apart !== undefined) return NO_FIGURES;
    const numbers = new Float64Array(height);
    return this.#rows.classes === 2
      ? { ...NO_FIGURES, score: numbers }
      : { ...NO_FIGURES, negLogConfidence: numbers, predicted: new Int32Array(height) };
  }

  /** Keeps what scores are made of, of some rows. */
  keep({ score, negLogConfidence, predicted }: WantedFigures, start: number, end: number) {
    const kept = score ?? negLogConfidence;
    if (kept !== undefined) this.#kept.set(kept.subarray(0, end - start), start);
    if (negLogConfidence !== undefined && predicted !== undefined)
      this.#predicted.set(predicted.subarray(0, end - start), start);
  }

  /** The scores for a class, once: they may be overwritten. */
  *of(j: number): Work<Float64Array> {
    const { length } = this.#kept;
    if (this.#rows.classes === 2) return this.#kept;
    const scores = new Float64Array(length);
    yield* eachPart(length, 1, (start, end) => {
      const figures = {
        predicted: this.#predicted.subarray(start, end),
        negLogConfidence: this.#kept.subarray(start, end),
        score: this.#kept,
      };
      fillScores(scores, this.#rows, figures, j, start, end);
    });
    return scores;
  }
}

/** Fills in the figures of all classes that have rows. */
function* fillRanked(
  ranked: RankingArrays,
  { labels, classes }: Rows,
  scores: ScoresOfClasses,
  support: Float64Array,
  weights: Float64Array | undefined,
): Work<void> {
  if (classes === 2) {
    const found = scores.apart
      ? yield* scores.apart.figures()
      : yield* rankingFigures(yield* scores.of(1), labels, 1, weights);
    setOfTwo(ranked, found);
    return;
  }
  for (let j = 0; j < classes; j++) {
    if ((support[j] as number) === 0) continue;
    setOfOne(ranked, j, yield* rankingFigures(yield* scores.of(j), labels, j, weights));
  }
}
