import { readOptions } from '../../../arrays/own.js';
import { lengthOf } from '../../../arrays/typed-arrays.js';
import type { FloatArray } from '../../../arrays/types.js';
import {
  checkOptions,
  checkPerRow,
  checkSampleWeights,
  checkWeights,
  wrongLength,
} from '../../../call/checks.js';
import { floatsOf } from '../../../call/plain-arrays.js';
import type { AnyCriterion } from '../../criteria/own-criterion.js';
import {
  AVERAGED,
  AVERAGES,
  checkGroups,
  checkIntervalSettings,
  INTERVAL_OPTIONS,
  type IntervalOptions,
  type IntervalSettings,
  OF_CLASS,
  OVERALL,
} from '../../report/intervals.js';
import { makeRater, type RatedRows, rateRows } from '../../report/rated.js';
import { checkSettings, type ReportOptions } from '../../report/report.js';
import { ROW_OPTIONS, type RowOptions, type Rows, readRows } from '../../rows/rows.js';
import { table, withText } from '../../rows/table.js';
import { type Logits, opened, type Targets } from '../../rows/tensors.js';
import { finish } from '../../rows/turns.js';
import {
  type Interval,
  intervalOf,
  type Resampled,
  resample,
  strataOf,
} from '../../uncertainty/bootstrap.js';
import { areaVariance, normalInterval, placementsOf } from '../../uncertainty/delong.js';
import { mcnemar } from '../../uncertainty/mcnemar.js';
import { twoSided } from '../../uncertainty/normal.js';
import { type LossState, lossOf, meantRows } from '../calibration/meaning.js';

