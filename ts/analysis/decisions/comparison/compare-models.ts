import { readOptions } from '../../../arrays/own.js';
import { lengthOf } from '../../../arrays/typed-arrays.js';
import type { FloatArray } from '../../../arrays/types.js';
import { checkOptions, checkSampleWeights, wrongLength } from '../../../call/checks.js';
import { floatsOf } from '../../../call/plain-arrays.js';
import type { AnyCriterion } from '../../criteria/own-criterion.js';
import { checkKind, type JudgedBatch, openBatch } from '../../report/batch.js';
import { weightsOf } from '../../report/figures.js';
import {
  AVERAGED,
  AVERAGES,
  checkGroups,
  checkIntervalSettings,
  groupsOf,
  INTERVAL_OPTIONS,
  type IntervalOptions,
  type IntervalSettings,
  OF_CLASS,
  OVERALL,
} from '../../report/intervals.js';
import { makeRater, type RatedRows, rateRows } from '../../report/rated.js';
import { rateLabels } from '../../report/rated-labels.js';
import { checkSettings, type ReportOptions } from '../../report/report.js';
import type { Settings } from '../../report/result.js';
import { ROW_OPTIONS, type RowOptions, readElements, readRows } from '../../rows/rows.js';
import { table, withText } from '../../rows/table.js';
import type { Logits, Targets } from '../../rows/tensors.js';
import { finish } from '../../rows/turns.js';
import { weighNothing } from '../../rows/weights.js';
import {
  type Interval,
  intervalOf,
  type Resampled,
  resample,
  type Strata,
  strataOf,
} from '../../uncertainty/bootstrap.js';
import { areaVariance, normalInterval, placementsOf } from '../../uncertainty/delong.js';
import { mcnemar } from '../../uncertainty/mcnemar.js';
import { twoSided } from '../../uncertainty/normal.js';
import { type LossState, lossOf, meantLabels, meantRows } from '../calibration/meaning.js';

/** Options of {@link compareModels}. */
export interface CompareModelsOptions extends RowOptions, IntervalOptions {
  /**
   * One weight per row: finite numbers that are not negative. Rows that weigh 0 are left out, and
   * not drawn; only `rows` counts them.
   */
  sampleWeights?: FloatArray | readonly number[] | undefined;
  /**
   * The loss that both models were trained with, of any entry of this package, or that of each:
   * what is compared are then the probabilities that the logits stand for under it, as `posterior`
   * has them. So models that were trained with different losses have log losses and Brier scores
   * that can be compared. Where label smoothing or a margin has clipped a probability to 0, that
   * counts as 2^-23. It says what the logits of its model mean, as it does for
   * `classificationReport`: its `numClasses`, `ignoreIndex` and `layout` hold where they are not
   * given.
   *
   * @defaultValue none: the logits are those of a cross-entropy
   */
  criterion?:
    | AnyCriterion
    | readonly [first: AnyCriterion | undefined, second: AnyCriterion | undefined]
    | undefined;
}

const OPTIONS: readonly (keyof CompareModelsOptions)[] = [
  ...ROW_OPTIONS,
  ...INTERVAL_OPTIONS,
  'sampleWeights',
  'criterion',
];

/** A way to tell a difference from chance. */
export type ModelTest = 'delong' | 'mcnemar' | 'bootstrap';

/** A figure of two models on the same rows. */
export interface ModelDifference extends Interval {
  /** The figure of the first model. */
  readonly first: number;
  /** That of the second. */
  readonly second: number;
  /** The second less the first, which `low` and `high` are about. */
  readonly difference: number;
  /** The probability of a difference as large where there is none: two-sided. */
  readonly pValue: number;
  /** The test that says so. */
  readonly test: ModelTest;
}

/** The figures of two models that {@link compareModels} sets side by side. */
export interface ModelComparison {
  /** The number of rows that count. */
  readonly rows: number;
  /** The area under the ROC curve: of class 1 of two, else the average over the classes. */
  readonly auc: ModelDifference;
  /** The share of rows that are right. */
  readonly accuracy: ModelDifference;
  /** The F1 score of class 1 of two, else the macro average. */
  readonly f1: ModelDifference;
  /** The average cross-entropy. */
  readonly logLoss: ModelDifference;
  /** The Brier score. */
  readonly brier: ModelDifference;
  /** All of it as a table. */
  toString(): string;
}

