// The figures of rows that are there several times each, or not at all: what a bootstrap asks for.
// What does not change with that, as predictions and orders, is computed once.

import { pick, sum } from '../rows/loops.js';
import { ascending } from '../rows/order.js';
import { emptyFigures, fillFigures, fillScores } from '../rows/row-figures.js';
import type { Rows } from '../rows/rows.js';
import { eachPart, type Work } from '../rows/turns.js';
import { type Interval, intervalOf, resample, strataOf } from '../uncertainty/bootstrap.js';
import { areaVariance, normalInterval, placementsOf } from '../uncertainty/delong.js';
import { cohensKappa, matthews } from './agreement.js';
import { binOf } from './calibration.js';
import { type Counts, countOthers, emptyCounts } from './confusion.js';
import { scoreFigures } from './figures.js';
import {
  AVERAGED,
  AVERAGES,
  groupsOf,
  type IntervalSettings,
  OF_CLASS,
  OVERALL,
  type ReportIntervals,
  type ScoreIntervals,
} from './intervals.js';
import { emptyRanking, type RankingArrays } from './ranking.js';
import type { Findings, Settings } from './result.js';
import { balancedAccuracyOf, isAmongFirst, ofSecond } from './rows.js';
import type { Scores } from './scores.js';

/** Rows that have been judged, one entry of each array for each. */
export interface RatedRows {
  readonly classes: number;
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
  /** The cross-entropy with the target. */
  readonly entropy: ArrayLike<number>;
  /** The squared distance of the probabilities from the target, as the Brier score has it. */
  readonly distance: Float64Array;
  /** The probability of the prediction. */
  readonly confidence: Float64Array;
  /** 1 where the target is among the likeliest classes. */
  readonly hits: Uint8Array;
  readonly weights: Float64Array | undefined;
  /** The scores of each class, or of class 1 of two alone; none where areas are not asked for. */
  readonly scores: readonly Float64Array[];
}

/** Judges rows, as a report does. */
export function* rateRows(
  rows: Rows,
  settings: Settings,
  given: ArrayLike<number> | undefined,
): Work<RatedRows> {
  const { labels, classes } = rows;
  const { length } = labels;
  const figures = emptyFigures(length);
  const { predicted, confidence, crossEntropy, distance, negLogConfidence, score } = figures;
  const hits = new Uint8Array(length);
  yield* eachPart(length, classes, (start, end) => {
    const of = <A extends Int32Array | Float64Array>(all: A) => all.subarray(start, end) as A;
    const own = {
      predicted: of(predicted),
      confidence: of(confidence),
      negLogConfidence: of(negLogConfidence),
      crossEntropy: of(crossEntropy),
      distance: of(distance),
      score: of(score),
    };
    fillFigures(own, rows, start, end);
    // The probabilities of two classes are equally far from their targets.
    for (let k = start; classes === 2 && k < end; k++) distance[k] = (distance[k] as number) / 2;
    for (let k = start; k < end; k++)
      hits[k] = Number(settings.topK >= classes || isAmongFirst(rows, k, settings.topK));
  });
  const columns =
    settings.auc && classes > 0
      ? classes === 2
        ? [1]
        : Array.from({ length: classes }, (_, j) => j)
      : [];
  const weights = given && pick(given, rows.numbers, new Float64Array(length));
  const scores = columns.map((j) => {
    const column = new Float64Array(length);
    fillScores(column, rows, figures, j, 0, length);
    return weighedScores(column, weights);
  });
  return {
    classes,
    labels,
    predicted,
    entropy: crossEntropy,
    distance,
    confidence,
    hits,
    weights,
    scores,
  };
}

/** Scores in which rows that weigh nothing have a number, whatever theirs is. */
export function weighedScores(
  scores: Float64Array,
  weights: Float64Array | undefined,
): Float64Array {
  return weights === undefined ? scores : scores.map((score, k) => (weights[k] === 0 ? 0 : score));
}

