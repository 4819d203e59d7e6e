// What a softmax says of the rows of a batch: a kernel computes it in float64, a tile at a time.

import { copyInto, kindOf, part } from '../../arrays/typed-arrays.js';
import type { FloatArray } from '../../arrays/types.js';
import { checkLength } from '../../call/checks.js';
import {
  FIGURE_CONFIDENCE,
  FIGURE_CROSS_ENTROPY,
  FIGURE_DISTANCE,
  FIGURE_NEG_LOG_CONFIDENCE,
  FIGURE_PREDICTED,
  FIGURE_SCRATCH,
  PROBABILITIES,
  SOFT,
} from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { enter, leave } from '../../module/gate.js';
import { load } from '../../module/instance.js';
import { room } from '../../module/memory.js';
import { targetsArea, tileOf } from '../../module/tile.js';
import type { Rows } from './rows.js';

/**
 * Figures of rows, one entry of each array for each. NaN where the softmax is none: where a logit
 * is NaN or +Infinity, or all are -Infinity.
 */
export interface RowFigures {
  /** The class with the largest logit, the first of equals; the first NaN, if there is one. */
  readonly predicted: Int32Array;
  /** Its probability. */
  readonly confidence: Float64Array;
  /** Minus the logarithm of that, with all its digits also where it is nearly 0. */
  readonly negLogConfidence: Float64Array;
  /** The cross-entropy with the target. */
  readonly crossEntropy: Float64Array;
  /** The squared distance of the probabilities from the target. */
  readonly distance: Float64Array;
}

/** Room for the figures of so many rows. */
export function emptyFigures(length: number): RowFigures {
  return {
    predicted: new Int32Array(length),
    confidence: new Float64Array(length),
    negLogConfidence: new Float64Array(length),
    crossEntropy: new Float64Array(length),
    distance: new Float64Array(length),
  };
}

/** The figures of all rows. */
export function figuresOf(rows: Rows): RowFigures {
  const figures = emptyFigures(rows.labels.length);
  fillFigures(figures, rows, 0, rows.labels.length);
  return figures;
}

/**
 * The figures of the rows from one on to before another, which go to the beginning of the arrays.
 */
export function fillFigures(figures: RowFigures, rows: Rows, from: number, to: number): void {
  if (from === to) return;
  const { logits, labels, classes, soft } = rows;
  enter();
  // Probabilities may have more digits than the logits.
  const tile = tileOf(soft === undefined ? (kindOf(logits) as string) : 'Float64Array');
  const step = tile.reserve(classes, soft === undefined ? 0 : PROBABILITIES);
  // Kernels write whole vectors, of up to four.
  const height = Math.min(step, Math.ceil((to - from) / 4) * 4);
  const block = room(8 * (FIGURE_SCRATCH * height + classes + 1));
  if (block === undefined)
    throw new RangeError(`not enough memory for figures of ${classes} classes`);
  // Arrays of an allocation are gone if the memory has just grown.
  checkLength('logits', logits);
  if (soft !== undefined) checkLength('targets', soft);
  const { softmax_figures: run } = kernels();
  const flags = tile.flags | (soft === undefined ? 0 : SOFT);
  for (let first = from; first < to; first += step) {
    const count = Math.min(step, to - first);
    gather(tile.logits.view(count * classes), logits, rows, first, count);
    if (soft !== undefined) gather(tile.soft.view(count * classes), soft, rows, first, count);
    copyInto(targetsArea.view(count), part(labels, first, count), 0);
    run(count, classes, flags, block.start, height);
    const { buffer } = load();
    const placeOf = (figure: number) => block.start + 8 * figure * height;
    const store = (into: Float64Array, figure: number) =>
      into.set(new Float64Array(buffer, placeOf(figure), count), first - from);
    figures.predicted.set(new Int32Array(buffer, placeOf(FIGURE_PREDICTED), count), first - from);
    store(figures.confidence, FIGURE_CONFIDENCE);
    store(figures.negLogConfidence, FIGURE_NEG_LOG_CONFIDENCE);
    store(figures.crossEntropy, FIGURE_CROSS_ENTROPY);
    store(figures.distance, FIGURE_DISTANCE);
  }
  leave();
}

/** Copies entries of rows to where they lie one row behind the other. */
function gather(
  view: Float32Array | Float64Array,
  array: FloatArray,
  { classes, stride, start }: Rows,
  first: number,
  count: number,
): void {
  const begin = start(first);
  if (stride === 1 && start(first + count - 1) - begin === (count - 1) * classes) {
    copyInto(view, part(array, begin, count * classes), 0);
    return;
  }
  for (let k = 0; k < count; k++) {
    const own = start(first + k);
    for (let j = 0; j < classes; j++) view[k * classes + j] = array[own + j * stride] as number;
  }
}

/**
 * The scores of rows for a class, to be compared with each other: the logarithm of its probability
 * or, of two classes, of its odds, which is in the same order. Rows of the same probability have
 * the same score, to the last bit: the exponentials of different numbers have no sum in common with
 * those of others (Lindemann and Weierstrass), and the order makes no difference. Figures are those
 * of the rows from one on, and scores have the places of rows.
 */
export function fillScores(
  scores: Float64Array,
  { logits, classes, stride, start }: Rows,
  { predicted, negLogConfidence }: Pick<RowFigures, 'predicted' | 'negLogConfidence'>,
  j: number,
  from: number,
  to: number,
): void {
  const offset = j * stride;
  const other = (j === 0 ? 1 : 0) * stride;
  for (let k = from; k < to; k++) {
    const first = start(k);
    const logit = logits[first + offset] as number;
    const unsure = negLogConfidence[k - from] as number;
    if (classes === 2)
      scores[k] = Number.isNaN(unsure) ? NaN : logit - (logits[first + other] as number);
    else {
      const largest = logits[first + (predicted[k - from] as number) * stride] as number;
      scores[k] = logit - largest - unsure;
    }
  }
}
