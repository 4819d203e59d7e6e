import { copyIndices, kindOf, type NumberArray } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import {
  checkGiven,
  checkIgnoreIndex,
  checkIndices,
  checkLength,
  checkNumber,
  checkNumClasses,
  checkOptions,
  checkTargets,
  invalidIndex,
  invalidProbabilities,
  isFloats,
  MAX_ENTRIES,
  outOfRange,
  TOLERANCE,
} from '../../call/checks.js';
import { integersOf } from '../../call/plain-arrays.js';
import { checkCriterion, classWeights, type SoftmaxCriterion } from '../criteria/criterion.js';
import { complementOfExponential, logarithm } from '../elementary.js';
import { FEW_CLASSES } from '../rows/rows.js';
import { figure, table, withText } from '../rows/table.js';
import { openedTargets, type Targets } from '../rows/tensors.js';

/** Options of {@link classBalance}. */
export interface ClassBalanceOptions {
  /**
   * The target of the rows that are not counted, any integer. Only for class indices.
   *
   * @defaultValue none: every target must be a class
   */
  ignoreIndex?: number | undefined;
  /**
   * The rate at which further rows of a class stop telling anything new, in [0, 1): the `beta` of
   * the effective number of samples. 0 weighs all classes the same, towards 1 the weights become
   * those by inverse frequency. Classes of many times `1 / (1 - beta)` rows all weigh the same: for
   * those `1 - 1 / rows` is a good choice.
   *
   * @defaultValue 0.999
   */
  beta?: number | undefined;
  /**
   * A loss whose class weights are to be judged, in place of `alpha`: see
   * {@link ClassBalance.warning}.
   */
  criterion?: SoftmaxCriterion | undefined;
}

/** The spread of the rows over the classes, and the weights that make up for it. */
export interface ClassBalance {
  /** The number of rows that count. */
  readonly rows: number;
  /** The number of classes. */
  readonly numClasses: number;
  /** The rows of each class; for probabilities the sum of these. */
  readonly counts: Float64Array;
  /** The share of each class in the rows. They add up to 1; NaN where there are no rows. */
  readonly fractions: Float64Array;
  /**
   * The fraction of all classes but class 1: as `alpha` it gives both of two classes the same total
   * weight.
   */
  readonly balancedAlpha: number;
  /**
   * The fraction of class 1: positives / total, as a common recipe has it. As `alpha` it weighs a
   * rare class 1 *less* than the others, which {@link ClassBalance.warning} says; `balancedAlpha`
   * is the one that balances.
   */
  readonly alpha: number;
  /**
   * One weight per class, `rows / (present * count)` with so many classes present: each of these
   * has the same total weight, and the average over the rows is 1. A class without rows has weight
   * 0.
   */
  readonly inverseFrequency: Float64Array;
  /**
   * One weight per class, in proportion to `(1 - beta) / (1 - beta ** count)` (Cui et al.,
   * Class-Balanced Loss Based on Effective Number of Samples, 2019). They add up to the number of
   * classes present. A class without rows has weight 0.
   */
  readonly effectiveNumber: Float64Array;
  /**
   * A warning: if the criterion weighs the most frequent class more than a rarer one, or without a
   * criterion, if `alpha` would; and if `beta` is so small that `effectiveNumber` tells classes of
   * different sizes no longer apart.
   */
  readonly warning: string | undefined;
  /** All of it as a table. */
  toString(): string;
}

/**
 * Counts the classes of a data set, and derives weights from the counts: for `alpha` of a
 * `FocalLoss`, a number or one per class, and for `weight` of a `CrossEntropyLoss`.
 *
 * @param targets - Class indices, one per row, in any integer array, or without `numClasses` as
 *   integers among floats; or class probabilities `[rows, classes]`, each of which counts for its
 *   class as far as it goes.
 * @param numClasses - The number of classes. Without it, it is the largest index + 1, and at least
 *   2: an index of 65536 or more, which is at least the number of rows, is refused then.
 *   Probabilities need it.
 * @throws TypeError and RangeError as the losses do.
 *
 * @example
 * ```ts
 * import { classBalance, FocalLoss } from 'focal-loss/analysis';
 *
 * const targets = new Uint8Array(1000).fill(1, 900); // 900 of class 0, 100 of class 1
 * const balance = classBalance(targets, 2, { criterion: new FocalLoss({ alpha: 0.25 }) });
 * balance.balancedAlpha; // => 0.9
 * balance.inverseFrequency[1]; // => 5
 * balance.warning?.startsWith('class 0 is 90 % of the rows, class 1 is 10 %'); // => true
 * ```
 */
