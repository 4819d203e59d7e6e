import { shorten } from '../../arrays/shorten.js';
import {
  checkBoolean,
  checkEntries,
  checkInteger,
  checkOptions,
  outOfRange,
  wrongLength,
  wrongType,
} from '../../call/checks.js';
import { SigmoidFocalLoss } from '../../losses/sigmoid-focal.js';
import { cohensKappa, matthews } from '../report/agreement.js';
import { type JudgedBatch, openBatch, rowOptionsOf } from '../report/batch.js';
import { calibrationOf } from '../report/calibration.js';
import { scoreFigures } from '../report/figures.js';
import { IGNORED } from '../report/labels.js';
import {
  emptyRanking,
  type RankingArrays,
  rankingFigures,
  setOfOne,
  setOfTwo,
} from '../report/ranking.js';
import {
  checkSettings,
  classificationReport,
  type ReportOptions,
  SCORE_OPTIONS,
} from '../report/report.js';
import type { ClassificationReport, Settings } from '../report/result.js';
import { balancedAccuracyOf, ofSecond } from '../report/rows.js';
import { reportText } from '../report/text.js';
import { joined, pick, placesWhere, sum, tabulate } from '../rows/loops.js';
import { type Pooled, type PooledOptions, pooledOf, RUN_TASK } from '../rows/pooled.js';
import { leastSuspicious, PROBABILITIES_NOTICE } from '../rows/probability-watch.js';
import type { Rows } from '../rows/rows.js';
import { INSPECT, withText } from '../rows/table.js';
import { type Logits, opened, type Targets } from '../rows/tensors.js';
import { finish } from '../rows/turns.js';
import { ExactSum, type ExactSumState } from './exact-sum.js';
import { checkCount, checkRecord, checkVersion, field } from './json.js';
import {
  type LabelScoresState,
  labelsState,
  noLabels,
  restoreLabels,
  samplesOf,
} from './label-scores.js';
import { seeBatch, shardedReport } from './see-batch.js';
import { countsOf, merged, partsOf, type Scored, type Seen } from './seen.js';

/** Options of a {@link ReportMeter}: those of a report that do not go with single rows. */
export interface ReportMeterOptions
  extends Omit<ReportOptions, 'sampleWeights' | 'intervals' | 'spatialSize' | 'classNames'> {
  /** Names of the classes, one for each. */
  classNames?: readonly string[] | undefined;
}

const OPTIONS: readonly (keyof ReportMeterOptions)[] = [
  'numClasses',
  'ignoreIndex',
  'layout',
  ...SCORE_OPTIONS,
];

/** Options, with one that says what others are. */
export const REPORT_METER_OPTIONS: readonly (keyof ReportMeterOptions)[] = [
  ...OPTIONS,
  'criterion',
];

/** Options of {@link ReportMeter.update}. */
export interface ReportUpdateOptions {
  /** With layout `'channels-first'`, the number of positions of each sample. */
  spatialSize?: number | undefined;
}

const UPDATE_OPTIONS: readonly (keyof ReportUpdateOptions)[] = ['spatialSize'];

/** Options of {@link ReportMeter.update} on the workers of a pool. */
export interface PooledReportOptions extends ReportUpdateOptions, PooledOptions {}

