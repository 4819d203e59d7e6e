import { lengthOf } from '../../arrays/typed-arrays.js';
import { pick } from '../rows/loops.js';
import { lookLikeProbabilities, PROBABILITIES_NOTICE } from '../rows/probability-watch.js';
import {
  emptyPredictions,
  fillScores,
  type Predictions,
  predictPart,
  type Rows,
} from '../rows/rows.js';
import { eachPart, type Work } from '../rows/turns.js';
import { cohensKappa, matthews } from './agreement.js';
import { countOthers, countRow, emptyCounts } from './confusion.js';
import { Decisions, matrixOf, scoreFigures, squaredDistance, weightsOf } from './figures.js';
import { emptyFigures, type RankingArrays, rankingFigures } from './ranking.js';
import type { Findings, Settings } from './result.js';
import { average } from './scores.js';

/** The report on rows of one class each. */
export function* reportOnRows(rows: Rows, settings: Settings): Work<Findings> {
  const { labels, classes, numbers, entropy } = rows;
  const { topK } = settings;
  const given = weightsOf(settings, classes === 0 ? 0 : lengthOf(rows.logits) / classes);
  const weights = given && pick(given, numbers, new Float64Array(numbers.length));
  const weightOf = (k: number) => (weights === undefined ? 1 : (weights[k] as number));
  const predictions = emptyPredictions(rows);
  const decisions = new Decisions(settings.bins);
  const counts = emptyCounts(classes);
  const matrix = matrixOf(settings, classes, classes * classes);
  let hits = 0;
  const visit = (k: number, probabilities: Float64Array) =>
    decisions.addDistance(squaredDistance(rows, k, probabilities), weightOf(k));
  yield* eachPart(labels.length, classes, (start, end) => {
    predictPart(rows, predictions, start, end, visit);
    for (let k = start; k < end; k++) {
      const label = labels[k] as number;
      const predicted = predictions.classes[k] as number;
      const weight = weightOf(k);
      const isRight = predicted === label;
      decisions.add(
        isRight,
        predictions.negLogConfidence[k] as number,
        entropy[k] as number,
        weight,
      );
      countRow(counts, label, predicted, weight);
      if (isRight || topK >= classes || (topK > 1 && isAmongFirst(rows, k, topK))) hits += weight;
      const cell = label * classes + predicted;
      if (matrix !== undefined) matrix[cell] = (matrix[cell] as number) + weight;
    }
  });
  countOthers(counts);
  const { support, right } = counts;
  const ranked = emptyFigures(classes);
  if (settings.auc) yield* fillRanked(ranked, rows, predictions, support, weights);
  const figures = decisions.figures();
  return {
    multiLabel: false,
    rows: labels.length,
    numClasses: classes,
    ...figures,
    // The probabilities of two classes are equally far from their targets.
    brier: figures.brier / (classes === 2 ? 2 : 1),
    balancedAccuracy: balancedAccuracyOf(right, support),
    topKAccuracy: hits / decisions.weight,
    mcc: matthews(counts),
    kappa: cohensKappa(counts),
    ...scoreFigures(counts, ranked, labels.length > 0, settings.averageOver === 'all', settings),
    // The areas of two classes are one, and the precision is that of the class that is looked for.
    ...(classes === 2 ? ofSecond(ranked) : {}),
    samples: undefined,
    confusion: matrix,
    warning: lookLikeProbabilities(rows) ? PROBABILITIES_NOTICE : undefined,
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

/** Fills in the figures of all classes that have rows. */
function* fillRanked(
  { auc, averagePrecision }: RankingArrays,
  rows: Rows,
  predictions: Predictions,
  support: Float64Array,
  weights: Float64Array | undefined,
): Work<void> {
  const { labels, classes } = rows;
  const scores = new Float64Array(labels.length);
  function* figures(j: number) {
    yield* eachPart(labels.length, 1, (start, end) =>
      fillScores(scores, rows, predictions, j, start, end),
    );
    return yield* rankingFigures(scores, labels, j, weights);
  }
  if (classes === 2) {
    // Two classes are each other's opposite: the more a row is one, the less it is the other: one
    // order is enough.
    const found = yield* figures(1);
    auc.fill(found.auc);
    averagePrecision.set([found.precisionOfOthers, found.averagePrecision]);
    return;
  }
  for (let j = 0; j < classes; j++) {
    if ((support[j] as number) === 0) continue;
    const found = yield* figures(j);
    auc[j] = found.auc;
    averagePrecision[j] = found.averagePrecision;
  }
}
