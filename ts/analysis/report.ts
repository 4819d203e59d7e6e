import { checkInteger, checkNumber, checkOptionNames, outOfRange, wrongType } from '../validate.js';
import { type Calibration, calibrate } from './calibration.js';
import { confusionMatrix, countClasses } from './confusion.js';
import { placesWhere, sum } from './loops.js';
import { reportText } from './report-text.js';
import { rocAuc } from './roc-auc.js';
import {
  confidencesOf,
  logProbabilities,
  type Predictions,
  predictRows,
  ROW_OPTIONS,
  type RowOptions,
  type Rows,
  readRows,
} from './rows.js';
import { average, averageArea, averageScores, type ClassScores, classScores, type Scores } from './scores.js';
import { withText } from './table.js';
import { type Logits, opened, type Targets } from './tensors.js';

/** Options of {@link classificationReport}. */
export interface ReportOptions extends RowOptions {
  /**
   * The number of bins for calibration.
   *
   * @defaultValue 15
   */
  bins?: number | undefined;
  /**
   * What precision, recall and F1 are where they would be 0 / 0: 0, 1, or NaN, which averages leave out. As scikit-learn's
   * `zero_division`.
   *
   * @defaultValue 0
   */
  zeroDivision?: number | undefined;
  /**
   * Whether to compute areas under ROC curves, which takes sorting all rows for each class; they are NaN otherwise.
   *
   * @defaultValue true
   */
  auc?: boolean | undefined;
  /**
   * Whether to make the confusion matrix, which has the square of the number of classes entries.
   *
   * @defaultValue true
   */
  confusion?: boolean | undefined;
}

/** What {@link classificationReport} finds. */
export interface ClassificationReport {
  /** How many rows count. */
  readonly rows: number;
  /** How many classes there are: 0 if there are no rows and nothing says it. */
  readonly numClasses: number;
  /** How many of the rows have no probabilities, because a logit is NaN or Infinity. */
  readonly nonFinite: number;
  /** The share of rows that are predicted right. */
  readonly accuracy: number;
  /** The average recall of the classes that have rows. */
  readonly balancedAccuracy: number;
  /** Class by class. */
  readonly classes: readonly ClassScores[];
  /** Averages over the classes. */
  readonly macro: Scores;
  /** Averages over the classes, weighted by their rows. */
  readonly weighted: Scores;
  /** Of all rows and classes taken together: for one class per row, all three are the accuracy. */
  readonly micro: Scores;
  /**
   * The area under the ROC curve: for two classes that of class 1; for more, the average over the classes that have one, of each
   * class against all others.
   */
  readonly auc: number;
  /** The same with more than two classes averaged by their rows. */
  readonly weightedAuc: number;
  /**
   * The Brier score: the squared distance of the probabilities from the target, averaged over the rows. For two classes half of
   * it, which is `(p_1 - y) ** 2`. As scikit-learn's `brier_score_loss`.
   */
  readonly brier: number;
  /** The average cross-entropy, in nats. */
  readonly logLoss: number;
  /** How far the confidences can be trusted. */
  readonly calibration: Calibration;
  /** Row-major `[class, predicted class]`; `undefined` if it was not asked for. */
  readonly confusion: Uint32Array | undefined;
  /** All of it as a table. */
  toString(): string;
}

/**
 * How well logits classify: everything that is usually asked, from one pass over the rows and, for the areas under ROC curves,
 * a sort for each class.
 *
 * A row is predicted to be of the class with the largest logit, the first of equals, and its confidence is the probability of
 * that class. Rows are compared by the logarithms of their probabilities, which tell apart what has become 1 as a probability.
 * Where targets are probabilities, a row is of the most probable class, the first of equals; log loss and Brier score go by
 * all of them.
 *
 * A NaN or +Infinity among a row's logits makes the log loss, the Brier score, the calibration's errors and the areas NaN; the
 * prediction is the first NaN then. Without rows, everything that is an average is NaN.
 *
 * @param logits - `[rows, classes]`, row-major.
 * @param targets - Class indices, or with `numClasses` class probabilities.
 * @throws TypeError and RangeError as the losses do.
 *
 * @example
 * ```ts
 * import { classificationReport } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2, 0, 1, 0, 0, 1, 0.5, 0]); // four rows, two classes
 * const report = classificationReport(logits, new Uint8Array([0, 0, 1, 1]));
 * report.accuracy; // => 0.75
 * report.classes[0].precision; // => 0.6666666666666667
 * report.auc; // => 1
 * report.brier; // => 0.136581
 * report.confusion; // => Uint32Array.of(2, 0, 1, 1)
 * ```
 */