export function classBalance(
  targets: Targets,
  numClasses?: number,
  options: ClassBalanceOptions = {},
): ClassBalance {
  const {
    ignoreIndex,
    beta = 0.999,
    criterion,
  } = checkOptions(options, ['ignoreIndex', 'beta', 'criterion']);
  const batch = openedTargets(targets, numClasses);
  checkNumClasses(batch.numClasses, 2);
  if ((batch.numClasses ?? 0) > MAX_ENTRIES) {
    throw outOfRange(
      'numClasses',
      `at most ${MAX_ENTRIES}, the most weights a loss takes`,
      batch.numClasses,
    );
  }
  checkIgnoreIndex(ignoreIndex);
  checkBeta(beta);
  if (criterion !== undefined) checkCriterion('criterion', criterion);

  const counts = count(batch.targets, batch.numClasses, ignoreIndex);
  const rows = total(counts);
  const present = counts.filter((count) => count > 0).length;
  const alpha = (counts[1] as number) / rows;
  const balancedAlpha = (rows - (counts[1] as number)) / rows;
  // 1 - beta ** count, where that is not a difference of nearly equal numbers.
  const ratio = logarithm(beta);
  const effective = counts.map((count) =>
    count > 0 ? (1 - beta) / complementOfExponential(count * ratio) : 0,
  );
  const weights = total(effective);
  const favour =
    criterion === undefined
      ? favourOfAlpha(counts, alpha, balancedAlpha)
      : findFavour(counts, classWeights(criterion, counts.length))?.message;
  const warnings = [favour, saturation(counts, effective, beta)].filter(
    (warning) => warning !== undefined,
  );
  const balance = {
    rows,
    numClasses: counts.length,
    counts,
    fractions: counts.map((count) => count / rows),
    balancedAlpha,
    alpha,
    inverseFrequency: counts.map((count) => (count > 0 ? rows / (present * count) : 0)),
    effectiveNumber: effective.map((weight) => (weight > 0 ? (weight * present) / weights : 0)),
    warning: warnings.length > 0 ? warnings.join('; ') : undefined,
  };
  return withText(balance, balanceText);
}

/** That the fraction of class 1, taken as alpha, favours the most frequent class. */
function favourOfAlpha(
  counts: Float64Array,
  alpha: number,
  balancedAlpha: number,
): string | undefined {
  const favour = findFavour(
    counts,
    counts.map((_, j) => (j === 1 ? alpha : 1 - alpha)),
  );
  if (favour === undefined) return undefined;
  const remedy =
    counts.length === 2 ? `balancedAlpha, ${balancedAlpha}, weighs` : 'inverseFrequency weighs';
  return `with alpha ${alpha}, positives / total, ${favour.message}: ${remedy} all classes the same`;
}

/** Weights as near to each other as this are the same. */
const SAME_WEIGHT = 1.01;
/** Classes whose sizes are as near to each other as this need no weights. */
const SAME_SIZE = 1.1;

/**
 * That classes are so large that their effective numbers are the same. A beta of 0 is asked for to
 * have that.
 */
function saturation(
  counts: Float64Array,
  effective: Float64Array,
  beta: number,
): string | undefined {
  const rangeOf = (numbers: Float64Array) => {
    const present = numbers.filter((number) => number > 0);
    return (
      present.reduce((a, b) => Math.max(a, b), 0) /
      present.reduce((a, b) => Math.min(a, b), Infinity)
    );
  };
  const sizes = rangeOf(counts);
  if (!(beta > 0 && sizes > SAME_SIZE && rangeOf(effective) < SAME_WEIGHT)) return undefined;
  const rows = total(counts);
  return (
    `beta ${beta} is too small for classes of so many rows: effectiveNumber weighs all of them the same, although the largest has ` +
    `${Number(sizes.toPrecision(3))} times the rows of the smallest; 1 - 1 / rows, ${1 - 1 / rows}, tells them apart`
  );
}

function balanceText({
  rows,
  numClasses,
  counts,
  fractions,
  balancedAlpha,
  alpha,
  ...weights
}: ClassBalance): string {
  const { inverseFrequency, effectiveNumber, warning } = weights;
  const columns = [fractions, inverseFrequency, effectiveNumber];
  const lines = Array.from(counts, (count, j) => [
    String(j),
    Number.isInteger(count) ? String(count) : figure(count),
    ...columns.map((column) => figure(column[j] as number)),
  ]);
  const parts = [
    table([['class', 'rows', 'fraction', 'inverse frequency', 'effective number'], ...lines]),
    table([
      ['rows', String(rows)],
      ['classes', String(numClasses)],
      ['balanced alpha', figure(balancedAlpha)],
      ['alpha, positives / total', figure(alpha)],
    ]),
  ];
  return [...parts, ...(warning === undefined ? [] : [`warning: ${warning}`])].join('\n\n');
}

