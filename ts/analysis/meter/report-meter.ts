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
import { cohensKappa, matthews } from '../report/agreement.js';
import { rowOptionsOf } from '../report/batch.js';
import { binOf, calibrationOf } from '../report/calibration.js';
import { type Counts, countOthers, countRow, emptyCounts } from '../report/confusion.js';
import { scoreFigures } from '../report/figures.js';
import { emptyRanking, type RankingArrays, rankingFigures, setOfTwo } from '../report/ranking.js';
import { checkSettings, classificationReport, type ReportOptions } from '../report/report.js';
import type { ClassificationReport, Settings } from '../report/result.js';
import { balancedAccuracyOf, isAmongFirst, ofSecond } from '../report/rows.js';
import { reportText } from '../report/text.js';
import { joined, sum } from '../rows/loops.js';
import {
  leastSuspicious,
  mayBeProbabilities,
  PROBABILITIES_NOTICE,
} from '../rows/probability-watch.js';
import { figuresOf, fillScores, type RowFigures } from '../rows/row-figures.js';
import { type Rows, readRows } from '../rows/rows.js';
import { INSPECT, withText } from '../rows/table.js';
import { type Logits, opened, type Targets } from '../rows/tensors.js';
import { finish } from '../rows/turns.js';
import { ExactSum, type ExactSumState } from './exact-sum.js';
import { checkCount, checkRecord, field } from './json.js';
import { TermSum } from './term-sum.js';

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
  'bins',
  'zeroDivision',
  'auc',
  'confusion',
  'averageOver',
  'beta',
  'topK',
  'classNames',
];

/** Options that say what others are. */
const GIVEN: readonly (keyof ReportMeterOptions)[] = [...OPTIONS, 'criterion'];

/** Options of {@link ReportMeter.update}. */
export interface ReportUpdateOptions {
  /** With layout `'channels-first'`, the number of positions of each sample. */
  spatialSize?: number | undefined;
}

/** A {@link ReportMeter} as JSON. */
export interface ReportMeterState {
  /** The version of this form. Another is refused. */
  readonly version: 1;
  /** The options of the meter. */
  readonly options: Omit<ReportMeterOptions, 'criterion'>;
  /** The number of classes; 0 before any rows. */
  readonly classes: number;
  /** True where rows have one logit, that of class 1 of two. */
  readonly isPaired: boolean;
  /** Row-major `[class, predicted class]`. */
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
  /** The class of each row, for areas. */
  readonly labels: readonly number[];
  /** The scores of each row, for areas; of those that are not finite the names. */
  readonly scores: readonly (readonly (number | string)[])[];
}

/** The scores of some rows, with those of the rows before them. */
interface Scored {
  readonly labels: Int32Array;
  readonly scores: readonly Float64Array[];
  readonly before: Scored | undefined;
}

/** Everything seen so far: never changed, so that a call that is stopped leaves a meter alone. */
interface Seen {
  readonly classes: number;
  readonly isPaired: boolean;
  readonly confusion: Float64Array;
  readonly nonFinite: number;
  readonly hits: number;
  readonly mayBeProbabilities: boolean;
  readonly entropy: ExactSum;
  readonly distance: ExactSum;
  readonly binRows: Float64Array;
  readonly binRight: Float64Array;
  readonly confidence: readonly ExactSum[];
  readonly scored: Scored | undefined;
}

/** Both together, of the same classes and bins. */
function merged(a: Seen, b: Seen): Seen {
  const added = (x: Float64Array, y: Float64Array) =>
    x.map((number, i) => number + (y[i] as number));
  let { scored } = a;
  for (let part = b.scored; part !== undefined; part = part.before) {
    scored = { labels: part.labels, scores: part.scores, before: scored };
  }
  return {
    classes: a.classes,
    isPaired: a.isPaired,
    confusion: added(a.confusion, b.confusion),
    nonFinite: a.nonFinite + b.nonFinite,
    hits: a.hits + b.hits,
    mayBeProbabilities: a.mayBeProbabilities && b.mayBeProbabilities,
    entropy: a.entropy.plus(b.entropy),
    distance: a.distance.plus(b.distance),
    binRows: added(a.binRows, b.binRows),
    binRight: added(a.binRight, b.binRight),
    confidence: a.confidence.map((sum, i) => sum.plus(b.confidence[i] as ExactSum)),
    scored,
  };
}

