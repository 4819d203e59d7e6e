// The figures of multi-label rows that are there several times each, or not at all.

import { lengthOf } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import { pick, placesWhere } from '../rows/loops.js';
import { type RowOptions, readElements } from '../rows/rows.js';
import type { Work } from '../rows/turns.js';
import { intervalOf, resample, type Strata, strataOf } from '../uncertainty/bootstrap.js';
import { binOf } from './calibration.js';
import { countLabel, emptyCounts } from './confusion.js';
import { scoreFigures, weightsOf } from './figures.js';
import { checkGroups, groupsOf, type IntervalSettings, type ReportIntervals } from './intervals.js';
import { type JudgedRow, judgeRows } from './labels.js';
import {
  areasOf,
  listOf,
  namedIntervals,
  type Ranks,
  type RatedRows,
  ranksOf,
  rateRows,
  weighedScores,
} from './rated.js';
import type { Settings } from './result.js';
import { ScoreAverage, type Scores } from './scores.js';

/** Labels that have been judged, one entry of each array for each that counts. */
interface RatedLabels {
  /** The labels as rows of two classes. */
  readonly rated: RatedRows;
  /** The number of labels that a row has. */
  readonly labels: number;
  /** The place of the label's row among the rows that count. */
  readonly rowOf: Uint32Array;
  /** The label. */
  readonly columnOf: Uint32Array;
  /** The scores of each row, and whether all of its labels are right. */
  readonly rows: readonly JudgedRow[];
  /** The weights of the rows. */
  readonly weights: Float64Array | undefined;
}

/** The rows of several labels that count, and what computes their figures. */
export interface RaterOfLabels {
  readonly rows: readonly JudgedRow[];
  readonly rater: (times: Uint32Array) => Float64Array;
  /** Makes what resamples are drawn from: there is no class that rows could be drawn by. */
  strata(groups: ArrayLike<unknown> | undefined): Strata;
}

/** Judges rows of several labels, as a report does. */
export function* rateLabels(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  settings: Settings,
): Work<RaterOfLabels> {
  const pairs = readElements(logits, targets, options);
  const labels = options.numClasses as number;
  const given = weightsOf(settings, lengthOf(logits) / labels);
  const rated = yield* rateRows(pairs, settings, undefined);
  // The rows that count, which have a label that does.
  const rows: JudgedRow[] = [];
  judgeRows(pairs, rated.predicted, labels, settings, (judged) => rows.push(judged));
  let place = 0;
  const rowOf = Uint32Array.from(pairs.numbers, (element) => {
    if ((rows[place] as JudgedRow).row < Math.floor(element / labels)) place++;
    return place;
  });
  const columnOf = Uint32Array.from(pairs.numbers, (element) => element % labels);
  const weights = given && Float64Array.from(rows, ({ row }) => given[row] as number);
  const rater = makeLabelRater({ rated, labels, rowOf, columnOf, rows, weights }, settings);
  const numbers = rows.map(({ row }) => row);
  return {
    rows,
    rater,
    strata: (groups) =>
      strataOf(new Int32Array(rows.length), 1, groups && groupsOf(groups, numbers), weights),
  };
}

/** The intervals of a report on multi-label rows, which are drawn with all of their labels. */
export function* labelIntervals(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  settings: Settings,
  { level, repeats, seed, method, groups }: IntervalSettings,
): Work<ReportIntervals> {
  const labels = options.numClasses as number;
  checkGroups(groups, lengthOf(logits) / labels);
  const { rows, rater, strata } = yield* rateLabels(logits, targets, options, settings);
  const resampled = yield* resample(strata(groups), rows.length, rater, repeats, seed, method);
  const values = rater(new Uint32Array(rows.length).fill(1));
  const found = Array.from(values, (value, i) => intervalOf(resampled, i, value, level, method));
  return { ...namedIntervals(found, labels), level, repeats, seed, method };
}