/**
 * The differences between two models on the same rows, with how likely they are by chance.
 *
 * Areas of two classes are compared by the test of DeLong, DeLong and Clarke-Pearson (1988), shares
 * of right rows by McNemar's (1947), the exact one up to a thousand rows that only one of the two
 * has right. All else, and all where rows have weights or groups, by a paired bootstrap: the rows
 * of a resample are the same for both models, and as many of each class as there are. A p-value of
 * it is twice the share of resamples on the other side of 0, of which there is one more than was
 * seen; it is no smaller than 2 / (repeats + 1).
 *
 * @param logitsA - The logits of the first model, as `classificationReport` takes them.
 * @param logitsB - Those of the second.
 * @param targets - What the rows are.
 * @throws TypeError and RangeError as `classificationReport` does, and RangeError where no row
 *   counts.
 *
 * @example
 * ```ts
 * import { compareModels } from 'focal-loss/analysis';
 *
 * const targets = Uint8Array.from({ length: 40 }, (_, row) => row % 2);
 * // One logit per row, of which one in five has the wrong sign, and one in twenty.
 * const wrongIn = (n = 1) =>
 *   Float64Array.from(targets, (y, k) => (k % n === 0 ? 1 - 2 * y : 2 * y - 1));
 * const [first, second] = [wrongIn(5), wrongIn(20)];
 * const { accuracy } = compareModels(first, second, targets);
 * accuracy.difference; // => 0.15
 * accuracy.pValue; // => 0.03125
 * accuracy.test; // => 'mcnemar'
 * ```
 */
export function compareModels(
  logitsA: Logits,
  logitsB: Logits,
  targets: Targets,
  options: CompareModelsOptions = {},
): ModelComparison {
  const given = checkOptions(options, OPTIONS);
  const wanted = checkIntervalSettings(given);
  const sampleWeights = floatsOf('sampleWeights', given.sampleWeights);
  if (sampleWeights !== undefined) checkSampleWeights(sampleWeights);
  const criteria = criteriaOf(given.criterion);
  const ignoreIndex = given.ignoreIndex ?? ignoredBy(criteria);
  const settings = checkSettings(
    readOptions<ReportOptions>({ topK: 1, sampleWeights }, ['topK', 'sampleWeights']),
  );
  const read = (name: string, logits: Logits, i: 0 | 1) => {
    const { numClasses, layout, spatialSize } = given;
    const criterion = criteria[i];
    const asked = { numClasses, ignoreIndex, layout, spatialSize, criterion };
    return named(name, () => {
      const batch = openBatch(logits, targets, asked);
      const argument = Array.isArray(given.criterion) ? `criterion[${i}]` : 'criterion';
      checkKind(argument, batch, criterion);
      return rated(batch, criterion && lossOf(criterion), settings, argument);
    });
  };
  const [first, second] = [read('logitsA', logitsA, 0), read('logitsB', logitsB, 1)];
  if (first.classes !== second.classes || first.isMultiLabel !== second.isMultiLabel) {
    const [expected, found] = [first, second].map(({ classes, isMultiLabel }) =>
      isMultiLabel ? `${classes} labels` : String(classes),
    );
    throw new RangeError(`logitsB must have as many classes as logitsA, ${expected}, got ${found}`);
  }
  checkGroups(wanted.groups, first.size);
  if (first.numbers.length === 0)
    throw new RangeError('targets must have a row that counts, got none');
  if (sampleWeights && !first.numbers.some((row) => (sampleWeights[row] as number) > 0))
    throw weighNothing();
  return compare(first, second, wanted, sampleWeights !== undefined);
}

type Criteria = readonly [AnyCriterion | undefined, AnyCriterion | undefined];

/** The losses of both models, as far as they are given. */
function criteriaOf(criterion: CompareModelsOptions['criterion']): Criteria {
  if (!Array.isArray(criterion)) {
    if (criterion !== undefined) lossOf(criterion as AnyCriterion);
    return [criterion as AnyCriterion, criterion as AnyCriterion];
  }
  if (criterion.length !== 2)
    throw wrongLength('criterion', 'a loss for each model, 2', criterion.length);
  const both = [criterion[0], criterion[1]] as const;
  both.forEach((one, i) => {
    if (one !== undefined) lossOf(one, `criterion[${i}]`);
  });
  return both;
}