function checkBeta(beta: number): void {
  checkNumber('beta', 'a number', beta);
  if (!(beta >= 0 && beta < 1)) throw outOfRange('beta', 'in [0, 1)', beta);
}

function total(numbers: Float64Array): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function count(
  targets: ClassIndices | FloatArray,
  numClasses: number | undefined,
  ignoreIndex: number | undefined,
): Float64Array {
  const kind = checkTargets(targets, false);
  const length = checkLength('targets', targets);
  if (!isFloats(kind))
    return countIndices(targets as ClassIndices, length, numClasses, ignoreIndex);
  if (numClasses === undefined && isEveryInteger(targets as FloatArray)) {
    return countIndices(
      integersOf('targets', targets as FloatArray),
      length,
      undefined,
      ignoreIndex,
    );
  }
  checkIndices(targets, ignoreIndex === undefined ? undefined : 'where ignoreIndex is given');
  const classes = checkGiven(numClasses, 'where targets are probabilities');
  if (length % classes !== 0) {
    const reason = 'as floats are probabilities where numClasses is given';
    throw new RangeError(
      `targets.length must be a multiple of numClasses, ${classes}, ${reason}, got ${length}`,
    );
  }
  return addProbabilities(targets as FloatArray, length, classes);
}

function isEveryInteger(floats: FloatArray): boolean {
  for (let i = 0; i < floats.length; i++) if (!Number.isInteger(floats[i])) return false;
  return true;
}

function countIndices(
  targets: ClassIndices,
  rows: number,
  numClasses: number | undefined,
  ignoreIndex: number | undefined,
): Float64Array {
  const labels = new Int32Array(rows);
  copyIndices(labels, targets, kindOf(targets) as string);
  const limit = numClasses ?? Math.max(FEW_CLASSES, rows);
  let largest = 1;
  for (let row = 0; row < rows; row++) {
    const label = labels[row] as number;
    if (label === ignoreIndex) continue;
    if (label > largest) largest = label;
    if (label >= 0 && label < limit) continue;
    if (numClasses !== undefined) throw invalidIndex(targets, row, numClasses, ignoreIndex);
    if (label >= limit)
      throw outOfRange(
        `targets[${row}]`,
        `below ${limit} where numClasses is not given`,
        targets[row],
      );
    throw outOfRange(`targets[${row}]`, 'a class, 0 or above', targets[row]);
  }
  return tally(labels, numClasses ?? largest + 1, ignoreIndex);
}

function tally(labels: Int32Array, classes: number, ignoreIndex: number | undefined): Float64Array {
  const counts = new Float64Array(classes);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    if (label !== ignoreIndex) counts[label] = (counts[label] as number) + 1;
  }
  return counts;
}

function addProbabilities(targets: NumberArray, length: number, classes: number): Float64Array {
  const sums = new Float64Array(classes);
  for (let start = 0; start < length; start += classes) {
    let sum = 0;
    let least = 0;
    for (let j = 0; j < classes; j++) {
      const entry = targets[start + j] as number;
      sum += entry;
      if (entry < least) least = entry;
      sums[j] = (sums[j] as number) + entry;
    }
    if (!(least === 0 && Math.abs(sum - 1) <= TOLERANCE)) {
      throw invalidProbabilities(start / classes, classes, (j) => targets[start + j] as number);
    }
  }
  return sums;
}

/** That a row of the most frequent class weighs more than one of a rarer class. */
export interface Favour {
  readonly most: number;
  /** The lightest of the rarer classes. */
  readonly lightest: number;
  readonly message: string;
}

/** The warning about class weights, if they favour the most frequent class. */
export function findFavour(counts: Float64Array, weights: Float64Array): Favour | undefined {
  const most = counts.indexOf(counts.reduce((a, b) => Math.max(a, b), 0));
  let lightest = most;
  counts.forEach((count, j) => {
    const isRarer = count > 0 && count < (counts[most] as number);
    if (isRarer && (weights[j] as number) < (weights[lightest] as number)) lightest = j;
  });
  if (lightest === most) return undefined;
  const rows = total(counts);
  const percent = (j: number) =>
    `${Number(((100 * (counts[j] as number)) / rows).toPrecision(3))} %`;
  const message =
    `class ${most} is ${percent(most)} of the rows, class ${lightest} is ${percent(lightest)}, ` +
    `but a row of class ${most} weighs ${weights[most]} and one of class ${lightest} ${weights[lightest]}`;
  return { most, lightest, message };
}
