// The figures that a softmax gives of the rows of a batch: a kernel computes it in float64, a tile
// at a time.

import { copyInto, kindOf, part } from '../../arrays/typed-arrays.js';
import type { FloatArray } from '../../arrays/types.js';
import { checkLength } from '../../call/checks.js';
import {
  BIN_RIGHT,
  COUNTS_OCCURS,
  DECISIONS_DISTANCE,
  FIGURE_CONFIDENCE,
  FIGURE_CROSS_ENTROPY,
  FIGURE_DISTANCE,
  FIGURE_NEG_LOG_CONFIDENCE,
  FIGURE_PREDICTED,
  FIGURE_SCORE,
  FIGURE_SCRATCH,
  FIGURE_WEIGHTS,
  PROBABILITIES,
  ROW_WEIGHTS,
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
  /** Of two classes the log-odds of the second, NaN where there are none; 0 of more. */
  readonly score: Float64Array;
}

/** The figures that are wanted, and no others. */
export type WantedFigures = { readonly [Name in keyof RowFigures]: RowFigures[Name] | undefined };

/** No figures. What an object does not say itself, all objects might. */
export const NO_FIGURES: WantedFigures = {
  predicted: undefined,
  confidence: undefined,
  negLogConfidence: undefined,
  crossEntropy: undefined,
  distance: undefined,
  score: undefined,
};

/** What takes scores where the kernel has put them. */
export interface ScoreTaker {
  /**
   * Takes those of so many rows whose scores and classes lie at addresses of the module, with room
   * for as many numbers at two others.
   */
  take(scores: number, labels: number, count: number, room: number, more: number): void;
}

/** The sums of the decisions for the predicted classes. */
export interface Decided {
  /** The sums, by their places. */
  readonly sums: Float64Array;
  /** Those of each bin of confidence, by their places. */
  readonly bins: Float64Array;
  /** Those of each class, by their places. */
  readonly counts: Float64Array;
  /** The weights of all rows; all weigh 1 where there are none. */
  readonly weights: Float64Array | undefined;
}

/** The lengths of the sums, and of those of a bin. */
export const DECISIONS_LENGTH = DECISIONS_DISTANCE + 1;
export const BIN_LENGTH = BIN_RIGHT + 1;
export const COUNTS_LENGTH = COUNTS_OCCURS + 1;

/** Room for the figures of so many rows. */
export function emptyFigures(length: number): RowFigures {
  return {
    predicted: new Int32Array(length),
    confidence: new Float64Array(length),
    negLogConfidence: new Float64Array(length),
    crossEntropy: new Float64Array(length),
    distance: new Float64Array(length),
    score: new Float64Array(length),
  };
}

/** The figures of all rows. */
export function figuresOf(rows: Rows, decided?: Decided): RowFigures {
  const figures = emptyFigures(rows.labels.length);
  fillFigures(figures, rows, 0, rows.labels.length, decided);
  return figures;
}

/**
 * The figures of the rows from one on to before another: those that there are arrays for, to whose
 * beginning they go. Decisions are added to what is given, and scores taken by who is there for
 * them.
 */