/** A {@link ReportMeter} as JSON. */
export interface ReportMeterState {
  /** The version of this form. Another is refused. */
  readonly version: 1;
  /** The options of the meter. */
  readonly options: Omit<ReportMeterOptions, 'criterion'>;
  /** The number of classes, or labels; 0 before any rows. */
  readonly classes: number;
  /** True where rows have one logit, that of class 1 of two. */
  readonly isPaired: boolean;
  /** Row-major `[class, predicted class]`, or `[label, target, prediction]`. */
  readonly confusion: readonly number[];
  /** The rows without probabilities, and those with the target among the likeliest classes. */
  readonly counts: {
    /** The rows without probabilities. */
    readonly nonFinite: number;
    /** The rows with the target among the likeliest classes. */
    readonly hits: number;
  };
  /** True while all rows could be probabilities. */
  readonly mayBeProbabilities: boolean;
  /** The cross-entropies of the rows, added up. */
  readonly entropy: ExactSumState;
  /** Their squared distances from the targets. */
  readonly distance: ExactSumState;
  /** The rows of each bin of confidence, and of those the right ones. */
  readonly bins: {
    /** The rows of each bin. */
    readonly rows: readonly number[];
    /** The right ones of these. */
    readonly right: readonly number[];
  };
  /** The confidences of each bin, added up. */
  readonly confidence: readonly ExactSumState[];
  /** What there is besides of rows of several labels; missing of rows of one class each. */
  readonly multiLabel?: LabelScoresState;
  /**
   * The class of each row, for areas; of several labels those of each row, -1 where one does not
   * count.
   */
  readonly labels: readonly number[];
  /** The scores of each row, for areas; of those that are not finite the names. */
  readonly scores: readonly (readonly (number | string)[])[];
}

/**
 * A `classificationReport` on a validation set of any size, a batch at a time.
 *
 * Rows are counted, and what is added up of them is added without rounding, so that the parts of a
 * set may be seen in any order, in batches of any size, by several meters, on workers or other
 * machines, and {@link ReportMeter.merge | merged} in any order: the report is the same, bit for
 * bit. For areas under ROC curves and average precisions, which are exact as well, a meter keeps
 * the class and the scores of each row: twelve bytes of two classes, eight more for each of more.
 * With `auc: false` it keeps none.
 *
 * Rows are of one class each, or have one logit: with `numClasses: 1`, or the `SigmoidFocalLoss` as
 * `criterion`. With `numClasses` labels of its own, such a criterion is for rows of several labels,
 * each yes or no by itself, of which a meter keeps twelve bytes each. Weights and intervals are for
 * `classificationReport` alone.
 *
 * @example
 * ```ts
 * import { ReportMeter } from 'focal-loss/analysis';
 *
 * const meter = new ReportMeter({ classNames: ['cat', 'dog'] });
 * meter.update(new Float64Array([2, 0, 1, 0]), new Uint8Array([0, 0]));
 *
 * // On another worker: its meter arrives as JSON.
 * const worker = new ReportMeter({ classNames: ['cat', 'dog'] });
 * worker.update(new Float64Array([0, 1, 0.5, 0]), new Uint8Array([1, 1]));
 * meter.merge(ReportMeter.fromJSON(JSON.parse(JSON.stringify(worker))));
 *
 * const { accuracy, auc } = meter.result();
 * accuracy; // => 0.75
 * auc; // => 1
 * ```
 */
export class ReportMeter {
  readonly #options: ReportMeterOptions;
  readonly #settings: Settings;
  /** The loss of rows of several labels. */
  readonly #criterion: SigmoidFocalLoss | undefined;
  #seen: Seen | undefined;