/** Options of {@link compareModels}. */
export interface CompareModelsOptions extends RowOptions, IntervalOptions {
  /** One weight per row: finite numbers that are not negative. */
  sampleWeights?: FloatArray | readonly number[] | undefined;
  /**
   * The loss that both models were trained with, of any entry of this package, or that of each:
   * what is compared are then the probabilities that the logits stand for under it, as `posterior`
   * has them. So models that were trained with different losses have log losses and Brier scores
   * that can be compared. Where label smoothing has clipped a probability to 0, that counts as
   * 2^-23. Its `layout` does not matter.
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
  const losses = lossesOf(given.criterion);
  const { numClasses, ignoreIndex, layout, spatialSize } = given;
  const read = (name: string, logits: Logits) => {
    const batch = opened(logits, targets, { numClasses, ignoreIndex, layout, spatialSize }, layout);
    const rows = named(name, () => readRows(batch.logits, batch.targets, batch.options));
    const size =
      rows.classes === 0 ? 0 : lengthOf(batch.logits) / (rows.isPaired ? 1 : rows.classes);
    return { rows, size };
  };
  const [a, b] = [read('logitsA', logitsA), read('logitsB', logitsB)];
  if (a.rows.classes !== b.rows.classes) {
    throw new RangeError(
      `logitsB must have as many classes as logitsA, ${a.rows.classes}, got ${b.rows.classes}`,
    );
  }
  if (sampleWeights !== undefined) {
    checkPerRow('sampleWeights', sampleWeights, a.size);
    checkWeights(sampleWeights);
  }
  checkGroups(wanted.groups, a.size);
  if (a.rows.numbers.length === 0)
    throw new RangeError('targets must have a row that counts, got none');
  const [first, second] = [a.rows, b.rows].map((rows, i) => {
    const loss = losses[i];
    return loss === undefined ? rows : meantRows(loss, rows);
  }) as [Rows, Rows];
  return compare(first, second, wanted, sampleWeights);
}

/** The losses of both models, as far as they are given. */
function lossesOf(criterion: CompareModelsOptions['criterion']): (LossState | undefined)[] {
  if (!Array.isArray(criterion)) {
    const loss = criterion === undefined ? undefined : lossOf(criterion as AnyCriterion);
    return [loss, loss];
  }
  if (criterion.length !== 2)
    throw wrongLength('criterion', 'a loss for each model, 2', criterion.length);
  return Array.from(criterion, (one, i) =>
    one === undefined ? undefined : lossOf(one, `criterion[${i}]`),
  );
}

/** Reads the logits of a model, by whose name errors go. */
function named(name: string, read: () => Rows): Rows {
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

const NAMES = ['auc', 'accuracy', 'f1', 'logLoss', 'brier'] as const;
type Name = (typeof NAMES)[number];

/** The places of the compared figures among those of a rater. */
function placesOf(classes: number): Readonly<Record<Name, number>> {
  const macro = OVERALL.length + AVERAGED.indexOf('f1');
  const ofClass =
    OVERALL.length + AVERAGES.length * AVERAGED.length + OF_CLASS.length + OF_CLASS.indexOf('f1');
  const overall = (name: (typeof OVERALL)[number]) => OVERALL.indexOf(name);
  return {
    auc: overall('auc'),
    accuracy: overall('accuracy'),
    f1: classes === 2 ? ofClass : macro,
    logLoss: overall('logLoss'),
    brier: overall('brier'),
  };
}

function compare(
  a: Rows,
  b: Rows,
  wanted: IntervalSettings,
  weights: FloatArray | undefined,
): ModelComparison {
  const settings = checkSettings(readOptions<ReportOptions>({ topK: 1 }, ['topK']));
  const [first, second] = [a, b].map((rows) => finish(rateRows(rows, settings, weights))) as [
    RatedRows,
    RatedRows,
  ];
  const raters = [makeRater(first, settings), makeRater(second, settings)] as const;
  const places = placesOf(first.classes);
  const figuresOf = (times: Uint32Array) =>
    raters.map((rater) => rater(times)) as [Float64Array, Float64Array];
  const differencesOf = (times: Uint32Array) => {
    const [x, y] = figuresOf(times);
    return Float64Array.from(
      NAMES,
      (name) => (y[places[name]] as number) - (x[places[name]] as number),
    );
  };
  const groups = wanted.groups && Array.from(a.numbers, (number) => wanted.groups?.[number]);
  const strata = strataOf(first.labels, first.classes, groups);
  const { repeats, seed, method, level } = wanted;
  const resampled = finish(
    resample(strata, first.labels.length, differencesOf, repeats, seed, method),
  );
  const [x, y] = figuresOf(new Uint32Array(first.labels.length).fill(1));
  const byBootstrap = (name: Name, i: number): ModelDifference => {
    const [one, other] = [x[places[name]] as number, y[places[name]] as number];
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
  const areIndependent = groups === undefined && weights === undefined;
  const comparison = {
    rows: first.labels.length,
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
function byDeLong(first: RatedRows, second: RatedRows, level: number): ModelDifference | undefined {
  const [x] = first.scores;
  const [y] = second.scores;
  if (first.classes !== 2 || x === undefined || y === undefined) return undefined;
  if (x.some(Number.isNaN) || y.some(Number.isNaN)) return undefined;
  const [one, other] = [placementsOf(x, first.labels), placementsOf(y, first.labels)];
  const variance = areaVariance(one, other);
  if (Number.isNaN(variance)) return undefined;
  const difference = other.auc - one.auc;
  const interval = normalInterval(difference, variance, level, -1, 1);
  const pValue = difference === 0 ? 1 : twoSided(difference / Math.sqrt(variance));
  return { first: one.auc, second: other.auc, difference, ...interval, pValue, test: 'delong' };
}

function byMcNemar(first: RatedRows, second: RatedRows): number {
  let [onlyFirst, onlySecond] = [0, 0];
  first.labels.forEach((label, k) => {
    const [one, other] = [first.predicted[k] === label, second.predicted[k] === label];
    if (one && !other) onlyFirst++;
    if (other && !one) onlySecond++;
  });
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
