// A batch as the analysis walks over it: the rows that count, and the class of each.

import { readOptions, said } from '../../arrays/own.js';
import {
  arrayLike,
  copyIndices,
  copyInto,
  copyNumbers,
  kindOf,
  lengthOf,
  part,
} from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray, Layout } from '../../arrays/types.js';
import { checkLength, isFloats, outOfRange } from '../../call/checks.js';
import type { Criterion } from '../../losses/criterion.js';
import { CrossEntropyLoss } from '../../losses/cross-entropy.js';
import { SigmoidFocalLoss } from '../../losses/sigmoid-focal.js';
import { grainOf, sumInAnyOrder } from './any-order.js';
import { pick, placesWhere, tabulate } from './loops.js';
import { eachPart, finish, TURN, type Work } from './turns.js';

/**
 * Options of all functions that take logits and targets, but no criterion: they mean what they mean
 * there.
 */
export interface RowOptions {
  /**
   * The number of classes. Needed where targets are probabilities. Without it, it is `logits.length
   * / targets.length`. 1 is for models with one logit per row, that of class 1 of two: yes or no.
   */
  numClasses?: number | undefined;
  /** The target of rows that do not count. Only for class indices. */
  ignoreIndex?: number | undefined;
  /**
   * The order of the logits in memory.
   *
   * @defaultValue 'channels-last'
   */
  layout?: Layout | undefined;
  /** With layout `'channels-first'`, the number of positions of each sample. */
  spatialSize?: number | undefined;
}

export const ROW_OPTIONS: readonly (keyof RowOptions)[] = [
  'numClasses',
  'ignoreIndex',
  'layout',
  'spatialSize',
];

/** The rows of a batch that count, one after the other: `k` is a row's place among them. */
export interface Rows {
  readonly logits: FloatArray;
  /** 0 where there are no rows and nothing says how many classes there are. */
  readonly classes: number;
  /** True where there is one logit per row, which stands beside a 0. */
  readonly isPaired: boolean;
  /** The distance between two logits of a row. */
  readonly stride: number;
  /** Their number in the batch. */
  readonly numbers: Uint32Array;
  /**
   * The class of each; where targets are probabilities the most probable one, the first of equals.
   */
  readonly labels: Int32Array;
  /** The targets, where they are probabilities. They lie as the logits do. */
  readonly soft: FloatArray | undefined;
  /** Their cross-entropy with the targets. */
  readonly entropy: ArrayLike<number>;
  /** The place where the logits of one begin. */
  start(k: number): number;
}

/** Logits as they are computed with: in half precision, losses of rows would have three digits. */
export function widen(logits: FloatArray): FloatArray {
  if (kindOf(logits) !== 'Float16Array') return logits;
  checkLength('logits', logits);
  return new Float32Array(logits);
}

/** The number of classes that may have figures whatever the number of rows. */
export const FEW_CLASSES = 2 ** 16;

/** Checks a number of classes where no logits show that there is memory for something per class. */
export function checkFew(numClasses: number): number {
  if (numClasses > FEW_CLASSES) {
    throw outOfRange('numClasses', `at most ${FEW_CLASSES} where there are no rows`, numClasses);
  }
  return numClasses;
}

/** Checks a batch, as the losses do: one of them does it. */
export function readRows(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  labelSmoothing = 0,
): Rows {
  return finish(rowsInTurns(given, targets, options, labelSmoothing));
}

/** The same in turns, in which each logit is looked at twice. */
export function* rowsInTurns(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  labelSmoothing = 0,
): Work<Rows> {
  const { numClasses, ignoreIndex, layout, spatialSize } = readOptions(options, ROW_OPTIONS);
  if (isSingleColumn(given, targets, numClasses)) {
    return yield* elementsInTurns(given, targets, { numClasses, ignoreIndex }, labelSmoothing);
  }
  const logits = widen(given);
  const criterion = new CrossEntropyLoss({
    reduction: 'none',
    numClasses,
    ignoreIndex,
    layout,
    labelSmoothing,
  });
  const entropy = yield* lossesInTurns(criterion, logits, targets, { numClasses, spatialSize });
  const count = entropy.length;
  const classes = count === 0 ? checkFew(numClasses ?? 0) : lengthOf(logits) / count;
  const positions = criterion.layout === 'channels-first' ? (spatialSize ?? count) : 0;
  const stride = positions === 0 ? 1 : positions;
  const startOf = (row: number) =>
    positions === 0
      ? row * classes
      : Math.floor(row / positions) * classes * positions + (row % positions);

  const soft = isFloats(kindOf(targets)) ? (targets as FloatArray) : undefined;
  const labels = new Int32Array(count);
  if (soft === undefined) copyIndices(labels, targets as ClassIndices, kindOf(targets) as string);
  const numbers = new Uint32Array(count);
  yield* eachPart(count, classes, (from, to) => {
    for (let row = from; row < to; row++) {
      numbers[row] = row;
      if (soft !== undefined) labels[row] = indexOfLargest(soft, startOf(row), stride, classes);
    }
  });
  const rows = {
    logits,
    classes,
    isPaired: false,
    stride,
    numbers,
    labels,
    soft,
    entropy,
    start: startOf,
  };
  return ignoreIndex === undefined ? rows : selectRows(rows, (k) => labels[k] !== ignoreIndex);
}

