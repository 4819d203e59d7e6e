import { readOptions } from '../../arrays/own.js';
import { kindOf, lengthOf } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkNotNegative,
  checkNumber,
  checkOptionNames,
  checkSampleWeights,
  isFloats,
  outOfRange,
  wrongType,
} from '../../call/checks.js';
import { floatsOf } from '../../call/plain-arrays.js';
import type { AnyCriterion } from '../criteria/own-criterion.js';
import { ROW_OPTIONS, type RowOptions, type Rows, rowsInTurns } from '../rows/rows.js';
import { withText } from '../rows/table.js';
import type { Logits, Targets } from '../rows/tensors.js';
import { finish, inTurns, TURN_OPTIONS, type TurnOptions, type Work } from '../rows/turns.js';
import { openBatch } from './batch.js';
import { checkGroups, checkIntervals, type IntervalOptions } from './intervals.js';
import { reportOnLabels } from './labels.js';
import { AREA_PASSES } from './ranking.js';
import { intervalsOf } from './rated.js';
import { labelIntervals } from './rated-labels.js';
import type { ClassificationReport, Findings, Settings } from './result.js';
import { reportOnRows } from './rows.js';
import { reportText } from './text.js';

/** Options of {@link classificationReport}. */
export interface ReportOptions extends RowOptions {
  /**
   * The number of bins for calibration.
   *
   * @defaultValue 15
   */
  bins?: number | undefined;
  /**
   * The value of precision, recall, specificity and F scores where they would be 0 / 0: 0, 1, or
   * NaN, which averages leave out. As scikit-learn's `zero_division`.
   *
   * @defaultValue 0
   */
  zeroDivision?: number | undefined;
  /**
   * True for areas under ROC curves and average precisions, which take sorting all rows for each
   * class; they are NaN otherwise.
   *
   * @defaultValue true
   */
  auc?: boolean | undefined;
  /**
   * A flag: the confusion matrix is made, which has the square of the number of classes entries.
   *
   * @defaultValue true
   */
  confusion?: boolean | undefined;
  /**
   * The classes that macro, weighted and micro averages are over: `'all'`, or those that are
   * `'present'`, as the target or the prediction of a row.
   *
   * @defaultValue 'present', and for multi-label rows 'all', as in scikit-learn
   */
  averageOver?: 'present' | 'all' | undefined;
  /**
   * The factor by which recall weighs more than precision in `fBeta`: 2 for F2.
   *
   * @defaultValue 1
   */
  beta?: number | undefined;
  /**
   * Among how many of the likeliest classes the target has to be for `topKAccuracy`.
   *
   * @defaultValue 2
   */
  topK?: number | undefined;
  /** The names of the classes, one for each. */
  classNames?: ArrayLike<string> | undefined;
  /**
   * One weight per row: finite numbers that are not negative. All that counts rows adds up weights
   * then. Rows that weigh 0 are left out, and not drawn for intervals; only `rows` counts them, and
   * averages over the classes that are present take their classes for such, as in scikit-learn.
   */
  sampleWeights?: FloatArray | readonly number[] | undefined;
  /**
   * The loss that the model was trained with. It says what the logits mean: those of a
   * `SigmoidFocalLoss` or `AsymmetricLoss` are yes or no each by itself, one per row or, with
   * `numClasses`, one per label of a row. Its `numClasses`, `ignoreIndex` and `layout` hold where
   * they are not given. Its other options make no difference.
   */
  criterion?: AnyCriterion | undefined;
  /**
   * Asks for an interval beside each figure: the area under the ROC curve of two classes by
   * DeLong's method (1988), where rows have neither weights nor groups; all else by a bootstrap
   * that draws as many rows of each class as there are, or groups by the class that most of their
   * rows have. Multi-label rows, or groups of them, are drawn from all alike, with all of their
   * labels. Averages are over the same classes in all resamples.
   *
   * @defaultValue none
   */
  intervals?: IntervalOptions | undefined;
}

/** Options of {@link classificationReportAsync}. */
export interface ReportAsyncOptions extends ReportOptions, TurnOptions {}

