// The loss, gradient and prediction of each row of a batch, a part of the batch at a time.

import { arrayLike, lengthOf, part } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../arrays/types.js';
import {
  checkGiven,
  checkLength,
  checkLogits,
  checkNumClasses,
  checkSameShape,
  checkShape,
  checkSpatialSize,
  checkTargets,
  isFloats,
  outOfRange,
} from '../../call/checks.js';
import { integersOf } from '../../call/plain-arrays.js';
import {
  classGammas,
  classWeights,
  columnWeights,
  type DiagnosedCriterion,
  isFocal,
  isSigmoid,
} from '../criteria/criterion.js';
import { pick, placesWhere, tabulate } from '../rows/loops.js';
import { mayBeProbabilities } from '../rows/probability-watch.js';
import {
  confidencesOf,
  isSingleColumn,
  pairsOf,
  predictRows,
  type Rows,
  readElements,
  readRows,
  selectRows,
  widen,
} from '../rows/rows.js';
import { TURN, type Work } from '../rows/turns.js';
import { leastLosses } from './floor.js';

/**
 * The figures that a criterion gives for the rows that count and whose loss and gradient are
 * finite.
 */
export interface RowLosses {
  /** The number of classes. */
  readonly classes: number;
  /** The number of each in the batch. */
  readonly numbers: Uint32Array;
  /** The class of each. */
  readonly labels: Int32Array;
  /** The predicted class of each. */
  readonly predicted: Int32Array;
  /** Its probability. */
  readonly confidences: Float64Array;
  /** The loss of each. */
  readonly losses: Float64Array;
  /** The size of the gradient of each: the sum of its entries, all taken as positive. */
  readonly gradients: Float64Array;
  /** The factor of each, `(1 - pt) ** gamma`, without alpha. */
  readonly factors: Float64Array;
  /**
   * By how much the cross-entropy of each weighs in the loss: the factor with alpha, or the class
   * weight.
   */
  readonly weights: Float64Array;
  /** The numbers of the rows that count, but whose loss or gradient is not finite. */
  readonly nonFinite: Uint32Array;
  /** The number of logits of the rows that count that are not finite. */
  readonly nonFiniteLogits: number;
  /** The least that the losses could add up to; NaN where there is no formula for it. */
  readonly least: number;
  /** True where all rows that count could be probabilities. */
  readonly mayBeProbabilities: boolean;
}

/** Options of a call: see the losses. */
export interface CallOptions {
  numClasses?: number | undefined;
  spatialSize?: number | undefined;
}

/** A batch and the loss it goes through, the shapes of which have been checked. */
export interface LossBatch {
  readonly logits: FloatArray;
  readonly targets: ClassIndices | FloatArray;
  readonly criterion: DiagnosedCriterion;
  readonly call: CallOptions;
  readonly rows: number;
  /** The number of logits of a row. */
  readonly width: number;
  /** The number of rows that lie side by side; 0 where the logits of a row do. */
  readonly spatialSize: number;
  /** The number of targets of a row. */
  readonly targetsWidth: number;
}

/**
 * Checks as much of a batch as there is to be known without looking at its entries, as the losses
 * do.
 */
export function openBatch(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  criterion: DiagnosedCriterion,
  { numClasses, spatialSize }: CallOptions,
): LossBatch {
  const elementwise = isSigmoid(criterion);
  checkNumClasses(numClasses, 1);
  checkLogits(logits);
  const isSoft = isFloats(checkTargets(targets, elementwise));
  const size = checkLength('logits', logits);
  const entries = checkLength('targets', targets);
  const given = { logits, targets, criterion, call: { numClasses, spatialSize } };
  if (elementwise || isSingleColumn(logits, targets, numClasses)) {
    checkSameShape(size, entries, numClasses);
    checkSpatialSize(!elementwise && criterion.layout === 'channels-first', spatialSize, size);
    const labels = isSoft && !elementwise ? labelsOf(targets as FloatArray) : targets;
    return { ...given, targets: labels, rows: size, width: 1, spatialSize: 0, targetsWidth: 1 };
  }
  const channelsFirst = criterion.layout === 'channels-first';
  if (channelsFirst) checkGiven(numClasses, "for layout 'channels-first'");
  const width = isSoft
    ? checkGiven(numClasses, 'where targets are probabilities')
    : checkShape(size, entries, numClasses);
  const rows = isSoft ? checkSameShape(size, entries, width) : entries;
  return {
    ...given,
    rows,
    width,
    spatialSize: checkSpatialSize(channelsFirst, spatialSize, rows),
    targetsWidth: isSoft ? width : 1,
  };
}