/**
 * The losses of the rows of a batch, part by part. What is wrong is refused as it is at one go, by
 * the number of its row.
 */
function* lossesInTurns(
  criterion: Criterion<'none'> & { readonly layout?: Layout },
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  { numClasses = 1, spatialSize }: RowOptions,
): Work<FloatArray> {
  const kind = kindOf(targets);
  if (kindOf(logits) === undefined || kind === undefined)
    return criterion.forward(logits, targets, { spatialSize });
  const size = lengthOf(logits);
  const entries = lengthOf(targets);
  // Without a layout, each logit has a target and a loss.
  const layout = said(criterion, 'layout', criterion.layout);
  const isElementwise = layout === undefined;
  const rows = isElementwise || isFloats(kind) ? entries / numClasses : entries;
  const samples = layout === 'channels-first' ? rows / (spatialSize ?? rows) : rows;
  const width = size / samples;
  const height = entries / samples;
  if (size <= TURN || !(Number.isInteger(width) && Number.isInteger(height))) {
    const losses = criterion.forward(logits, targets, { spatialSize });
    yield size;
    return losses;
  }
  const losses = arrayLike(logits, isElementwise ? entries : rows);
  const lossesEach = lengthOf(losses) / samples;
  try {
    yield* eachPart(samples, width, (start, end) => {
      const count = end - start;
      checkLength('logits', logits);
      checkLength('targets', targets);
      const x = part(logits, start * width, count * width);
      const y = part(targets, start * height, count * height);
      copyInto(losses, criterion.forward(x, y, { spatialSize }), start * lossesEach);
    });
  } catch (error) {
    criterion.forward(logits, targets, { spatialSize });
    throw error;
  }
  return losses;
}

/**
 * A test whether there is one logit per row: where that is said, or where there are as many class
 * indices as logits.
 */
export function isSingleColumn(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  numClasses: number | undefined,
): boolean {
  if (numClasses !== undefined) return numClasses === 1;
  const kind = kindOf(targets);
  if (kind === undefined || isFloats(kind) || kindOf(logits) === undefined) return false;
  const rows = lengthOf(targets);
  return rows > 0 && rows === lengthOf(logits);
}

/** For each logit two, of classes 0 and 1, the softmax of which is its sigmoid. */
export function pairsOf(logits: FloatArray): FloatArray {
  const count = lengthOf(logits);
  const pairs = arrayLike(logits, 2 * count);
  for (let k = 0; k < count; k++) pairs[2 * k + 1] = logits[k] as number;
  return pairs;
}

/**
 * Checks logits of which each has a target, no or yes or in between, as a `SigmoidFocalLoss` does:
 * one of them does it. Each becomes a row of two classes.
 */
export function readElements(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  labelSmoothing = 0,
): Rows {
  return finish(elementsInTurns(given, targets, options, labelSmoothing));
}

function* elementsInTurns(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  labelSmoothing: number,
): Work<Rows> {
  const logits = widen(given);
  const { numClasses, ignoreIndex } = readOptions(options, ROW_OPTIONS);
  const entropy = yield* elementLosses(
    logits,
    targets,
    { numClasses, ignoreIndex },
    labelSmoothing,
  );
  return elementsOf(logits, targets, entropy, ignoreIndex);
}

/** The binary cross-entropy of each logit. Checks all of them. */
export function* elementLosses(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  { numClasses, ignoreIndex }: RowOptions,
  labelSmoothing = 0,
): Work<FloatArray> {
  const options = { alpha: null, gamma: 0, numClasses, ignoreIndex, labelSmoothing };
  const criterion = new SigmoidFocalLoss({ ...options, reduction: 'none' });
  return yield* lossesInTurns(criterion, logits, targets, { numClasses, spatialSize: undefined });
}

/** Logits that have been checked, as rows of two classes. */
export function elementsOf(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  entropy: FloatArray,
  ignoreIndex: number | undefined,
): Rows {
  const count = entropy.length;
  const shares = new Float64Array(count);
  copyNumbers(shares, targets, kindOf(targets) as string);
  const labels = new Int32Array(count);
  const numbers = new Uint32Array(count);
  let isSoft = false;
  for (let k = 0; k < count; k++) {
    const share = shares[k] as number;
    labels[k] = share > 0.5 ? 1 : 0;
    numbers[k] = k;
    if (share !== ignoreIndex && share !== 0 && share !== 1) isSoft = true;
  }
  const soft = isSoft ? new Float64Array(2 * count) : undefined;
  if (soft !== undefined) {
    for (let k = 0; k < count; k++) {
      soft[2 * k] = 1 - (shares[k] as number);
      soft[2 * k + 1] = shares[k] as number;
    }
  }
  const start = (k: number) => 2 * k;
  const shape = { classes: 2, isPaired: true, stride: 1, start };
  const rows = { logits: pairsOf(logits), ...shape, numbers, labels, soft, entropy };
  return ignoreIndex === undefined ? rows : selectRows(rows, (k) => shares[k] !== ignoreIndex);
}

