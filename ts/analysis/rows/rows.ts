// A batch as the analysis walks over it: the rows that count, and the class of each.

import { readOptions, said } from '../../arrays/own.js';
import {
  arrayLike,
  copyIndices,
  copyNumbers,
  kindOf,
  lengthOf,
  part,
} from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray, Layout } from '../../arrays/types.js';
import { checkValid, type Job, plan } from '../../call/blocks.js';
import { checkLength, isFloats, outOfRange } from '../../call/checks.js';
import { FORWARD } from '../../call/method.js';
import { type Criterion, specOf } from '../../losses/criterion.js';
import { CrossEntropyLoss } from '../../losses/cross-entropy.js';
import { SigmoidFocalLoss } from '../../losses/sigmoid-focal.js';
import { pick, placesWhere } from './loops.js';
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

/** A batch for the loss that checks it, as a job: for parts of it, on any thread. */
export function planRows(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  { numClasses, ignoreIndex, layout, spatialSize }: RowOptions,
  isMultiLabel: boolean,
): Job {
  const isSingle = isMultiLabel || isSingleColumn(logits, targets, numClasses);
  const criterion = isSingle
    ? elementsCheck(numClasses, ignoreIndex)
    : softmaxCheck(numClasses, ignoreIndex, layout);
  const options = isSingle ? {} : { spatialSize };
  return plan(specOf(criterion), FORWARD, logits, targets, options).job;
}

/** Checks a batch, as the losses do: one of them does it. */
export function readRows(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
): Rows {
  return finish(rowsInTurns(given, targets, options));
}

/** The same in turns, in which each logit is looked at twice. */
export function* rowsInTurns(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
): Work<Rows> {
  const { numClasses, ignoreIndex, layout, spatialSize } = readOptions(options, ROW_OPTIONS);
  if (isSingleColumn(given, targets, numClasses)) {
    return yield* elementsInTurns(given, targets, { numClasses, ignoreIndex });
  }
  const logits = widen(given);
  const criterion = softmaxCheck(numClasses, ignoreIndex, layout);
  yield* checkInTurns(criterion, logits, targets, { numClasses, spatialSize });
  const isSoft = isFloats(kindOf(targets));
  const count = lengthOf(targets) / (isSoft ? (numClasses as number) : 1);
  const classes = count === 0 ? checkFew(numClasses ?? 0) : lengthOf(logits) / count;
  const positions = criterion.layout === 'channels-first' ? (spatialSize ?? count) : 0;
  const stride = positions === 0 ? 1 : positions;
  const startOf = (row: number) =>
    positions === 0
      ? row * classes
      : Math.floor(row / positions) * classes * positions + (row % positions);

  const soft = isSoft ? (targets as FloatArray) : undefined;
  const labels = new Int32Array(count);
  if (soft === undefined) copyIndices(labels, targets as ClassIndices, kindOf(targets) as string);
  yield* eachPart(count, classes, (from, to) => {
    for (let row = from; soft !== undefined && row < to; row++)
      labels[row] = indexOfLargest(soft, startOf(row), stride, classes);
  });
  const shape = { classes, isPaired: false, stride, start: startOf };
  const rows = allRows({ logits, ...shape, labels, soft });
  return ignoreIndex === undefined ? rows : selectRows(rows, (k) => labels[k] !== ignoreIndex);
}

// Making a loss takes longer than a small batch of it: the one that checked last is kept, as long
// as its options are the same.

let softmaxChecker: CrossEntropyLoss<'sum'> | undefined;

/** A loss that checks rows of one class each. */
function softmaxCheck(
  numClasses: number | undefined,
  ignoreIndex: number | undefined,
  layout: Layout = 'channels-last',
): CrossEntropyLoss<'sum'> {
  let checker = softmaxChecker;
  if (
    checker === undefined ||
    checker.numClasses !== numClasses ||
    checker.ignoreIndex !== ignoreIndex ||
    checker.layout !== layout
  ) {
    checker = new CrossEntropyLoss({ reduction: 'sum', numClasses, ignoreIndex, layout });
    softmaxChecker = checker;
  }
  return checker;
}

let elementsChecker: SigmoidFocalLoss<'sum'> | undefined;

