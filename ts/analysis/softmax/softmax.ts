import type { Fresh, SameKind } from '../../arrays/tensor-types.js';
import {
  arrayLike,
  bufferOf,
  copyInto,
  kindOf,
  type NumberArray,
  part,
} from '../../arrays/typed-arrays.js';
import type { FloatArray } from '../../arrays/types.js';
import {
  checkApart,
  checkBuffer,
  checkGiven,
  checkLength,
  checkLogits,
  checkNumClasses,
  checkOptions,
  checkPerRow,
  checkSameShape,
  wrongType,
} from '../../call/checks.js';
import { OUTPUT_CONFIDENCE, OUTPUT_LOGARITHMS, OUTPUT_PROBABILITIES } from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { enter, leave } from '../../module/gate.js';
import { type Tile, targetsArea, tileOf } from '../../module/tile.js';
import { figuresText, withText } from '../rows/table.js';
import { type Logits, openedLogits } from '../rows/tensors.js';

/** Options of {@link softmax} and {@link logSoftmax}. */
export interface SoftmaxOutput<G extends FloatArray = FloatArray> {
  /**
   * Where the result goes: an array of the kind and length of the logits that shares no memory with
   * them.
   */
  out?: G | undefined;
}

/** Options of {@link predict}. */
export interface PredictOptions<G extends FloatArray = FloatArray> {
  /** Where the classes go: one entry per row. */
  classes?: Int32Array | undefined;
  /**
   * Where their probabilities go: an array of the kind of the logits, with one entry per row, that
   * shares no memory with them.
   */
  confidence?: G | undefined;
}

/** The result of {@link predict}. */
export interface Prediction<G extends FloatArray = FloatArray, I extends Int32Array = Int32Array> {
  /** The likeliest class of each row. */
  classes: I;
  /** Its probability. */
  confidence: G;
}

/**
 * The class probabilities of each row, `exp(x_j) / sum(exp(x))`. Each entry by itself is accurate
 * to a few roundings, however small it is, and has the same bits in every engine. A row with a NaN
 * or +Infinity, or with nothing but -Infinity, gives NaN; elsewhere the probability of -Infinity is
 * 0.
 *
 * @param logits - `[rows, numClasses]`, row-major; or rows of numbers, or a tensor, which say how
 *   many classes there are.
 * @returns An array like the logits: `out` if it is given.
 * @throws TypeError or RangeError for arguments that a loss would not take either.
 *
 * @example
 * ```ts
 * import { softmax } from 'focal-loss/analysis';
 *
 * const p = softmax(new Float64Array([0, Math.log(3), 5, 5]), 2);
 * p[1]; // => 0.75
 * p[2]; // => 0.5
 * ```
 */
export function softmax<L extends Logits, G extends SameKind<L> = Fresh<L>>(
  logits: L,
  numClasses?: number,
  options: SoftmaxOutput<G> = {},
): G {
  return softmaxOutput(logits, numClasses, options, OUTPUT_PROBABILITIES) as G;
}

/**
 * The logarithms of the class probabilities of each row, `x_j - log(sum(exp(x)))`. Nothing nearly
 * equal is subtracted: that of a class whose probability is within 1e-30 of 1 keeps all its digits.
 * A row with a NaN or +Infinity, or with nothing but -Infinity, gives NaN.
 *
 * @param logits - `[rows, numClasses]`, row-major; or rows of numbers, or a tensor, which say how
 *   many classes there are.
 * @returns An array like the logits: `out` if it is given.
 * @throws TypeError or RangeError for arguments that a loss would not take either.
 *
 * @example
 * ```ts
 * import { logSoftmax } from 'focal-loss/analysis';
 *
 * const logP = logSoftmax(new Float64Array([0, 50]), 2);
 * logP[0]; // => -50
 * logP[1]; // => -1.9287498479639178e-22
 * ```
 */
export function logSoftmax<L extends Logits, G extends SameKind<L> = Fresh<L>>(
  logits: L,
  numClasses?: number,
  options: SoftmaxOutput<G> = {},
): G {
  return softmaxOutput(logits, numClasses, options, OUTPUT_LOGARITHMS) as G;
}

