import { checkBoolean, checkOptions } from '../../../call/checks.js';
import { figuresText, withText } from '../../rows/table.js';
import type { Logits, Targets } from '../../rows/tensors.js';
import {
  type Column,
  CURVE_OPTIONS,
  type CurveOptions,
  ofColumns,
  type PerClass,
} from './columns.js';
import { areaOf, pickRanks, precisionOf, probabilitiesOf, rankingOf } from './ranking.js';

/** Options of {@link rocCurve} and {@link precisionRecallCurve}. */
export interface ThresholdCurveOptions<P extends number | 'each' = number | 'each'>
  extends CurveOptions<P> {
  /**
   * Leaves out points on a straight line between others, as scikit-learn's `drop_intermediate`.
   *
   * @defaultValue true for `rocCurve`, false for `precisionRecallCurve`
   */
  dropIntermediate?: boolean | undefined;
}

const OPTIONS: readonly (keyof ThresholdCurveOptions)[] = [...CURVE_OPTIONS, 'dropIntermediate'];

/** A ROC curve: entries of the same place in the arrays belong together. */
export interface RocCurve {
  /** The class that is looked for. */
  readonly positive: number;
  /** The share of the rows of other classes that is taken for the class; NaN without such rows. */
  readonly falsePositiveRate: Float64Array;
  /** The share of the rows of the class that is: the recall; NaN without such rows. */
  readonly truePositiveRate: Float64Array;
  /**
   * Probabilities, falling: a row is taken for the class where its own is not below. The first is
   * Infinity.
   */
  readonly thresholds: Float64Array;
  /** The area under the curve, as `classificationReport` has it; NaN where one of the rates is. */
  readonly auc: number;
  /**
   * A warning to look at first: that the logits look like probabilities, which makes all of it
   * meaningless.
   */
  readonly warning: string | undefined;
  /** The curve in a few lines, as `console.log` prints it in Node.js, Deno and Bun. */
  toString(): string;
}

/**
 * The ROC curve of a class against the rest: what share of its rows is found, and what share of the
 * others is taken for it, at every threshold. As scikit-learn's `roc_curve`, but that rows are
 * compared as `classificationReport` does it, also where their probabilities have become 1.
 *
 * @param logits - `[rows, classes]`, row-major; or a tensor that holds them.
 * @param targets - Class indices, or with `numClasses` class probabilities; for one logit per row
 *   and for multi-label rows one per logit.
 * @throws TypeError and RangeError as `classificationReport` does; RangeError where no row counts,
 *   and for a row without probabilities, because of a NaN or Infinity.
 *
 * @example
 * ```ts
 * import { rocCurve } from 'focal-loss/analysis';
 *
 * const odds = new Float64Array([-1, 0.5, 0, 2]); // one logit per row
 * const targets = new Uint8Array([0, 0, 1, 1]);
 * const { falsePositiveRate, truePositiveRate, auc } = rocCurve(odds, targets);
 * falsePositiveRate; // => Float64Array.of(0, 0, 0.5, 0.5, 1)
 * truePositiveRate; // => Float64Array.of(0, 0.5, 0.5, 1, 1)
 * auc; // => 0.75
 * ```
 */
export function rocCurve<P extends number | 'each' = number>(
  logits: Logits,
  targets: Targets,
  options: ThresholdCurveOptions<P> = {},
): PerClass<P, RocCurve> {
  const given = checkOptions(options, OPTIONS);
  const { dropIntermediate = true } = given;
  checkBoolean('dropIntermediate', dropIntermediate);
  const make = (column: Column) => rocOf(column, dropIntermediate);
  return ofColumns(logits, targets, given, make) as PerClass<P, RocCurve>;
}

function rocOf(column: Column, drop: boolean): RocCurve {
  const whole = rankingOf(column);
  const { truePositives, falsePositives, positives, negatives } = whole;
  const last = truePositives.length - 1;
  const isCorner = (i: number) =>
    i === 0 || i === last || bends(falsePositives, i) || bends(truePositives, i);
  const kept = drop ? pickRanks(whole, isCorner) : whole;
  const rate = (counts: Float64Array, all: number) =>
    Float64Array.of(0, ...counts).map((count) => (all > 0 ? count / all : NaN));
  const curve = {
    positive: column.positive,
    falsePositiveRate: rate(kept.falsePositives, negatives),
    truePositiveRate: rate(kept.truePositives, positives),
    thresholds: before(Infinity, probabilitiesOf(kept.scores, column.areOdds)),
    auc: areaOf(whole),
    warning: column.warning,
  };
  return withText(curve, figuresText);
}