/** The target of rows that do not count, as the losses have it: it is the same for both models. */
function ignoredBy(criteria: Criteria): number | undefined {
  const [first, second] = criteria.map(
    (criterion) => criterion && readOptions(criterion, ['ignoreIndex']).ignoreIndex,
  );
  if (first !== undefined && second !== undefined && first !== second) {
    throw new RangeError(
      `criterion[1].ignoreIndex must be that of criterion[0], ${first}, got ${second}`,
    );
  }
  return first ?? second;
}

/** Reads the logits of a model, by whose name errors go. */
function named(name: string, read: () => Rated): Rated {
  try {
    return read();
  } catch (error) {
    // No regular expression: where the stack ends, engines cannot compile one.
    if (error instanceof Error && error.message.startsWith('logits')) {
      error.message = name + error.message.slice('logits'.length);
    }
    throw error;
  }
}

/** The rows of a model that count, judged. */
interface Rated {
  readonly classes: number;
  readonly isMultiLabel: boolean;
  /** The number of rows in the batch. */
  readonly size: number;
  /** The numbers of those that count. */
  readonly numbers: ArrayLike<number> & { some(test: (row: number) => boolean): boolean };
  /** The computation of all figures of rows that are there so often. */
  readonly rater: (times: Uint32Array) => Float64Array;
  /** The place of the F1 score among them. */
  readonly f1: number;
  /** Makes what resamples are drawn from. */
  strata(groups: ArrayLike<unknown> | undefined): Strata;
  /** A test whether the prediction of a row is right. */
  isRight(k: number): boolean;
  /** The rows, where each is of one class. */
  readonly rows: RatedRows | undefined;
}

/** Judges the rows of a model, by what its logits stand for under its loss. */
function rated(
  batch: JudgedBatch,
  loss: LossState | undefined,
  settings: Settings,
  argument: string,
): Rated {
  const { logits, targets, options, isMultiLabel } = batch;
  if (isMultiLabel) {
    const classes = options.numClasses as number;
    readElements(logits, targets, options);
    const meant = loss ? meantLabels(loss, logits, classes) : logits;
    const { rows, rater, strata } = finish(rateLabels(meant, targets, options, settings));
    return {
      classes,
      isMultiLabel,
      size: lengthOf(logits) / classes,
      numbers: rows.map(({ row }) => row),
      rater,
      f1: MACRO_F1,
      strata,
      isRight: (k) => rows[k]?.isRight === true,
      rows: undefined,
    };
  }
  const read = readRows(logits, targets, options);
  const { classes, numbers } = read;
  const size = classes === 0 ? 0 : lengthOf(logits) / (read.isPaired ? 1 : classes);
  const weights = weightsOf(settings, size);
  const rows = finish(rateRows(loss ? meantRows(loss, read, argument) : read, settings, weights));
  const { labels, predicted } = rows;
  return {
    classes,
    isMultiLabel,
    size,
    numbers,
    rater: makeRater(rows, settings),
    f1: classes === 2 ? SECOND_F1 : MACRO_F1,
    strata: (groups) =>
      strataOf(labels, classes, groups && groupsOf(groups, numbers), rows.weights),
    isRight: (k) => predicted[k] === labels[k],
    rows,
  };
}

const NAMES = ['auc', 'accuracy', 'f1', 'logLoss', 'brier'] as const;
type Name = (typeof NAMES)[number];

/** The places of F1 scores among the figures of a rater. */
const MACRO_F1 = OVERALL.length + AVERAGED.indexOf('f1');
const SECOND_F1 =
  OVERALL.length + AVERAGES.length * AVERAGED.length + OF_CLASS.length + OF_CLASS.indexOf('f1');