/** The intervals of a report on rows of one class each. */
export function* intervalsOf(
  rows: Rows,
  settings: Settings,
  wanted: IntervalSettings,
): Work<ReportIntervals> {
  const { level, repeats, seed, method } = wanted;
  const rated = yield* rateRows(rows, settings, settings.sampleWeights);
  const { labels, classes } = rated;
  const rater = makeRater(rated, settings);
  const groups = wanted.groups && groupsOf(wanted.groups, rows.numbers);
  const strata = strataOf(labels, classes, groups, rated.weights);
  const resampled = yield* resample(strata, labels.length, rater, repeats, seed, method);
  const values = rater(new Uint32Array(labels.length).fill(1));
  const all = Array.from(values, (value, i) => intervalOf(resampled, i, value, level, method));
  const named = namedIntervals(all, classes);
  const area =
    groups === undefined && rated.weights === undefined ? areaInterval(rated, level) : undefined;
  return {
    ...named,
    ...(area === undefined
      ? {}
      : {
          auc: area,
          weightedAuc: area,
          classes: named.classes.map((own) => ({ ...own, auc: area })),
        }),
    level,
    repeats,
    seed,
    method,
  };
}

/** Intervals by the names of their figures, in the order of these; samples come last. */
export function namedIntervals(
  all: readonly Interval[],
  classes: number,
): Omit<ReportIntervals, keyof IntervalSettings> {
  let place = 0;
  const take = <Name extends string>(names: readonly Name[]) =>
    Object.fromEntries(names.map((name) => [name, all[place++]])) as Record<Name, Interval>;
  const overall = take(OVERALL);
  const [macro, weighted, micro] = AVERAGES.map(() => take(AVERAGED)) as [
    ScoreIntervals,
    ScoreIntervals,
    ScoreIntervals,
  ];
  const ofClasses = Array.from({ length: classes }, () => take(OF_CLASS));
  const samples = place < all.length ? take(AVERAGED) : undefined;
  return { ...overall, macro, weighted, micro, samples, classes: ofClasses };
}

/** The interval of the area of two classes by DeLong's method, where there are rows enough. */
function areaInterval({ classes, labels, scores }: RatedRows, level: number): Interval | undefined {
  const [own] = scores;
  if (classes !== 2 || own === undefined || own.some(Number.isNaN)) return undefined;
  const placements = placementsOf(own, labels);
  const variance = areaVariance(placements);
  return Number.isNaN(variance) ? undefined : normalInterval(placements.auc, variance, level, 0, 1);
}

/** Computes the figures of rows, as often as it is asked to. */
export function makeRater(
  rows: RatedRows,
  settings: Settings,
): (times: Uint32Array) => Float64Array {
  const { labels, predicted, weights } = rows;
  const orders = rows.scores.map(ranksOf);
  const bins = Int32Array.from(rows.confidence, (p) => binOf(p, settings.bins));
  // Averages are over the same classes for all resamples.
  const { occurs } = emptyCounts(rows.classes);
  for (let k = 0; k < labels.length; k++) {
    occurs[labels[k] as number] = 1;
    occurs[predicted[k] as number] = 1;
  }
  const given = new Float64Array(labels.length);
  return (times) => {
    for (let k = 0; k < given.length; k++) given[k] = (times[k] as number) * (weights?.[k] ?? 1);
    const counts = { ...emptyCounts(rows.classes), occurs };
    const sums = addUp(rows, bins, settings.bins, given, counts);
    return figuresOf(rows, settings, counts, sums, rankedOf(rows, orders, given));
  };
}

/** Sums over rows. */
interface Sums {
  all: number;
  right: number;
  hits: number;
  entropy: number;
  distance: number;
  /** The distance between the confidence of bins and their right rows. */
  calibration: number;
}

/** Adds up rows that weigh so much; counts those of each class as well. */
function addUp(
  rows: RatedRows,
  bins: Int32Array,
  binCount: number,
  given: Float64Array,
  counts: Counts,
): Sums {
  const { labels, predicted, entropy, distance, confidence, hits } = rows;
  const { support, right, wrong } = counts;
  const sums: Sums = { all: 0, right: 0, hits: 0, entropy: 0, distance: 0, calibration: 0 };
  const gaps = new Float64Array(binCount);
  for (let k = 0; k < given.length; k++) {
    const weight = given[k] as number;
    if (weight === 0) continue;
    const [label, guess, bin] = [labels[k] as number, predicted[k] as number, bins[k] as number];
    const isRight = label === guess;
    support[label] = (support[label] as number) + weight;
    const which = isRight ? right : wrong;
    which[guess] = (which[guess] as number) + weight;
    sums.all += weight;
    if (isRight) sums.right += weight;
    sums.hits += weight * (hits[k] as number);
    sums.entropy += weight * (entropy[k] as number);
    sums.distance += weight * (distance[k] as number);
    gaps[bin] = (gaps[bin] as number) + weight * ((confidence[k] as number) - Number(isRight));
  }
  countOthers(counts);
  for (const gap of gaps) sums.calibration += Math.abs(gap);
  return sums;
}