/** True where a count rises by another amount behind a place than before it. */
function bends(counts: Float64Array, i: number): boolean {
  const [before, here, behind] = [
    counts[i - 1] as number,
    counts[i] as number,
    counts[i + 1] as number,
  ];
  return behind - here !== here - before;
}

/** A precision-recall curve. */
export interface PrecisionRecallCurve {
  /** The class that is looked for. */
  readonly positive: number;
  /** The share of the rows taken for the class that is of it; behind the last threshold a 1. */
  readonly precision: Float64Array;
  /**
   * The share of the rows of the class that is found; behind the last threshold a 0. All others are
   * 1 without such rows.
   */
  readonly recall: Float64Array;
  /**
   * Probabilities, rising, one fewer than there are points: a row is taken for the class where its
   * own is not below.
   */
  readonly thresholds: Float64Array;
  /** The average precision, as `classificationReport` has it; NaN without rows of the class. */
  readonly averagePrecision: number;
  /**
   * A warning to look at first: that the logits look like probabilities, which makes all of it
   * meaningless.
   */
  readonly warning: string | undefined;
  /** The curve in a few lines, as `console.log` prints it in Node.js, Deno and Bun. */
  toString(): string;
}

/**
 * The precision-recall curve of a class against the rest, as scikit-learn's
 * `precision_recall_curve`.
 *
 * @param logits - As `rocCurve` takes them.
 * @param targets - As `rocCurve` takes them.
 * @throws TypeError and RangeError as `rocCurve` does.
 *
 * @example
 * ```ts
 * import { precisionRecallCurve } from 'focal-loss/analysis';
 *
 * const odds = new Float64Array([-1, 0.5, 0, 2]); // one logit per row
 * const curve = precisionRecallCurve(odds, new Uint8Array([0, 0, 1, 1]), { numClasses: 1 });
 * curve.precision; // => Float64Array.of(0.5, 2 / 3, 0.5, 1, 1)
 * curve.recall; // => Float64Array.of(1, 1, 0.5, 0.5, 0)
 * curve.averagePrecision; // => 0.8333333333333333
 * ```
 */
export function precisionRecallCurve<P extends number | 'each' = number>(
  logits: Logits,
  targets: Targets,
  options: ThresholdCurveOptions<P> = {},
): PerClass<P, PrecisionRecallCurve> {
  const given = checkOptions(options, OPTIONS);
  const { dropIntermediate = false } = given;
  checkBoolean('dropIntermediate', dropIntermediate);
  const make = (column: Column) => precisionRecallOf(column, dropIntermediate);
  return ofColumns(logits, targets, given, make) as PerClass<P, PrecisionRecallCurve>;
}

function precisionRecallOf(column: Column, drop: boolean): PrecisionRecallCurve {
  const whole = rankingOf(column);
  const { truePositives: found, positives } = whole;
  const last = found.length - 1;
  const isCorner = (i: number) =>
    i === 0 || i === last || found[i] !== found[i - 1] || found[i] !== found[i + 1];
  const kept = drop ? pickRanks(whole, isCorner) : whole;
  const precision = kept.truePositives.map((count, i) => {
    const taken = count + (kept.falsePositives[i] as number);
    return taken === 0 ? 0 : count / taken;
  });
  const recall = kept.truePositives.map((count) => (positives === 0 ? 1 : count / positives));
  const curve = {
    positive: column.positive,
    precision: before(1, precision).reverse(),
    recall: before(0, recall).reverse(),
    thresholds: probabilitiesOf(kept.scores, column.areOdds).reverse(),
    averagePrecision: precisionOf(whole),
    warning: column.warning,
  };
  return withText(curve, figuresText);
}

/** Numbers with one more before them. */
function before(first: number, numbers: Float64Array): Float64Array {
  const all = new Float64Array(numbers.length + 1);
  all[0] = first;
  all.set(numbers, 1);
  return all;
}