/** A loss that checks logits which have a target each. */
function elementsCheck(
  numClasses: number | undefined,
  ignoreIndex: number | undefined,
): SigmoidFocalLoss<'sum'> {
  let checker = elementsChecker;
  if (
    checker === undefined ||
    checker.numClasses !== numClasses ||
    checker.ignoreIndex !== ignoreIndex
  ) {
    const options = { alpha: null, gamma: 0, numClasses, ignoreIndex };
    checker = new SigmoidFocalLoss({ ...options, reduction: 'sum' });
    elementsChecker = checker;
  }
  return checker;
}

/** Rows all of which count. Their numbers are listed where somebody asks for them. */
function allRows(rows: Omit<Rows, 'numbers'>): Rows {
  let numbers: Uint32Array | undefined;
  return {
    ...rows,
    get numbers() {
      if (numbers === undefined) {
        numbers = new Uint32Array(rows.labels.length);
        for (let row = 0; row < numbers.length; row++) numbers[row] = row;
      }
      return numbers;
    },
  };
}

/** Has a loss check a batch, of which it computes nothing where there is nothing wrong. */
function check(
  criterion: Criterion<'sum'>,
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  spatialSize: number | undefined,
): void {
  if (lengthOf(targets) === 0) {
    criterion.forward(logits, targets, { spatialSize });
    return;
  }
  const { job } = plan(specOf(criterion), FORWARD, logits, targets, { spatialSize });
  checkValid(job, 0, job.rows);
}

/**
 * Has a loss check a batch, part by part. What is wrong is refused as it is at one go, by the
 * number of its row.
 */
function* checkInTurns(
  criterion: Criterion<'sum'> & { readonly layout?: Layout },
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  { numClasses = 1, spatialSize }: RowOptions,
): Work<void> {
  const kind = kindOf(targets);
  const whole = () => void criterion.forward(logits, targets, { spatialSize });
  if (kindOf(logits) === undefined || kind === undefined) return whole();
  const size = lengthOf(logits);
  const entries = lengthOf(targets);
  // Without a layout, each logit has a target.
  const layout = said(criterion, 'layout', criterion.layout);
  const rows = layout === undefined || isFloats(kind) ? entries / numClasses : entries;
  const samples = layout === 'channels-first' ? rows / (spatialSize ?? rows) : rows;
  const width = size / samples;
  const height = entries / samples;
  if (size <= TURN || !(Number.isInteger(width) && Number.isInteger(height))) {
    check(criterion, logits, targets, spatialSize);
    yield size;
    return;
  }
  try {
    yield* eachPart(samples, width, (start, end) => {
      const count = end - start;
      checkLength('logits', logits);
      checkLength('targets', targets);
      const x = part(logits, start * width, count * width);
      const y = part(targets, start * height, count * height);
      check(criterion, x, y, spatialSize);
    });
  } catch (error) {
    whole();
    throw error;
  }
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
): Rows {
  return finish(elementsInTurns(given, targets, options));
}

function* elementsInTurns(
  given: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
): Work<Rows> {
  const logits = widen(given);
  const { numClasses, ignoreIndex } = readOptions(options, ROW_OPTIONS);
  yield* checkElements(logits, targets, { numClasses, ignoreIndex });
  return elementsOf(logits, targets, ignoreIndex);
}

/** Checks logits and their targets. */
export function* checkElements(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  { numClasses, ignoreIndex }: RowOptions,
): Work<void> {
  const criterion = elementsCheck(numClasses, ignoreIndex);
  yield* checkInTurns(criterion, logits, targets, { numClasses, spatialSize: undefined });
}

/** Logits that have been checked, as rows of two classes. */
export function elementsOf(
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  ignoreIndex: number | undefined,
): Rows {
  const count = lengthOf(logits);
  const shares = new Float64Array(count);
  copyNumbers(shares, targets, kindOf(targets) as string);
  const labels = new Int32Array(count);
  let isSoft = false;
  for (let k = 0; k < count; k++) {
    const share = shares[k] as number;
    labels[k] = share > 0.5 ? 1 : 0;
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
  const rows = allRows({ logits: pairsOf(logits), ...shape, labels, soft });
  return ignoreIndex === undefined ? rows : selectRows(rows, (k) => shares[k] !== ignoreIndex);
}

/** Some of the rows. */
export function selectRows(rows: Rows, isWanted: (k: number) => boolean): Rows {
  const places = placesWhere(rows.labels.length, isWanted);
  if (places.length === rows.labels.length) return rows;
  return {
    ...rows,
    numbers: pick(rows.numbers, places, new Uint32Array(places.length)),
    labels: pick(rows.labels, places, new Int32Array(places.length)),
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