/**
 * A report on logits as a classifier's: everything that is usually asked, from one pass over the
 * rows and, for the areas under ROC curves and average precisions, a sort for each class.
 *
 * A row is predicted to be of the class with the largest logit, the first of equals, and its
 * confidence is the probability of that class. Where targets are probabilities, a row is of the
 * most probable class, the first of equals; log loss and Brier score go by all of them. One logit
 * per row, where `numClasses` is 1 or the `criterion` a `SigmoidFocalLoss`, is that of class 1 of
 * two: it is predicted where the logit is above 0. So is each label of multi-label rows, for which
 * the criterion has `numClasses`.
 *
 * For areas, rows are compared by the logarithms of their probabilities, which tell apart what has
 * become 1 as a probability. Rows whose probabilities of a class are the same in exact arithmetic
 * are tied: those whose logits are the same up to their order and a number added to all of them.
 * The others are in the order of their probabilities, to within a few roundings of the logarithms.
 *
 * A NaN or +Infinity among a row's logits makes the log loss, the Brier score, the calibration's
 * errors and the areas NaN; the prediction is the first NaN then. Without rows, everything that is
 * an average is NaN.
 *
 * @param logits - `[rows, classes]`, row-major; or a tensor that holds them.
 * @param targets - Class indices, or with `numClasses` class probabilities; for one logit per row
 *   and for multi-label rows one per logit: 0, 1 or a probability.
 * @throws TypeError and RangeError as the losses do.
 *
 * @example
 * ```ts
 * import { classificationReport } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2, 0, 1, 0, 0, 1, 0.5, 0]); // four rows, two classes
 * const report = classificationReport(logits, new Uint8Array([0, 0, 1, 1]), {
 *   classNames: ['cat', 'dog'], beta: 2,
 * });
 * report.accuracy; // => 0.75
 * report.classes[0].name; // => 'cat'
 * report.classes[0].precision; // => 0.6666666666666667
 * report.classes[0].fBeta; // => 0.9090909090909091
 * report.auc; // => 1
 * report.averagePrecision; // => 1
 * report.brier; // => 0.136581
 * report.mcc; // => 0.5773502691896258
 * report.confusion; // => Uint32Array.of(2, 0, 1, 1)
 * ```
 *
 * @example Three labels, each by itself:
 * ```ts
 * import { classificationReport, SigmoidFocalLoss } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2, -1, 0.5, -3, 1, -2]); // two rows, three labels
 * const targets = new Uint8Array([1, 0, 0, 0, 1, 0]);
 * const report = classificationReport(logits, targets, {
 *   criterion: new SigmoidFocalLoss({ numClasses: 3 }),
 * });
 * report.accuracy; // => 0.5
 * report.hammingLoss; // => 0.16666666666666666
 * report.micro.recall; // => 1
 * report.samples?.precision; // => 0.75
 * ```
 */
export function classificationReport(
  logits: Logits,
  targets: Targets,
  options: ReportOptions = {},
): ClassificationReport {
  checkOptionNames(options, OPTIONS);
  return finish(prepare(logits, targets, readOptions(options, OPTIONS)).work);
}

/**
 * A {@link classificationReport} that lets others have their turn every hundredth of a second or
 * so, says how far it is, and can be aborted. The results are the same, bit for bit. The arrays
 * must stay as they are until the promise is settled.
 *
 * @example
 * ```ts
 * import { classificationReportAsync } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2, 0, 1, 0, 0, 1, 0.5, 0]);
 * const report = await classificationReportAsync(logits, new Uint8Array([0, 0, 1, 1]), {
 *   signal: AbortSignal.timeout(10_000),
 *   onProgress: (done, rows) => console.log(`${done} of ${rows} rows`),
 * });
 * report.accuracy; // => 0.75
 * ```
 */
export async function classificationReportAsync(
  logits: Logits,
  targets: Targets,
  options: ReportAsyncOptions = {},
): Promise<ClassificationReport> {
  const names = [...OPTIONS, ...TURN_OPTIONS];
  checkOptionNames(options, names);
  const given = readOptions(options, names);
  const { work, entries, rows } = prepare(logits, targets, given);
  return inTurns(work, entries, rows, given);
}

/** The options that say which figures there are, and how they are made of rows. */
export const SCORE_OPTIONS = [
  'bins',
  'zeroDivision',
  'auc',
  'confusion',
  'averageOver',
  'beta',
  'topK',
  'classNames',
] as const satisfies readonly (keyof ReportOptions)[];

const OPTIONS: readonly (keyof ReportOptions)[] = [
  ...ROW_OPTIONS,
  ...SCORE_OPTIONS,
  'sampleWeights',
  'criterion',
  'intervals',
];

/** A report to be made, and how much there is to do. */
interface Task {
  readonly work: Work<ClassificationReport>;
  /** The entries that will be looked at. */
  readonly entries: number;
  readonly rows: number;
}