/**
 * The likeliest class of each row, the first of equally likely ones, and its probability. In a row
 * with a NaN that is the first NaN, and the confidence NaN.
 *
 * @param logits - `[rows, numClasses]`, row-major; or rows of numbers, or a tensor, which say how
 *   many classes there are.
 * @throws TypeError or RangeError for arguments that a loss would not take either.
 *
 * @example
 * ```ts
 * import { predict } from 'focal-loss/analysis';
 *
 * const { classes, confidence } = predict(new Float64Array([0, Math.log(3), 5, 5]), 2);
 * classes[0]; // => 1
 * confidence[0]; // => 0.75
 * classes[1]; // => 0
 * ```
 */
export function predict<L extends Logits, G extends SameKind<L> = Fresh<L>>(
  logits: L,
  numClasses?: number,
  options: PredictOptions<G> = {},
): Prediction<G, Int32Array<ArrayBuffer>> {
  const { classes, confidence } = checkOptions(options, ['classes', 'confidence']);
  const batch = checkRows(logits, numClasses);
  const { kind, rows } = batch;
  if (classes !== undefined) checkPart('classes', classes, 'Int32Array', rows, batch.logits);
  if (confidence !== undefined) checkPart('confidence', confidence, kind, rows, batch.logits);
  if (classes !== undefined && confidence !== undefined)
    checkDistinct('confidence', confidence, 'classes', classes);
  const result = {
    classes: classes ?? new Int32Array(rows),
    confidence: confidence ?? arrayLike(batch.logits, rows),
  };
  const given = { logits: batch.logits, classes, confidence };
  eachTile(given, rows, batch.numClasses, OUTPUT_CONFIDENCE, (tile, start, count) => {
    copyInto(result.classes, targetsArea.view(count), start);
    copyInto(result.confidence, tile.values.view(count), start);
  });
  return withText(result, figuresText) as Prediction<G, Int32Array<ArrayBuffer>>;
}

/** Probabilities or their logarithms. */
function softmaxOutput(
  given: Logits,
  classes: number | undefined,
  options: SoftmaxOutput,
  wanted: number,
): FloatArray {
  const { out } = checkOptions(options, ['out']);
  const { logits, numClasses, kind, rows } = checkRows(given, classes);
  if (out !== undefined) {
    checkBuffer('out', out, kind, rows * numClasses);
    checkDistinct('out', out, 'logits', logits);
  }
  const result = out ?? arrayLike(logits, rows * numClasses);
  eachTile({ logits, out }, rows, numClasses, wanted, (tile, start, count) => {
    copyInto(result, tile.logits.view(count * numClasses), start * numClasses);
  });
  return result;
}

function checkRows(given: Logits, classes: number | undefined) {
  const { logits, numClasses: found } = openedLogits(given, classes);
  const kind = checkLogits(logits);
  const numClasses = checkGiven(found, 'where there are no targets');
  checkNumClasses(numClasses, 2);
  const size = checkLength('logits', logits);
  return { logits, numClasses, kind, rows: checkSameShape(size, size, numClasses) };
}

/** A place for one entry per row. */
function checkPart(
  name: string,
  buffer: NumberArray,
  kind: string,
  rows: number,
  logits: FloatArray,
): void {
  if (kindOf(buffer) !== kind) throw wrongType(name, `a ${kind}`.replace(/^a I/, 'an I'), buffer);
  checkPerRow(name, buffer as FloatArray, rows);
  checkDistinct(name, buffer, 'logits', logits);
}

function checkDistinct(
  name: string,
  buffer: NumberArray,
  otherName: string,
  other: NumberArray,
): void {
  checkApart(name, buffer as FloatArray, bufferOf(buffer), otherName, other, bufferOf(other));
}

/**
 * Has the kernel run over all rows, a tile of them at a time, and `store` take what it left there.
 */
function eachTile(
  given: { logits: FloatArray } & Record<string, NumberArray | undefined>,
  rows: number,
  classes: number,
  wanted: number,
  store: (tile: Tile, start: number, count: number) => void,
): void {
  const { logits } = given;
  enter();
  const tile = tileOf(kindOf(logits) as string);
  const step = tile.reserve(classes, 0);
  // Arrays of an allocation are gone if the memory has just grown.
  for (const [name, array] of Object.entries(given))
    if (array !== undefined) checkLength(name, array);
  const { softmax } = kernels();
  for (let start = 0; start < rows; start += step) {
    const count = Math.min(step, rows - start);
    copyInto(
      tile.logits.view(count * classes),
      count === rows ? logits : part(logits, start * classes, count * classes),
      0,
    );
    softmax(count, classes, wanted, tile.flags);
    store(tile, start, count);
  }
  leave();
}