/** Some of the rows. */
export function selectRows(rows: Rows, isWanted: (k: number) => boolean): Rows {
  const places = placesWhere(rows.numbers.length, isWanted);
  if (places.length === rows.numbers.length) return rows;
  return {
    ...rows,
    numbers: pick(rows.numbers, places, new Uint32Array(places.length)),
    labels: pick(rows.labels, places, new Int32Array(places.length)),
    entropy: pick(rows.entropy, places, new Float64Array(places.length)),
    start: (k) => rows.start(places[k] as number),
  };
}

/**
 * The class of the largest entry of a row, the first of equals; of the first NaN, if there is one.
 */
function indexOfLargest(
  entries: FloatArray,
  start: number,
  stride: number,
  classes: number,
): number {
  let best = 0;
  let largest = entries[start] as number;
  for (let j = 1; j < classes; j++) {
    const entry = entries[start + j * stride] as number;
    // Not written as a >, so that a NaN is taken, and stays.
    if (!(entry <= largest || Number.isNaN(largest))) {
      best = j;
      largest = entry;
    }
  }
  return best;
}

/** The predictions of softmax for rows. */
export interface Predictions {
  /** The class with the largest logit of each row, the first of equals. */
  readonly classes: Int32Array;
  /** That logit. */
  readonly largest: Float64Array;
  /** Minus the logarithm of its probability, with all its digits also where that is nearly 1. */
  readonly negLogConfidence: Float64Array;
}

/**
 * Shows the probabilities of all classes of a row, in float64. The array is the same for all rows.
 */
export type Visit = (k: number, probabilities: Float64Array) => void;

/**
 * The prediction of each row. NaN where the softmax is none: where a logit is NaN or +Infinity, or
 * all are -Infinity.
 */
export function predictRows(rows: Rows, visit?: Visit): Predictions {
  const predictions = emptyPredictions(rows);
  predictPart(rows, predictions, 0, rows.numbers.length, visit);
  return predictions;
}

/** Room for the prediction of each row. */
export function emptyPredictions({ numbers: { length } }: Rows): Predictions {
  return {
    classes: new Int32Array(length),
    largest: new Float64Array(length),
    negLogConfidence: new Float64Array(length),
  };
}

/** The predictions of rows from one on to before another. */
export function predictPart(
  rows: Rows,
  predictions: Predictions,
  from: number,
  to: number,
  visit?: Visit,
): void {
  const { logits, classes, stride } = rows;
  const p = new Float64Array(classes);
  const grain = grainOf(classes);
  for (let k = from; k < to; k++) {
    const start = rows.start(k);
    const best = indexOfLargest(logits, start, stride, classes);
    const largest = logits[start + best * stride] as number;
    // The largest term, which is 1, is left out: so there are digits of the others where they are
    // few.
    let most = 0;
    for (let j = 0; j < classes; j++) {
      const term = Math.exp((logits[start + j * stride] as number) - largest);
      p[j] = term;
      if (j !== best && term > most) most = term;
    }
    p[best] = 0;
    const rest = classes === 2 ? (p[1 - best] as number) : sumInAnyOrder(p, most, grain);
    const others = largest === Infinity ? NaN : rest;
    predictions.classes[k] = best;
    predictions.largest[k] = largest;
    predictions.negLogConfidence[k] = Math.log1p(others);
    if (visit === undefined) continue;
    p[best] = 1;
    for (let j = 0; j < classes; j++) p[j] = (p[j] as number) / (1 + others);
    visit(k, p);
  }
}

/** The probability of the predicted class of each row. */
export function confidencesOf({ negLogConfidence }: Predictions): Float64Array {
  return tabulate(negLogConfidence.length, (k) => Math.exp(-(negLogConfidence[k] as number)));
}

/**
 * The scores of rows for a class, to be compared with each other: the logarithm of its probability
 * or, of two classes, of its odds, which is in the same order. Rows of the same probability have
 * the same score, to the last bit: the exponentials of different numbers have no sum in common with
 * those of others (Lindemann and Weierstrass), and the order makes no difference.
 */
export function fillScores(
  scores: Float64Array,
  rows: Rows,
  { largest, negLogConfidence }: Predictions,
  j: number,
  from: number,
  to: number,
): void {
  const { logits, classes, stride } = rows;
  const offset = j * stride;
  const other = (j === 0 ? 1 : 0) * stride;
  for (let k = from; k < to; k++) {
    const start = rows.start(k);
    const logit = logits[start + offset] as number;
    const unsure = negLogConfidence[k] as number;
    if (classes !== 2) scores[k] = logit - (largest[k] as number) - unsure;
    else scores[k] = Number.isNaN(unsure) ? NaN : logit - (logits[start + other] as number);
  }
}