/** Everything that is to be seen of a batch. */
function see(rows: Rows, settings: Settings): Seen {
  const { labels, classes } = rows;
  const { length } = labels;
  const figures = figuresOf(rows);
  const sums = { entropy: new TermSum(), distance: new TermSum() };
  const bins = settings.bins;
  const confidence = Array.from({ length: bins }, () => new TermSum());
  const seen = {
    confusion: new Float64Array(classes * classes),
    binRows: new Float64Array(bins),
    binRight: new Float64Array(bins),
    nonFinite: 0,
    hits: 0,
  };
  for (let k = 0; k < length; k++) {
    const [label, predicted] = [labels[k] as number, figures.predicted[k] as number];
    const cell = label * classes + predicted;
    seen.confusion[cell] = (seen.confusion[cell] as number) + 1;
    if (settings.topK >= classes || isAmongFirst(rows, k, settings.topK)) seen.hits++;
    sums.entropy.add(figures.crossEntropy[k] as number);
    // The probabilities of two classes are equally far from their targets.
    sums.distance.add((figures.distance[k] as number) / (classes === 2 ? 2 : 1));
    const p = figures.confidence[k] as number;
    if (Number.isNaN(p)) seen.nonFinite++;
    const bin = binOf(p, bins);
    seen.binRows[bin] = (seen.binRows[bin] as number) + 1;
    if (label === predicted) seen.binRight[bin] = (seen.binRight[bin] as number) + 1;
    (confidence[bin] as TermSum).add(p);
  }
  return {
    ...seen,
    classes,
    isPaired: rows.isPaired,
    mayBeProbabilities: mayBeProbabilities(rows),
    entropy: sums.entropy.total(),
    distance: sums.distance.total(),
    confidence: confidence.map((sum) => sum.total()),
    scored: settings.auc
      ? { labels: labels.slice(), scores: scoresOf(rows, figures), before: undefined }
      : undefined,
  };
}