/** Labels of rows with one logit each, as class indices. */
function labelsOf(targets: FloatArray): Int32Array {
  const row = targets.findIndex((target: number) => !Number.isInteger(target));
  if (row >= 0) {
    const expected =
      'a class index where there is one logit per row, unless for a SigmoidFocalLoss';
    throw outOfRange(`targets[${row}]`, expected, targets[row]);
  }
  return integersOf('targets', targets);
}

/** The most looks at a row after those at its logits, the sorting of the hard ones included. */
const AFTERWARDS = 16;

/** The number of entries that are looked at in a batch, about. */
export function entriesOf({ rows, width }: LossBatch): number {
  return rows * (width + AFTERWARDS);
}

/** Passes a batch through its criterion, row by row. */
export function* measureRows(batch: LossBatch): Work<RowLosses> {
  const { rows, width, criterion, call } = batch;
  const measure = measurer(batch);
  const parts: RowLosses[] = [];
  // Parts begin at a whole group of rows, as kernels have them, and where a row of columns does.
  const unit = 4 * (isSigmoid(criterion) ? (call.numClasses ?? 1) : 1);
  const step = Math.ceil(TURN / Math.max(width, 1) / unit) * unit;
  // A batch without rows is one part as well, in which options are checked.
  for (let start = 0; start === 0 || start < rows; start += step) {
    const count = Math.min(step, rows - start);
    try {
      parts.push(measure(start, count));
    } catch (error) {
      // An error about a part counts the part's rows. All rows as one part have the error that
      // counts from the first.
      if (start > 0) measure(0, rows);
      throw error;
    }
    yield count * width;
  }
  return join(parts);
}

/** A function that measures so many rows from a row on. */
function measurer(batch: LossBatch): (start: number, count: number) => RowLosses {
  const { criterion, call, width } = batch;
  const { ignoreIndex, labelSmoothing } = criterion;
  const takesLogits = isSigmoid(criterion);
  const isSingle = width === 1;
  const numClasses = isSingle && !takesLogits ? 2 : call.numClasses;
  const read = isSingle ? readElements : readRows;
  const options = isSingle ? { ignoreIndex } : { numClasses, ignoreIndex };
  const perRow = criterion.with({
    reduction: 'none',
    ...(takesLogits ? {} : { layout: 'channels-last', numClasses }),
  });
  const plain = isFocal(criterion)
    ? perRow.with({ alpha: null, ...(takesLogits && { posWeight: 1 }) })
    : undefined;
  const leastOf = leastLosses(criterion);

  return (start, count) => {
    const { logits, targets } = partOf(batch, start, count);
    const given = isSingle && !takesLogits ? pairsOf(logits) : logits;
    const { value, grad } = perRow.valueAndGrad(given, targets, { numClasses }) as Record<
      'value' | 'grad',
      FloatArray
    >;
    const all = read(logits, targets, options, labelSmoothing);
    const { sizes, nonFiniteLogits } = measureGradients(all, given, grad, count);
    const isFine = (k: number) => {
      const row = all.numbers[k] as number;
      return Number.isFinite(value[row]) && Number.isFinite(sizes[row]);
    };
    const rows = selectRows(all, isFine);
    const nonFinite = placesWhere(all.numbers.length, (k) => !isFine(k));
    const { classes, labels, entropy } = rows;
    const numbers = countedFrom(start, rows.numbers);
    const predictions = predictRows(rows);
    const of = (values: ArrayLike<number>) =>
      pick(values, rows.numbers, new Float64Array(numbers.length));
    const losses = of(value);
    const unweighted =
      plain === undefined
        ? entropy
        : of(plain.forward(given, targets, { numClasses }) as FloatArray);
    const { factorOf, weightOf } = withoutLoss(criterion, classes, call.numClasses);
    const divide = (
      values: ArrayLike<number>,
      otherwise: (label: number, number: number) => number,
    ) =>
      tabulate(numbers.length, (k) => {
        const divisor = entropy[k] as number;
        return divisor > 0
          ? (values[k] as number) / divisor
          : otherwise(labels[k] as number, numbers[k] as number);
      });
    return {
      classes,
      numbers,
      labels,
      predicted: predictions.classes,
      confidences: confidencesOf(predictions),
      losses,
      gradients: of(sizes),
      factors: divide(unweighted, factorOf),
      weights: divide(losses, weightOf),
      nonFinite: countedFrom(start, pick(all.numbers, nonFinite, nonFinite)),
      nonFiniteLogits,
      least: leastOf(rows, start),
      mayBeProbabilities: mayBeProbabilities(all),
    };
  };
}