  /**
   * A meter that has seen no rows.
   *
   * @throws TypeError and RangeError for options that `classificationReport` would not take either.
   */
  constructor(options: ReportMeterOptions = {}) {
    const given = checkOptions(options, REPORT_METER_OPTIONS);
    this.#settings = checkSettings(given);
    const { asked, isSigmoid } = rowOptionsOf(given);
    const { numClasses = isSigmoid ? 1 : undefined, ignoreIndex, layout } = asked;
    const { bins, zeroDivision, auc, confusion, averageOver, beta, topK, classNames } =
      this.#settings;
    const names = classNames && Object.freeze(Array.from(classNames));
    const scores = {
      bins,
      zeroDivision,
      auc,
      confusion,
      averageOver,
      beta,
      topK,
      classNames: names,
    };
    this.#options = Object.freeze({ numClasses, ignoreIndex, layout, ...scores });
    this.#criterion =
      isSigmoid && numClasses !== 1 ? new SigmoidFocalLoss({ numClasses }) : undefined;
    // A report without rows finds out what is wrong with the others.
    emptyReport(this.#options, this.#criterion);
  }

  /**
   * Sees a batch. One that is refused leaves the meter as it was.
   *
   * With a `pool` its workers compute, and a promise is returned: of the same meter, once it has
   * seen the batch, whose arrays must stay as they are until then. The report is the same, bit for
   * bit. Several such calls may be under way on a meter. Areas are computed by
   * {@link ReportMeter.result}, on the calling thread.
   *
   * @param logits - `[rows, classes]`, row-major; or a tensor that holds them.
   * @param targets - What the rows are, as `classificationReport` takes them.
   * @throws TypeError or RangeError where `classificationReport` throws one, and RangeError for
   *   another number of classes than before.
   */
  update(logits: Logits, targets: Targets, options: PooledReportOptions): Promise<this>;
  update(logits: Logits, targets: Targets, options?: ReportUpdateOptions): this;
  update(
    logits: Logits,
    targets: Targets,
    options: ReportUpdateOptions | PooledReportOptions = {},
  ): this | Promise<this> {
    const pooled = pooledOf(options, UPDATE_OPTIONS);
    if (pooled !== undefined) return this.#updateOn(pooled, logits, targets);
    const { spatialSize } = checkOptions(options, UPDATE_OPTIONS);
    const batch = this.#read(logits, targets, spatialSize);
    const check = (rows: Rows) => this.#check(rows);
    this.#add(seeBatch(batch, this.#settings, check));
    return this;
  }

  async #updateOn(
    { pool, signal, options }: Pooled<ReportUpdateOptions>,
    logits: Logits,
    targets: Targets,
  ): Promise<this> {
    const batch = this.#read(logits, targets, options.spatialSize);
    const sharded = shardedReport(batch, this.#settings);
    const isDone = await pool[RUN_TASK](sharded, signal);
    if (!isDone) return this.update(logits, targets, options);
    this.#add(sharded.seen());
    return this;
  }

  /** Adds what has been seen of a batch, if there is anything. */
  #add(seen: Seen | undefined): void {
    if (seen === undefined) return;
    // Others may have been added meanwhile.
    if (seen.labels === undefined) this.#check(seen);
    this.#seen = this.#seen === undefined ? seen : merged(this.#seen, seen);
  }

