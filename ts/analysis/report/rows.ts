import { lengthOf } from '../../arrays/typed-arrays.js';
import { pick } from '../rows/loops.js';
import { warningOf } from '../rows/probability-watch.js';
import { emptyFigures, fillFigures, fillScores, type RowFigures } from '../rows/row-figures.js';
import type { Rows } from '../rows/rows.js';
import { eachPart, type Work } from '../rows/turns.js';
import { cohensKappa, matthews } from './agreement.js';
import { countOthers, countRows, emptyCounts } from './confusion.js';
import { Decisions, matrixOf, scoreFigures, weightsOf } from './figures.js';
import { emptyRanking, type RankingArrays, rankingFigures } from './ranking.js';
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
  const decisions = new Decisions(settings.bins, weights);
  const counts = emptyCounts(classes);
  const matrix = matrixOf(settings, classes, classes * classes);
  const figures = emptyFigures(Math.min(length, AT_ONCE));
  const scores = new ScoresOfClasses(rows, settings.auc);
  let hits = 0;
  const weightOf = (k: number) => (weights === undefined ? 1 : (weights[k] as number));
  const add = (start: number, end: number) => {
    fillFigures(figures, rows, start, end, decisions.decided);
    scores.keep(figures, start, end);
    countRows(counts, matrix, labels, figures.predicted, weights, start, end);
    for (let k = start; topK > 1 && topK < classes && k < end; k++)
      if (isAmongFirst(rows, k, topK)) hits += weightOf(k);
  };
  yield* eachPart(length, classes, (start, end) => {
    for (let first = start; first < end; first += AT_ONCE)
      add(first, Math.min(first + AT_ONCE, end));
  });
  countOthers(counts);
  const { support, right } = counts;
  const ranked = emptyRanking(classes);
  if (settings.auc) yield* fillRanked(ranked, rows, scores, support, weights);
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
  readonly #rows: Rows;
  readonly #isPair: boolean;
  /** The scores for class 1 of two; of more classes minus the logarithms of the confidences. */
  readonly #kept: Float64Array;
  /** Predicted classes, of more than two. */
  readonly #predicted: Int32Array;

  constructor(rows: Rows, areWanted: boolean) {
    const length = areWanted ? rows.labels.length : 0;
    this.#rows = rows;
    this.#isPair = rows.classes === 2;
    this.#kept = new Float64Array(length);
    this.#predicted = new Int32Array(this.#isPair ? 0 : length);
  }

  /** Keeps what scores are made of, of some rows. */
  keep(figures: RowFigures, start: number, end: number): void {
    if (this.#kept.length === 0) return;
    const kept = this.#isPair ? figures.score : figures.negLogConfidence;
    this.#kept.set(kept.subarray(0, end - start), start);
    if (!this.#isPair) this.#predicted.set(figures.predicted.subarray(0, end - start), start);
  }

  /** The scores for a class, once: they may be overwritten. */
  *of(j: number): Work<Float64Array> {
    const { length } = this.#kept;
    if (this.#isPair) return this.#kept;
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
  { auc, averagePrecision }: RankingArrays,
  { labels, classes }: Rows,
  scores: ScoresOfClasses,
  support: Float64Array,
  weights: Float64Array | undefined,
): Work<void> {
  if (classes === 2) {
    // Two classes are each other's opposite: the more a row is one, the less it is the other: one
    // order is enough.
    const found = yield* rankingFigures(yield* scores.of(1), labels, 1, weights);
    auc.fill(found.auc);
    averagePrecision.set([found.precisionOfOthers, found.averagePrecision]);
    return;
  }
  for (let j = 0; j < classes; j++) {
    if ((support[j] as number) === 0) continue;
    const found = yield* rankingFigures(yield* scores.of(j), labels, j, weights);
    auc[j] = found.auc;
    averagePrecision[j] = found.averagePrecision;
  }
}