/** Numbers of rows that have been counted from a row of the batch on, counted from its first. */
function countedFrom(start: number, numbers: Uint32Array): Uint32Array {
  const counted = new Uint32Array(numbers.length);
  for (let k = 0; k < numbers.length; k++) counted[k] = start + (numbers[k] as number);
  return counted;
}

/**
 * The sizes of the gradients of the rows that count, by their numbers, and how many of their logits
 * are not finite.
 */
function measureGradients({ numbers }: Rows, logits: FloatArray, grad: FloatArray, count: number) {
  const sizes = new Float64Array(count);
  const width = lengthOf(grad) / Math.max(count, 1);
  let nonFiniteLogits = 0;
  for (let k = 0; k < numbers.length; k++) {
    const row = numbers[k] as number;
    let size = 0;
    for (let place = row * width; place < (row + 1) * width; place++) {
      size += Math.abs(grad[place] as number);
      if (!Number.isFinite(logits[place])) nonFiniteLogits++;
    }
    sizes[row] = size;
  }
  return { sizes, nonFiniteLogits };
}

/** Parts as one. */
function join(parts: readonly RowLosses[]): RowLosses {
  const first = parts[0] as RowLosses;
  if (parts.length === 1) return first;
  const into = <A extends Uint32Array | Int32Array | Float64Array>(
    joined: A,
    of: (part: RowLosses) => A,
  ): A => {
    let at = 0;
    for (const part of parts) {
      joined.set(of(part), at);
      at += of(part).length;
    }
    return joined;
  };
  const rows = parts.reduce((total, { numbers }) => total + numbers.length, 0);
  const nonFinite = parts.reduce((total, { nonFinite }) => total + nonFinite.length, 0);
  const figures = (of: (part: RowLosses) => Float64Array) => into(new Float64Array(rows), of);
  return {
    classes: first.classes,
    numbers: into(new Uint32Array(rows), (part) => part.numbers),
    labels: into(new Int32Array(rows), (part) => part.labels),
    predicted: into(new Int32Array(rows), (part) => part.predicted),
    confidences: figures((part) => part.confidences),
    losses: figures((part) => part.losses),
    gradients: figures((part) => part.gradients),
    factors: figures((part) => part.factors),
    weights: figures((part) => part.weights),
    nonFinite: into(new Uint32Array(nonFinite), (part) => part.nonFinite),
    nonFiniteLogits: parts.reduce((total, part) => total + part.nonFiniteLogits, 0),
    least: parts.reduce((total, part) => total + part.least, 0),
    mayBeProbabilities: parts.every((part) => part.mayBeProbabilities),
  };
}

/**
 * The multipliers of cross-entropies that have become 0: the factor for a label, and with the
 * weight of a row.
 */
function withoutLoss(criterion: DiagnosedCriterion, classes: number, columns = 1) {
  const gammas = classGammas(criterion, classes);
  const factorOf = (label: number) => (gammas[label] === 0 ? 1 : 0);
  if (isSigmoid(criterion)) {
    const weights = Array.from({ length: columns }, (_, column) =>
      columnWeights(criterion, column),
    );
    const weightOf = (label: number, number: number) =>
      factorOf(label) * (weights[number % columns]?.[label] as number);
    return { factorOf, weightOf };
  }
  const weights = classWeights(criterion, classes);
  return { factorOf, weightOf: (label: number) => factorOf(label) * (weights[label] as number) };
}

/** The logits and targets of so many rows from a row on, as they lie with the classes last. */
function partOf(
  { logits, targets, width, spatialSize, targetsWidth }: LossBatch,
  start: number,
  count: number,
) {
  checkLength('logits', logits);
  checkLength('targets', targets);
  const of = <A extends ClassIndices | FloatArray>(array: A, width: number): A =>
    spatialSize === 0 || width === 1
      ? part(array, start * width, count * width)
      : (gather(array as FloatArray, width, spatialSize, start, count) as A);
  return { logits: widen(of(logits, width)), targets: of(targets, targetsWidth) };
}

/** A copy of rows that lie side by side, one after the other. */
function gather(
  array: FloatArray,
  width: number,
  spatialSize: number,
  start: number,
  count: number,
): FloatArray {
  const copy = arrayLike(array, count * width);
  for (let k = 0; k < count; k++) {
    const row = start + k;
    const first = Math.floor(row / spatialSize) * width * spatialSize + (row % spatialSize);
    for (let j = 0; j < width; j++) copy[k * width + j] = array[first + j * spatialSize] as number;
  }
  return copy;
}