function prepare(givenLogits: Logits, givenTargets: Targets, given: ReportOptions): Task {
  const settings = checkSettings(given);
  const { logits, targets, options, isMultiLabel } = openBatch(givenLogits, givenTargets, given);
  const { numClasses } = options;
  if (isMultiLabel) {
    return taskOf(
      reportOnLabelBatch(logits, targets, options, settings),
      logits,
      targets,
      settings,
      numClasses,
    );
  }
  const classes = isFloats(kindOf(targets)) ? numClasses : undefined;
  return taskOf(
    reportOnBatch(logits, targets, options, settings),
    logits,
    targets,
    settings,
    classes,
  );
}

/** The report on rows of one class each that have been read. */
export function* reportOn(rows: Rows, options: ReportOptions): Work<ClassificationReport> {
  const settings = checkSettings(readOptions(options, OPTIONS));
  return yield* withReportText(reportOnRows(rows, settings), settings);
}

function* reportOnBatch(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  settings: Settings,
): Work<Findings> {
  const rows = yield* rowsInTurns(logits, targets, options);
  const findings = yield* reportOnRows(rows, settings);
  if (settings.intervals === undefined) return findings;
  const { classes, isPaired } = rows;
  checkGroups(
    settings.intervals.groups,
    classes === 0 ? 0 : lengthOf(logits) / (isPaired ? 1 : classes),
  );
  return { ...findings, intervals: yield* intervalsOf(rows, settings, settings.intervals) };
}

function* reportOnLabelBatch(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  settings: Settings,
): Work<Findings> {
  const findings = yield* reportOnLabels(logits, targets, options, settings);
  const { intervals: wanted } = settings;
  if (wanted === undefined) return findings;
  const intervals = yield* labelIntervals(logits, targets, options, settings, wanted);
  return { ...findings, intervals };
}

/**
 * Work on a batch, with how much it is as far as that can be told of arrays that have not been
 * checked.
 */
function taskOf(
  work: Work<Findings>,
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  settings: Settings,
  targetsPerRow = 1,
): Task {
  const isArray = kindOf(logits) !== undefined && kindOf(targets) !== undefined;
  const size = isArray ? lengthOf(logits) : 0;
  const rows = isArray ? Math.floor(lengthOf(targets) / targetsPerRow) : 0;
  // Each resample looks at all rows, and so does what leaves some of them out.
  const resamples = settings.intervals === undefined ? 0 : settings.intervals.repeats * 2 * rows;
  return {
    work: withReportText(work, settings),
    entries: reportEntries(size, rows, settings.auc) + resamples,
    rows,
  };
}

/** The number of entries that are looked at for a report on so many logits. */
export function reportEntries(size: number, rows: number, auc = true): number {
  // One area is enough for two classes.
  const areas = size > 2 * rows ? size : rows;
  return 3 * size + (auc ? AREA_PASSES * areas : 0);
}

function* withReportText(work: Work<Findings>, settings: Settings): Work<ClassificationReport> {
  return withText(yield* work, (report: ClassificationReport) => reportText(report, settings));
}

/** Options, all of them there. */
export function checkSettings({
  bins = 15,
  zeroDivision = 0,
  auc = true,
  confusion = true,
  averageOver,
  beta = 1,
  topK = 2,
  classNames,
  sampleWeights,
  intervals,
}: ReportOptions): Settings {
  checkInteger('bins', 1, 10_000, bins);
  checkNumber('zeroDivision', '0, 1 or NaN', zeroDivision);
  if (!(zeroDivision === 0 || zeroDivision === 1 || Number.isNaN(zeroDivision))) {
    throw outOfRange('zeroDivision', '0, 1 or NaN', zeroDivision);
  }
  checkBoolean('auc', auc);
  checkBoolean('confusion', confusion);
  if (averageOver !== undefined) checkChoice('averageOver', ['present', 'all'], averageOver);
  checkNotNegative('beta', beta);
  checkInteger('topK', 1, Number.MAX_SAFE_INTEGER, topK);
  const weights = floatsOf('sampleWeights', sampleWeights);
  if (weights !== undefined) checkSampleWeights(weights);
  const names = classNames === undefined ? undefined : checkNames(classNames);
  return {
    bins,
    zeroDivision,
    auc,
    confusion,
    averageOver,
    beta,
    topK,
    classNames: names,
    sampleWeights: weights,
    intervals: intervals === undefined ? undefined : checkIntervals(intervals),
  };
}

function checkNames(names: ArrayLike<string>): readonly string[] {
  if (typeof names !== 'object' || names === null || typeof names.length !== 'number') {
    throw wrongType('classNames', 'an array with one name per class', names);
  }
  return Array.from(names, (name, j) => {
    if (typeof name !== 'string') throw wrongType(`classNames[${j}]`, 'a string', name);
    return name;
  });
}