export function classificationReport(
  logits: Logits,
  targets: Targets,
  options: ReportOptions = {},
): ClassificationReport {
  checkOptionNames(options, [...ROW_OPTIONS, 'bins', 'zeroDivision', 'auc', 'confusion']);
  const { bins = 15, zeroDivision = 0, auc = true, confusion = true } = options;
  checkInteger('bins', 1, 10_000, bins);
  checkZeroDivision(zeroDivision);
  checkBoolean('auc', auc);
  checkBoolean('confusion', confusion);
  const batch = opened(logits, targets, options, options.layout);
  return reportOn(readRows(batch.logits, batch.targets, batch.options), { bins, zeroDivision, auc, confusion });
}

function checkZeroDivision(value: number): void {
  checkNumber('zeroDivision', '0, 1 or NaN', value);
  if (!(value === 0 || value === 1 || Number.isNaN(value))) throw outOfRange('zeroDivision', '0, 1 or NaN', value);
}

function checkBoolean(name: string, value: boolean): void {
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false', value);
}

/** What there is a choice of. */
type Wanted = Readonly<Record<'bins' | 'zeroDivision', number> & Record<'auc' | 'confusion', boolean>>;

/** The report on rows that have been read. */
export function reportOn(rows: Rows, { bins, zeroDivision, auc, confusion }: Wanted): ClassificationReport {
  const { labels, classes } = rows;
  let distances = 0;
  const predictions = predictRows(rows, (k, probabilities) => {
    distances += squaredDistance(rows, k, probabilities);
  });
  const counts = countClasses(rows, predictions);
  const { support, right } = counts;
  const areas = auc ? classAreas(rows, predictions, support) : new Float64Array(classes).fill(NaN);
  const accuracy = sum(right) / labels.length;
  const isRight = (k: number) => predictions.classes[k] === labels[k];
  const isEqual = new Float64Array(classes).fill(1);
  const scores = classScores(counts, areas, zeroDivision);
  const report = {
    rows: labels.length,
    numClasses: classes,
    nonFinite: placesWhere(labels.length, (k) => Number.isNaN(predictions.surprise[k])).length,
    accuracy,
    balancedAccuracy: average(
      right.map((count, j) => count / (support[j] as number)),
      isEqual,
    ),
    classes: scores,
    macro: averageScores(scores, isEqual),
    weighted: averageScores(scores, support),
    micro: { precision: accuracy, recall: accuracy, f1: accuracy },
    auc: averageArea(areas, isEqual),
    weightedAuc: averageArea(areas, support),
    // The probabilities of two classes are equally far from their targets.
    brier: distances / labels.length / (classes === 2 ? 2 : 1),
    logLoss: sum(rows.entropy) / labels.length,
    calibration: calibrate(confidencesOf(predictions), isRight, bins),
    confusion: confusion ? confusionMatrix(rows, predictions) : undefined,
  };
  return withText(report, reportText);
}

/** How far probabilities are from the target of a row, squared. No digits are lost where that is near 0. */
function squaredDistance({ labels, soft, stride, start }: Rows, k: number, probabilities: Float64Array): number {
  const label = labels[k] as number;
  const first = soft === undefined ? 0 : start(k);
  let distance = 0;
  let others = 0;
  for (let j = 0; j < probabilities.length; j++) {
    const p = probabilities[j] as number;
    if (soft !== undefined) distance += (p - (soft[first + j * stride] as number)) ** 2;
    else if (j !== label) {
      distance += p * p;
      others += p;
    }
  }
  return distance + others * others;
}

/** The areas of all classes that have rows, and not all of them; NaN for others. */
function classAreas(rows: Rows, predictions: Predictions, support: Float64Array): Float64Array {
  const area = (j: number) => rocAuc(logProbabilities(rows, predictions, j), rows.labels, j);
  const isDefined = (j: number) => (support[j] as number) > 0 && support[j] !== rows.labels.length;
  // Of two classes, the more a row is one the less it is the other: their areas are the same.
  if (rows.classes === 2) return new Float64Array(2).fill(isDefined(1) ? area(1) : NaN);
  return support.map((_, j) => (isDefined(j) ? area(j) : NaN));
}