/** All figures, in the order of their names. */
function figuresOf(
  { classes }: RatedRows,
  settings: Settings,
  counts: Counts,
  sums: Sums,
  ranked: RankingArrays,
): Float64Array {
  const { support, right, wrong } = counts;
  const scores = scoreFigures(
    counts,
    ranked,
    sums.all > 0,
    settings.averageOver === 'all',
    settings,
  );
  return listOf({
    ...scores,
    ...(classes === 2 ? ofSecond(ranked) : {}),
    accuracy: sums.right / sums.all,
    hammingLoss: sum(wrong) / sums.all,
    balancedAccuracy: balancedAccuracyOf(right, support),
    topKAccuracy: sums.hits / sums.all,
    mcc: matthews(counts),
    kappa: cohensKappa(counts),
    logLoss: sums.entropy / sums.all,
    brier: sums.distance / sums.all,
    calibrationError: sums.calibration / sums.all,
  });
}

/** The figures of a report that have intervals. */
type Figures = Readonly<Record<(typeof OVERALL)[number], number>> &
  Pick<Findings, (typeof AVERAGES)[number] | 'classes'>;

/** All figures in the order of their names, of which {@link namedIntervals} are. */
export function listOf(figures: Figures, samples?: Scores): Float64Array {
  return Float64Array.of(
    ...OVERALL.map((name) => figures[name]),
    ...AVERAGES.flatMap((average) => AVERAGED.map((name) => figures[average][name])),
    ...figures.classes.flatMap((own) => OF_CLASS.map((name) => own[name])),
    ...(samples === undefined ? [] : AVERAGED.map((name) => samples[name])),
  );
}

/** Rows in the order of a score, and where a new score begins. */
export interface Ranks {
  readonly order: Uint32Array;
  readonly starts: Uint8Array;
}

export function ranksOf(scores: Float64Array): Ranks | undefined {
  if (scores.some(Number.isNaN)) return undefined;
  const order = ascending(scores);
  const starts = new Uint8Array(order.length);
  for (let place = 0; place < order.length; place++) {
    const isNew =
      place === 0 || scores[order[place] as number] !== scores[order[place - 1] as number];
    starts[place] = Number(isNew);
  }
  return { order, starts };
}

function rankedOf(
  { classes, labels }: RatedRows,
  orders: readonly (Ranks | undefined)[],
  given: Float64Array,
): RankingArrays {
  const ranked = emptyRanking(classes);
  orders.forEach((ranks, i) => {
    if (ranks === undefined) return;
    const j = classes === 2 ? 1 : i;
    const { auc, precision, precisionOfOthers } = areasOf(ranks, labels, j, given);
    ranked.auc[j] = auc;
    ranked.averagePrecision[j] = precision;
    if (classes === 2) {
      ranked.auc[0] = auc;
      ranked.averagePrecision[0] = precisionOfOthers;
    }
  });
  return ranked;
}

/** The area and the average precisions of rows that are there so often, in one order. */
export function areasOf(
  { order, starts }: Ranks,
  labels: Int32Array,
  j: number,
  given: Float64Array,
) {
  let [positives, negatives] = [0, 0];
  let [won, precisionsOfOthers] = [0, 0];
  for (let place = 0, end = 0; place < order.length; place = end) {
    let [tied, others] = [0, 0];
    do {
      const k = order[end] as number;
      if (labels[k] === j) tied += given[k] as number;
      else others += given[k] as number;
      end++;
    } while (end < order.length && starts[end] === 0);
    won += tied * (2 * negatives + others);
    positives += tied;
    negatives += others;
    if (others > 0) precisionsOfOthers += others * (negatives / (positives + negatives));
  }
  let [found, wrong, precisions] = [0, 0, 0];
  for (let place = order.length - 1, tied = 0; place >= 0; place--) {
    const k = order[place] as number;
    if (labels[k] === j) tied += given[k] as number;
    else wrong += given[k] as number;
    if (starts[place] === 0) continue;
    found += tied;
    if (tied > 0) precisions += tied * (found / (found + wrong));
    tied = 0;
  }
  return {
    auc: won / (2 * positives * negatives),
    precision: precisions / positives,
    precisionOfOthers: precisionsOfOthers / negatives,
  };
}