function compare(
  first: Rated,
  second: Rated,
  { groups, repeats, seed, method, level }: IntervalSettings,
  areWeighted: boolean,
): ModelComparison {
  const { length } = first.numbers;
  const places = NAMES.map((name) => (name === 'f1' ? first.f1 : OVERALL.indexOf(name)));
  const figuresOf = ({ rater }: Rated, times: Uint32Array) => {
    const all = rater(times);
    return Float64Array.from(places, (place) => all[place] as number);
  };
  const differencesOf = (times: Uint32Array) => {
    const [x, y] = [figuresOf(first, times), figuresOf(second, times)];
    return y.map((figure, i) => figure - (x[i] as number));
  };
  const strata = first.strata(groups);
  const resampled = finish(resample(strata, length, differencesOf, repeats, seed, method));
  const once = new Uint32Array(length).fill(1);
  const [x, y] = [figuresOf(first, once), figuresOf(second, once)];
  const byBootstrap = (_: Name, i: number): ModelDifference => {
    const [one, other] = [x[i] as number, y[i] as number];
    const difference = other - one;
    const interval = intervalOf(resampled, i, difference, level, method);
    return {
      first: one,
      second: other,
      difference,
      ...interval,
      pValue: shareBeyond(resampled, i),
      test: 'bootstrap',
    };
  };
  const [auc, accuracy, f1, logLoss, brier] = NAMES.map(byBootstrap) as [
    ModelDifference,
    ModelDifference,
    ModelDifference,
    ModelDifference,
    ModelDifference,
  ];
  const areIndependent = groups === undefined && !areWeighted;
  const comparison = {
    rows: length,
    auc: (areIndependent ? byDeLong(first, second, level) : undefined) ?? auc,
    accuracy: areIndependent
      ? { ...accuracy, pValue: byMcNemar(first, second), test: 'mcnemar' as const }
      : accuracy,
    f1,
    logLoss,
    brier,
  };
  return withText(comparison, textOf);
}

/** Twice the share of resamples in which a difference has another sign, or none. */
function shareBeyond({ repeats }: Resampled, i: number): number {
  let [notMore, notLess, all] = [1, 1, 1];
  for (const figures of repeats) {
    const difference = figures[i] as number;
    if (difference <= 0) notMore++;
    if (difference >= 0) notLess++;
    if (!Number.isNaN(difference)) all++;
  }
  return all === 1 ? NaN : Math.min(1, (2 * Math.min(notMore, notLess)) / all);
}

/** The areas of two classes; none where there are too few rows of either. */
function byDeLong(first: Rated, second: Rated, level: number): ModelDifference | undefined {
  const [x] = first.rows?.scores ?? [];
  const [y] = second.rows?.scores ?? [];
  const labels = first.rows?.labels;
  if (first.classes !== 2 || x === undefined || y === undefined || !labels) return undefined;
  if (x.some(Number.isNaN) || y.some(Number.isNaN)) return undefined;
  const [one, other] = [placementsOf(x, labels), placementsOf(y, labels)];
  const variance = areaVariance(one, other);
  if (Number.isNaN(variance)) return undefined;
  const difference = other.auc - one.auc;
  const interval = normalInterval(difference, variance, level, -1, 1);
  const pValue = difference === 0 ? 1 : twoSided(difference / Math.sqrt(variance));
  return { first: one.auc, second: other.auc, difference, ...interval, pValue, test: 'delong' };
}

function byMcNemar(first: Rated, second: Rated): number {
  let [onlyFirst, onlySecond] = [0, 0];
  for (let k = 0; k < first.numbers.length; k++) {
    const [one, other] = [first.isRight(k), second.isRight(k)];
    if (one && !other) onlyFirst++;
    if (other && !one) onlySecond++;
  }
  return mcnemar(onlyFirst, onlySecond);
}

const TITLES: Readonly<Record<Name, string>> = {
  auc: 'AUC',
  accuracy: 'accuracy',
  f1: 'F1',
  logLoss: 'log loss',
  brier: 'Brier score',
};

function textOf(comparison: ModelComparison): string {
  const show = (value: number) => (Number.isNaN(value) ? '-' : value.toFixed(4));
  return table([
    ['figure', 'first', 'second', 'difference', 'from', 'to', 'p-value', 'test'],
    ...NAMES.map((name) => {
      const { first, second, difference, low, high, pValue, test } = comparison[name];
      // One that rounds to 0 is small, not 0.
      const p = pValue < 0.00005 ? '<0.0001' : show(pValue);
      return [TITLES[name], ...[first, second, difference, low, high].map(show), p, test];
    }),
  ]);
}