export function fillFigures(
  figures: WantedFigures,
  rows: Rows,
  from: number,
  to: number,
  decided?: Decided,
  taker?: ScoreTaker,
): void {
  if (from === to) return;
  const { logits, labels, classes, soft } = rows;
  enter();
  // Probabilities may have more digits than the logits.
  const tile = tileOf(soft === undefined ? (kindOf(logits) as string) : 'Float64Array');
  const step = tile.reserve(classes, soft === undefined ? 0 : PROBABILITIES);
  // Kernels write whole vectors, of up to four.
  const height = Math.min(step, Math.ceil((to - from) / 4) * 4);
  const place = FIGURE_SCRATCH * height + classes + 1;
  const block = room(8 * (place + lengthOfSums(decided)), 0);
  if (block === undefined)
    throw new RangeError(`not enough memory for figures of ${classes} classes`);
  // Arrays of an allocation are gone if the memory has just grown.
  checkLength('logits', logits);
  if (soft !== undefined) checkLength('targets', soft);
  const { softmax_figures: run } = kernels();
  const weights = decided?.weights;
  const bins = (decided?.bins.length ?? 0) / BIN_LENGTH;
  const flags =
    tile.flags | (soft === undefined ? 0 : SOFT) | (weights === undefined ? 0 : ROW_WEIGHTS);
  const address = (place: number) => block.start + 8 * place;
  const numbers = (place: number, count: number) =>
    new Float64Array(load().buffer, address(place), count);
  if (decided !== undefined) loadSums(numbers(place, lengthOfSums(decided)), decided);
  for (let first = from; first < to; first += step) {
    const count = Math.min(step, to - first);
    gather(tile.logits.view(count * classes), logits, rows, first, count);
    if (soft !== undefined) gather(tile.soft.view(count * classes), soft, rows, first, count);
    copyInto(targetsArea.view(count), part(labels, first, count), 0);
    if (weights !== undefined)
      copyInto(numbers(FIGURE_WEIGHTS * height, count), part(weights, first, count), 0);
    run(count, classes, flags, block.start, height, bins);
    copyFigures(figures, address, height, first - from, count);
    taker?.take(
      address(FIGURE_SCORE * height),
      targetsArea.address,
      count,
      address(FIGURE_CONFIDENCE * height),
      address(FIGURE_NEG_LOG_CONFIDENCE * height),
    );
  }
  if (decided !== undefined) addSums(decided, numbers(place, lengthOfSums(decided)));
  leave();
}

/** Copies figures of so many rows to where they belong, from one row on. */
function copyFigures(
  figures: WantedFigures,
  address: (place: number) => number,
  height: number,
  start: number,
  count: number,
): void {
  const { buffer } = load();
  figures.predicted?.set(new Int32Array(buffer, address(FIGURE_PREDICTED * height), count), start);
  for (const [name, figure] of FIGURES)
    figures[name]?.set(new Float64Array(buffer, address(figure * height), count), start);
}

/** The number of sums that there are of decisions. */
function lengthOfSums(decided: Decided | undefined): number {
  return decided === undefined
    ? 0
    : decided.sums.length + decided.bins.length + decided.counts.length;
}

/** Has the kernel begin with zeros, but go on from the counts before. */
function loadSums(view: Float64Array, { sums, bins, counts }: Decided): void {
  view.fill(0, 0, sums.length + bins.length);
  view.set(counts, sums.length + bins.length);
}

/** Adds what the kernel has added up. */
function addSums({ sums, bins, counts }: Decided, view: Float64Array): void {
  const end = sums.length + bins.length;
  add(sums, view.subarray(0, sums.length));
  add(bins, view.subarray(sums.length, end));
  counts.set(view.subarray(end));
}

/** The figures that are float64 numbers, and their places. */
const FIGURES = [
  ['confidence', FIGURE_CONFIDENCE],
  ['negLogConfidence', FIGURE_NEG_LOG_CONFIDENCE],
  ['crossEntropy', FIGURE_CROSS_ENTROPY],
  ['distance', FIGURE_DISTANCE],
  ['score', FIGURE_SCORE],
] as const;

/** Adds numbers to others. */
function add(to: Float64Array, numbers: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + (numbers[i] as number);
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

/** The figures that scores are made of. */
export type ScoredFigures = Pick<RowFigures, 'predicted' | 'negLogConfidence' | 'score'>;

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
  { predicted, negLogConfidence, score }: ScoredFigures,
  j: number,
  from: number,
  to: number,
): void {
  const offset = j * stride;
  for (let k = from; k < to; k++) {
    if (classes === 2) {
      const odds = score[k - from] as number;
      scores[k] = j === 1 ? odds : -odds;
      continue;
    }
    const first = start(k);
    const largest = logits[first + (predicted[k - from] as number) * stride] as number;
    const logit = logits[first + offset] as number;
    scores[k] = logit - largest - (negLogConfidence[k - from] as number);
  }
}