/** The scores of rows by which they are ranked: of class 1 of two, or of each. */
function scoresOf(rows: Rows, figures: RowFigures): Float64Array[] {
  const classes = rows.classes === 2 ? [1] : Array.from({ length: rows.classes }, (_, j) => j);
  return classes.map((j) => {
    const scores = new Float64Array(rows.labels.length);
    fillScores(scores, rows, figures, j, 0, scores.length);
    return scores;
  });
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
 * `criterion`. Weights, labels and intervals are for `classificationReport` alone; for several
 * labels, take a meter of one logit per row for each.
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
  #seen: Seen | undefined;

  /**
   * A meter that has seen no rows.
   *
   * @throws TypeError and RangeError for options that `classificationReport` would not take either;
   *   TypeError for a criterion of several labels.
   */
  constructor(options: ReportMeterOptions = {}) {
    const given = checkOptions(options, GIVEN);
    this.#settings = checkSettings(given);
    const { asked, isSigmoid } = rowOptionsOf(given);
    const { numClasses = isSigmoid ? 1 : undefined, ignoreIndex, layout } = asked;
    if (isSigmoid && numClasses !== 1) {
      throw new TypeError(
        `criterion must be of rows of one class each or one logit, not of ${numClasses} labels: take classificationReport, or a meter with numClasses: 1 for each label`,
      );
    }
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
    // A report without rows finds out what is wrong with the others.
    emptyReport(this.#options);
  }

  /**
   * Sees a batch. One that is refused leaves the meter as it was.
   *
   * @param logits - `[rows, classes]`, row-major; or a tensor that holds them.
   * @param targets - What the rows are, as `classificationReport` takes them.
   * @throws TypeError or RangeError where `classificationReport` throws one, and RangeError for
   *   another number of classes than before.
   */
  update(logits: Logits, targets: Targets, options: ReportUpdateOptions = {}): this {
    const { spatialSize } = checkOptions(options, ['spatialSize']);
    const { numClasses, ignoreIndex, layout } = this.#options;
    const batch = opened(logits, targets, { numClasses, ignoreIndex, layout, spatialSize }, layout);
    const rows = readRows(batch.logits, batch.targets, batch.options);
    if (rows.labels.length === 0) return this;
    const before = this.#seen;
    if (before !== undefined) checkAlike(before, rows);
    checkEntries('classNames', this.#settings.classNames ?? null, rows.classes);
    const seen = see(rows, this.#settings);
    this.#seen = before === undefined ? seen : merged(before, seen);
    return this;
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
    const [seen, theirs] = [this.#seen, other.#seen];
    if (theirs === undefined) return this;
    if (seen !== undefined) checkAlike(seen, theirs);
    this.#seen = seen === undefined ? theirs : merged(seen, theirs);
    return this;
  }

  /** The report on everything that was seen. */
  result(): ClassificationReport {
    const seen = this.#seen;
    if (seen === undefined) return emptyReport(this.#options);
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
    return stateOf(this.#options, this.#seen);
  }

  /**
   * The meter that became this JSON.
   *
   * @throws TypeError or RangeError for what never was one. It names the field.
   */
  static fromJSON(state: ReportMeterState): ReportMeter {
    const record = checkRecord('state', 'what ReportMeter.toJSON returned', state);
    const version = field('state', record, 'version');
    if (version !== VERSION) {
      throw wrongType(
        'state.version',
        `${VERSION}, the form that this version of focal-loss reads`,
        version,
      );
    }
    const meter = restoreMeter(
      checkRecord('state.options', 'options of a ReportMeter', field('state', record, 'options')),
    );
    const seen = restoreSeen(record, meter.#settings);
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
function emptyReport({
  numClasses,
  ignoreIndex,
  layout,
  ...options
}: ReportMeterOptions): ClassificationReport {
  return classificationReport(new Float64Array(), new Uint8Array(), {
    numClasses,
    ignoreIndex,
    layout,
    ...options,
  });
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
  const { classes, confusion, isPaired } = seen;
  const counts = countsOf(confusion, classes);
  const rows = sum(counts.support);
  const right = sum(counts.right);
  const ranked = rankedOf(seen);
  const mayBe = seen.mayBeProbabilities && rows >= leastSuspicious(isPaired);
  return {
    multiLabel: false,
    rows,
    numClasses: classes,
    nonFinite: seen.nonFinite,
    accuracy: right / rows,
    hammingLoss: sum(counts.wrong) / rows,
    brier: seen.distance.toNumber() / rows,
    logLoss: seen.entropy.toNumber() / rows,
    calibration: calibrationOf(
      seen.binRows,
      Float64Array.from(seen.confidence, (total) => total.toNumber()),
      seen.binRight,
    ),
    balancedAccuracy: balancedAccuracyOf(counts.right, counts.support),
    topKAccuracy: seen.hits / rows,
    mcc: matthews(counts),
    kappa: cohensKappa(counts),
    ...scoreFigures(counts, ranked, rows > 0, settings.averageOver === 'all', settings),
    ...(classes === 2 ? ofSecond(ranked) : {}),
    samples: undefined,
    confusion: settings.confusion ? Uint32Array.from(confusion) : undefined,
    warning: mayBe ? PROBABILITIES_NOTICE : undefined,
    intervals: undefined,
  };
}

/** The counts of classes that a confusion matrix has. */
function countsOf(confusion: Float64Array, classes: number): Counts {
  const counts = emptyCounts(classes);
  confusion.forEach((rows, cell) => {
    if (rows > 0) countRow(counts, Math.floor(cell / classes), cell % classes, rows);
  });
  countOthers(counts);
  return counts;
}

/** The areas and average precisions of all rows. */
function rankedOf({ classes, scored }: Seen): RankingArrays {
  const ranked = emptyRanking(classes);
  const parts = partsOf(scored);
  const labels = joined(
    Int32Array,
    parts.map((part) => part.labels),
  );
  scored?.scores.forEach((_, column) => {
    const j = classes === 2 ? 1 : column;
    const scores = joined(
      Float64Array,
      parts.map((part) => part.scores[column] as Float64Array),
    );
    const found = finish(rankingFigures(scores, labels, j, undefined));
    if (classes === 2) setOfTwo(ranked, found);
    else {
      ranked.auc[j] = found.auc;
      ranked.averagePrecision[j] = found.averagePrecision;
    }
  });
  return ranked;
}

/** The parts of what has been scored, the last one first. */
function partsOf(scored: Scored | undefined): Scored[] {
  const parts: Scored[] = [];
  for (let part = scored; part !== undefined; part = part.before) parts.push(part);
  return parts;
}

function stateOf(options: ReportMeterOptions, seen: Seen | undefined): ReportMeterState {
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
function restoreMeter(options: object): ReportMeter {
  const { zeroDivision, ...others } = options as { zeroDivision?: unknown };
  try {
    return new ReportMeter({
      ...others,
      zeroDivision: zeroDivision === 'NaN' ? NaN : (zeroDivision as number),
    });
  } catch (error) {
    if (error instanceof Error) error.message = `state.options: ${error.message}`;
    throw error;
  }
}

/** Everything that was seen, checked field by field. */
function restoreSeen(record: object, settings: Settings): Seen | undefined {
  const classes = checkInteger(
    'state.classes',
    0,
    2 ** 24,
    field('state', record, 'classes') as number,
  );
  if (classes === 0) return undefined;
  if (classes === 1) throw outOfRange('state.classes', '0, or 2 or more', classes);
  const isPaired = restoreBoolean('state.isPaired', field('state', record, 'isPaired'));
  const confusion = restoreCounts(
    'state.confusion',
    field('state', record, 'confusion'),
    classes * classes,
  );
  const rows = sum(confusion);
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
    classes,
    isPaired,
    confusion,
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
    scored: settings.auc ? restoreScored(record, classes, confusion) : undefined,
  };
}

function restoreScored(record: object, classes: number, confusion: Float64Array): Scored {
  const { support } = countsOf(confusion, classes);
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
  const columns = restoreArray(
    'state.scores',
    field('state', record, 'scores'),
    classes === 2 ? 1 : classes,
  );
  const scores = columns.map((column, j) =>
    Float64Array.from(restoreArray(`state.scores[${j}]`, column, rows), (score, k) => {
      if (score === 'NaN' || score === 'Infinity' || score === '-Infinity') return Number(score);
      if (typeof score !== 'number') throw wrongType(`state.scores[${j}][${k}]`, 'a number', score);
      return score;
    }),
  );
  return { labels: Int32Array.from(labels), scores, before: undefined };
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