  /** Rows of one class must be like those before. */
  #check(rows: { readonly classes: number; readonly isPaired: boolean }): void {
    if (this.#seen !== undefined) checkAlike(this.#seen, rows);
    checkEntries('classNames', this.#settings.classNames ?? null, rows.classes);
  }

  /** A batch, with its options. */
  #read(logits: Logits, targets: Targets, spatialSize: number | undefined): JudgedBatch {
    const { numClasses, ignoreIndex, layout } = this.#options;
    const given = { numClasses, ignoreIndex, layout, spatialSize };
    if (this.#criterion !== undefined)
      return openBatch(logits, targets, { ...given, criterion: this.#criterion });
    return { ...opened(logits, targets, given, layout), isMultiLabel: false };
  }

  /**
   * Adds what another meter has seen.
   *
   * @throws TypeError where it is none, or one with other options, of which the error names the
   *   first; RangeError for another number of classes.
   */
  merge(other: ReportMeter): this {
    checkMeter(other);
    for (const name of OPTIONS) {
      const [theirs, ours] = [
        String(JSON.stringify(other.#options[name])),
        String(JSON.stringify(this.#options[name])),
      ];
      if (theirs !== ours) {
        throw new TypeError(
          `other must have the same options: its ${name} is ${shorten(theirs)}, here ${shorten(ours)}`,
        );
      }
    }
    if ((this.#criterion === undefined) !== (other.#criterion === undefined)) {
      const kind = other.#criterion === undefined ? 'one class' : 'several labels';
      throw new TypeError(`other must have the same options: its rows are of ${kind} each`);
    }
    const [seen, theirs] = [this.#seen, other.#seen];
    if (theirs === undefined) return this;
    if (seen !== undefined) checkAlike(seen, theirs);
    this.#seen = seen === undefined ? theirs : merged(seen, theirs);
    return this;
  }

  /** The report on everything that was seen. */
  result(): ClassificationReport {
    const seen = this.#seen;
    if (seen === undefined) return emptyReport(this.#options, this.#criterion);
    return withText(reportOf(seen, this.#settings), (report: ClassificationReport) =>
      reportText(report, this.#settings),
    );
  }

  /** The report so far, as `console.log` prints it in Node.js, Deno and Bun. */
  toString(): string {
    return `ReportMeter\n${this.result()}`;
  }

  /** @internal */
  [INSPECT](): string {
    return this.toString();
  }

  /** Everything there is to the meter. Nothing is lost. */
  toJSON(): ReportMeterState {
    return stateOf(this.#options, this.#seen, this.#criterion !== undefined);
  }

  /**
   * The meter that became this JSON.
   *
   * @throws TypeError or RangeError for what never was one. It names the field.
   */
  static fromJSON(state: ReportMeterState): ReportMeter {
    const record = checkRecord('state', 'what ReportMeter.toJSON returned', state);
    checkVersion(record, VERSION);
    const areLabels = Object.hasOwn(record, 'multiLabel');
    const meter = restoreMeter(
      checkRecord('state.options', 'options of a ReportMeter', field('state', record, 'options')),
      areLabels,
    );
    const { numClasses } = meter.#options;
    const seen = restoreSeen(record, meter.#settings, areLabels ? numClasses : undefined);
    if (seen !== undefined)
      checkEntries('state.options.classNames', meter.#settings.classNames ?? null, seen.classes);
    meter.#seen = seen;
    return meter;
  }
}

const VERSION = 1;

/** Kept out of the class: one that names itself is given another name when it is bundled. */
function checkMeter(other: unknown): void {
  if (other instanceof ReportMeter) return;
  throw wrongType(
    'other',
    'a ReportMeter (ReportMeter.fromJSON makes one of what toJSON returned)',
    other,
  );
}

/** A report without rows. */
function emptyReport(
  options: ReportMeterOptions,
  criterion: SigmoidFocalLoss | undefined,
): ClassificationReport {
  return classificationReport(new Float64Array(), new Uint8Array(), { ...options, criterion });
}

/** Rows of other classes cannot be added. */
function checkAlike(
  seen: Seen,
  other: { readonly classes: number; readonly isPaired: boolean },
): void {
  const name = ({ classes, isPaired }: { classes: number; isPaired: boolean }) =>
    isPaired ? 1 : classes;
  if (name(seen) === name(other)) return;
  throw new RangeError(
    `rows must have as many logits as those before, ${name(seen)}, got ${name(other)}`,
  );
}

/** The report on what was seen. */
function reportOf(seen: Seen, settings: Settings): Omit<ClassificationReport, 'toString'> {
  const { classes, confusion, isPaired, labels } = seen;
  const counts = countsOf(confusion, classes, labels !== undefined);
  const decisions = sum(seen.binRows);
  const rows = labels?.rows ?? decisions;
  const ranked = rankedOf(seen);
  const averagesAll =
    labels === undefined ? settings.averageOver === 'all' : settings.averageOver !== 'present';
  const mayBe =
    seen.mayBeProbabilities && decisions >= leastSuspicious(isPaired || labels !== undefined);
  return {
    multiLabel: labels !== undefined,
    rows,
    numClasses: classes,
    nonFinite: seen.nonFinite,
    accuracy: (labels?.right ?? sum(counts.right)) / rows,
    hammingLoss: (decisions - sum(seen.binRight)) / decisions,
    brier: seen.distance.toNumber() / decisions,
    logLoss: seen.entropy.toNumber() / decisions,
    calibration: calibrationOf(
      seen.binRows,
      Float64Array.from(seen.confidence, (total) => total.toNumber()),
      seen.binRight,
    ),
    balancedAccuracy: labels ? NaN : balancedAccuracyOf(counts.right, counts.support),
    topKAccuracy: labels ? NaN : seen.hits / rows,
    mcc: labels ? NaN : matthews(counts),
    kappa: labels ? NaN : cohensKappa(counts),
    ...scoreFigures(counts, ranked, rows > 0, averagesAll, settings),
    ...(classes === 2 && labels === undefined ? ofSecond(ranked) : {}),
    samples: labels && samplesOf(labels),
    confusion: settings.confusion ? Uint32Array.from(confusion) : undefined,
    warning: mayBe ? PROBABILITIES_NOTICE : undefined,
    intervals: undefined,
  };
}

/** The areas and average precisions of all rows. */
function rankedOf({ classes, scored, labels }: Seen): RankingArrays {
  const ranked = emptyRanking(classes);
  const parts = partsOf(scored);
  if (labels !== undefined) rankLabels(ranked, parts);
  else if (scored !== undefined) rankRows(ranked, parts, scored.scores.length);
  return ranked;
}

/** Fills in the figures of classes, of which two have one score. */
function rankRows(ranked: RankingArrays, parts: readonly Scored[], columns: number): void {
  const labels = joined(
    Int32Array,
    parts.map((part) => part.labels),
  );
  for (let column = 0; column < columns; column++) {
    const scores = joined(
      Float64Array,
      parts.map((part) => part.scores[column] as Float64Array),
    );
    if (columns === 1) setOfTwo(ranked, finish(rankingFigures(scores, labels, 1, undefined)));
    else setOfOne(ranked, column, finish(rankingFigures(scores, labels, column, undefined)));
  }
}

/** Fills in the figures of labels, each of the rows in which it counts. */
function rankLabels(ranked: RankingArrays, parts: readonly Scored[]): void {
  const labels = ranked.auc.length;
  for (let j = 0; j < labels; j++) {
    const column = (array: ArrayLike<number>) =>
      tabulate(array.length / labels, (row) => array[row * labels + j] as number);
    const members = joined(
      Float64Array,
      parts.map((part) => column(part.labels)),
    );
    const scores = joined(
      Float64Array,
      parts.map((part) => column(part.scores[0] as Float64Array)),
    );
    const counted = placesWhere(members.length, (k) => members[k] !== IGNORED);
    const found = rankingFigures(
      pick(scores, counted, new Float64Array(counted.length)),
      pick(members, counted, new Int32Array(counted.length)),
      1,
      undefined,
    );
    setOfOne(ranked, j, finish(found));
  }
}

function stateOf(
  options: ReportMeterOptions,
  seen: Seen | undefined,
  areLabels: boolean,
): ReportMeterState {
  const none = new ExactSum().toJSON();
  const { zeroDivision } = options;
  const parts = partsOf(seen?.scored);
  const labels = joined(
    Int32Array,
    parts.map((part) => part.labels),
  );
  const columns = seen?.scored?.scores ?? [];
  return {
    version: VERSION,
    options: {
      ...options,
      zeroDivision: Number.isNaN(zeroDivision) ? ('NaN' as never) : zeroDivision,
    },
    classes: seen?.classes ?? 0,
    isPaired: seen?.isPaired ?? false,
    confusion: Array.from(seen?.confusion ?? []),
    counts: { nonFinite: seen?.nonFinite ?? 0, hits: seen?.hits ?? 0 },
    mayBeProbabilities: seen?.mayBeProbabilities ?? true,
    entropy: seen?.entropy.toJSON() ?? none,
    distance: seen?.distance.toJSON() ?? none,
    bins: { rows: Array.from(seen?.binRows ?? []), right: Array.from(seen?.binRight ?? []) },
    confidence: (seen?.confidence ?? []).map((total) => total.toJSON()),
    ...(areLabels ? { multiLabel: labelsState(seen?.labels ?? noLabels()) } : {}),
    labels: Array.from(labels),
    scores: columns.map((_, j) =>
      Array.from(
        joined(
          Float64Array,
          parts.map((part) => part.scores[j] as Float64Array),
        ),
        (score) => (Number.isFinite(score) ? score : String(score)),
      ),
    ),
  };
}

/** A meter of options that became JSON. */
function restoreMeter(options: object, areLabels: boolean): ReportMeter {
  const own: Record<string, unknown> = { __proto__: null, ...options };
  const { zeroDivision, numClasses, ...others } = own;
  try {
    const meter = new ReportMeter({
      ...others,
      numClasses: numClasses as number,
      zeroDivision: zeroDivision === 'NaN' ? NaN : (zeroDivision as number),
      ...(areLabels ? { criterion: new SigmoidFocalLoss() } : {}),
    });
    if (areLabels) checkLabels(numClasses);
    return meter;
  } catch (error) {
    if (error instanceof Error) error.message = `state.options: ${error.message}`;
    throw error;
  }
}

/** Several labels are two or more. */
function checkLabels(numClasses: unknown): void {
  if (numClasses === undefined || numClasses === 1)
    throw outOfRange('numClasses', '2 or more for rows of several labels', numClasses);
}

/** Everything that was seen, checked field by field; of rows of so many labels, if that is said. */
function restoreSeen(
  record: object,
  settings: Settings,
  labels: number | undefined,
): Seen | undefined {
  const classes = checkInteger(
    'state.classes',
    0,
    2 ** 24,
    field('state', record, 'classes') as number,
  );
  if (classes === 0) return undefined;
  if (classes === 1) throw outOfRange('state.classes', '0, or 2 or more', classes);
  if (labels !== undefined && classes !== labels)
    throw outOfRange('state.classes', `0, or that of state.options, ${labels}`, classes);
  const confusion = restoreCounts(
    'state.confusion',
    field('state', record, 'confusion'),
    labels === undefined ? classes * classes : 4 * labels,
  );
  const sums = restoreSums(record, settings, sum(confusion));
  const scored = labels === undefined ? restoreScored : restoreLabelScores;
  return {
    ...sums,
    classes,
    confusion,
    scored: settings.auc ? scored(record, classes, confusion) : undefined,
    labels:
      labels === undefined
        ? undefined
        : restoreLabels(field('state', record, 'multiLabel'), sum(confusion)),
  };
}

/** The sums over so many decisions, checked field by field. */
function restoreSums(record: object, settings: Settings, rows: number) {
  const isPaired = restoreBoolean('state.isPaired', field('state', record, 'isPaired'));
  const counts = checkRecord('state.counts', 'counts of rows', field('state', record, 'counts'));
  const count = (name: string) => {
    const found = checkCount(`state.counts.${name}`, field('state.counts', counts, name));
    if (found > rows)
      throw outOfRange(`state.counts.${name}`, `at most the number of rows, ${rows}`, found);
    return found;
  };
  const total = (name: string) => {
    const terms = { terms: rows, least: 0, most: Number.MAX_VALUE, allFinite: false };
    return ExactSum.from(`state.${name}`, field('state', record, name), terms);
  };
  const bins = checkRecord('state.bins', 'bins of a report', field('state', record, 'bins'));
  const binRows = restoreCounts(
    'state.bins.rows',
    field('state.bins', bins, 'rows'),
    settings.bins,
  );
  if (sum(binRows) !== rows)
    throw new RangeError(`state.bins.rows must add up to ${rows}, got ${sum(binRows)}`);
  const confidence = restoreArray(
    'state.confidence',
    field('state', record, 'confidence'),
    settings.bins,
  );
  return {
    isPaired,
    nonFinite: count('nonFinite'),
    hits: count('hits'),
    mayBeProbabilities: restoreBoolean(
      'state.mayBeProbabilities',
      field('state', record, 'mayBeProbabilities'),
    ),
    entropy: total('entropy'),
    distance: total('distance'),
    binRows,
    binRight: restoreCounts('state.bins.right', field('state.bins', bins, 'right'), settings.bins),
    confidence: confidence.map((state, bin) => {
      const terms = { terms: binRows[bin] as number, least: 0, most: 1, allFinite: false };
      return ExactSum.from(`state.confidence[${bin}]`, state, terms);
    }),
  };
}

function restoreScored(record: object, classes: number, confusion: Float64Array): Scored {
  const { support } = countsOf(confusion, classes, false);
  const rows = sum(support);
  const labels = restoreCounts('state.labels', field('state', record, 'labels'), rows);
  labels.forEach((label, k) => {
    if (label >= classes)
      throw outOfRange(`state.labels[${k}]`, `a class in [0, ${classes})`, label);
    support[label] = (support[label] as number) - 1;
  });
  const odd = support.findIndex((rest) => rest !== 0);
  if (odd >= 0)
    throw new RangeError(`state.labels must have as many rows of class ${odd} as state.confusion`);
  return {
    labels: Int32Array.from(labels),
    scores: restoreScores(record, classes === 2 ? 1 : classes, rows),
    before: undefined,
  };
}

/** The labels of rows, of so many each, and their scores. */
function restoreLabelScores(record: object, labels: number, confusion: Float64Array): Scored {
  const { support, negatives } = countsOf(confusion, labels, true);
  const given = field('state', record, 'labels');
  if (!Array.isArray(given)) throw wrongType('state.labels', 'an array', given);
  if (given.length % labels !== 0)
    throw wrongLength('state.labels', `entries for rows of ${labels} labels`, given.length);
  given.forEach((member, k) => {
    const j = k % labels;
    if (member === 1) support[j] = (support[j] as number) - 1;
    else if (member === 0) negatives[j] = (negatives[j] as number) - 1;
    else if (member !== IGNORED) throw outOfRange(`state.labels[${k}]`, '-1, 0 or 1', member);
  });
  const odd = support.findIndex((rest, j) => rest !== 0 || negatives[j] !== 0);
  if (odd >= 0)
    throw new RangeError(`state.labels must have as many of label ${odd} as state.confusion`);
  return {
    labels: Int32Array.from(given as number[]),
    scores: restoreScores(record, 1, given.length),
    before: undefined,
  };
}

function restoreScores(record: object, columns: number, length: number): Float64Array[] {
  const given = restoreArray('state.scores', field('state', record, 'scores'), columns);
  return given.map((column, j) =>
    Float64Array.from(restoreArray(`state.scores[${j}]`, column, length), (score, k) => {
      if (score === 'NaN' || score === 'Infinity' || score === '-Infinity') return Number(score);
      if (typeof score !== 'number') throw wrongType(`state.scores[${j}][${k}]`, 'a number', score);
      return score;
    }),
  );
}

function restoreBoolean(name: string, given: unknown): boolean {
  checkBoolean(name, given as boolean);
  return given as boolean;
}

function restoreArray(name: string, given: unknown, length: number): unknown[] {
  if (!Array.isArray(given)) throw wrongType(name, 'an array', given);
  if (given.length !== length) throw wrongLength(name, `${length} entries`, given.length);
  return given;
}

function restoreCounts(name: string, given: unknown, length: number): Float64Array {
  return Float64Array.from(restoreArray(name, given, length), (value, i) =>
    checkCount(`${name}[${i}]`, value),
  );
}