/** Computes the figures of rows, as often as it is asked to. */
function makeLabelRater(
  all: RatedLabels,
  settings: Settings,
): (times: Uint32Array) => Float64Array {
  const { rated, rowOf, columnOf, weights } = all;
  const columns = columnsOf(all);
  const bins = Int32Array.from(rated.confidence, (p) => binOf(p, settings.bins));
  // Averages are over the same labels for all resamples.
  const { occurs } = countsOf(all, new Float64Array(all.rows.length).fill(1));
  return (times) => {
    const given = Float64Array.from(times, (count, row) => count * (weights?.[row] ?? 1));
    const counts = { ...countsOf(all, given), occurs };
    const [rows, right, samples] = addUpRows(all, given);
    const sums = { all: 0, wrong: 0, entropy: 0, distance: 0, calibration: 0 };
    const gaps = new Float64Array(settings.bins);
    for (let k = 0; k < rowOf.length; k++) {
      const weight = given[rowOf[k] as number] as number;
      if (weight === 0) continue;
      const isRight = rated.labels[k] === rated.predicted[k];
      const bin = bins[k] as number;
      sums.all += weight;
      if (!isRight) sums.wrong += weight;
      sums.entropy += weight * (rated.entropy[k] as number);
      sums.distance += weight * (rated.distance[k] as number);
      gaps[bin] =
        (gaps[bin] as number) + weight * ((rated.confidence[k] as number) - Number(isRight));
    }
    for (const gap of gaps) sums.calibration += Math.abs(gap);
    const auc = new Float64Array(all.labels).fill(NaN);
    const averagePrecision = auc.slice();
    columns.forEach(({ ranks, members, places }, j) => {
      if (ranks === undefined) return;
      const own = Float64Array.from(places, (k) => given[rowOf[k] as number] as number);
      const areas = areasOf(ranks, members, 1, own);
      auc[j] = areas.auc;
      averagePrecision[j] = areas.precision;
    });
    const averagesAll = settings.averageOver !== 'present';
    const scores = scoreFigures(counts, { auc, averagePrecision }, rows > 0, averagesAll, settings);
    return listOf(
      {
        ...scores,
        accuracy: right / rows,
        hammingLoss: sums.wrong / sums.all,
        balancedAccuracy: NaN,
        topKAccuracy: NaN,
        mcc: NaN,
        kappa: NaN,
        logLoss: sums.entropy / sums.all,
        brier: sums.distance / sums.all,
        calibrationError: sums.calibration / sums.all,
      },
      samples,
    );
  };

  function countsOf({ labels }: RatedLabels, given: Float64Array) {
    const counts = emptyCounts(labels);
    for (let k = 0; k < rowOf.length; k++) {
      const weight = given[rowOf[k] as number] as number;
      const [label, predicted] = [rated.labels[k] as number, rated.predicted[k] as number];
      countLabel(counts, columnOf[k] as number, label, predicted, weight);
    }
    return counts;
  }
}

/** A label of all rows in which it counts. */
interface Column {
  readonly places: Uint32Array;
  readonly members: Int32Array;
  /** The order of the rows; none where areas are not asked for, or a row has no probability. */
  readonly ranks: Ranks | undefined;
}

function columnsOf({ rated, labels, columnOf, rowOf, weights }: RatedLabels): Column[] {
  const [scores] = rated.scores;
  return Array.from({ length: labels }, (_, j) => {
    const places = placesWhere(columnOf.length, (k) => columnOf[k] === j);
    const members = Int32Array.from(places, (k) => rated.labels[k] as number);
    const own = scores && pick(scores, places, new Float64Array(places.length));
    const given =
      weights && Float64Array.from(places, (k) => weights[rowOf[k] as number] as number);
    return { places, members, ranks: own && ranksOf(weighedScores(own, given)) };
  });
}

/** The weight of all rows, that of those which are right, and the averages of their scores. */
function addUpRows({ rows }: RatedLabels, given: Float64Array): [number, number, Scores] {
  let all = 0;
  let right = 0;
  const samples = new ScoreAverage();
  rows.forEach(({ scores, isRight }, row) => {
    const weight = given[row] as number;
    if (weight === 0) return;
    all += weight;
    if (isRight) right += weight;
    samples.add(scores, weight);
  });
  return [all, right, samples.value];
}
