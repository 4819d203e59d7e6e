import { pick } from '../../rows/loops.js';
import { ascending } from '../../rows/order.js';
import type { CalibrationOutcome } from './evidence.js';

/**
 * The parameters of isotonic regression: one entry for two classes, that of class 1; else one per
 * class.
 */
export interface IsotonicParameters {
  /**
   * Log-odds, ascending: the knots of a line that never falls, flat before the first and behind the
   * last.
   */
  readonly scores: readonly (readonly number[])[];
  /** The probabilities there. */
  readonly probabilities: readonly (readonly number[])[];
}

/** The knots of one class. */
export interface Knots {
  readonly scores: readonly number[];
  readonly probabilities: readonly number[];
  readonly outcome: CalibrationOutcome;
}

/**
 * The probabilities that never fall as log-odds rise, and have the least squared distance from the
 * targets: by pooling neighbours that are in the wrong order (Ayer et al., An empirical
 * distribution function for sampling with incomplete information, 1955). Equal log-odds are one.
 */
export function fitKnots(
  odds: Float64Array,
  members: Float64Array,
  weights: Float64Array | undefined,
): Knots {
  const order = ascending(odds);
  const sorted = pick(odds, order, new Float64Array(order.length));
  const blocks: Block[] = [];
  for (let first = 0, end = 0; first < order.length; first = end) {
    const score = sorted[first] as number;
    const block = { start: score, end: score, size: 0, share: 0 };
    for (; end < order.length && sorted[end] === score; end++) {
      const k = order[end] as number;
      const weight = weights?.[k] ?? 1;
      block.size += weight;
      block.share += weight * (members[k] as number);
    }
    pool(blocks, block);
  }
  const scores: number[] = [];
  const probabilities: number[] = [];
  for (const { start, end, size, share } of blocks) {
    const ends = start === end ? [start] : [start, end];
    scores.push(...ends);
    probabilities.push(...ends.map(() => Math.min(share / size, 1)));
  }
  return { scores, probabilities, outcome: outcomeOf(sorted, probabilities) };
}

/** Neighbours with one probability: the lowest and the highest log-odds, and their weight. */
interface Block {
  start: number;
  end: number;
  size: number;
  /** The weight of what is of the class. */
  share: number;
}

/** Puts a block behind others, pooled with those that it is not above. */
function pool(blocks: Block[], block: Block): void {
  for (let last = blocks.at(-1); last !== undefined; last = blocks.at(-1)) {
    if (isBelow(last, block)) break;
    block.start = last.start;
    block.size += last.size;
    block.share += last.share;
    blocks.pop();
  }
  blocks.push(block);
}

/** Compares shares without a division, as far as products of weights are numbers. */
function isBelow(one: Block, other: Block): boolean {
  const [x, y] = [one.share * other.size, other.share * one.size];
  return x === 0 && y === 0 ? one.share / one.size < other.share / other.size : x < y;
}

function outcomeOf(sorted: Float64Array, probabilities: readonly number[]): CalibrationOutcome {
  const [first, last] = [probabilities[0] as number, probabilities.at(-1) as number];
  if (sorted[0] === sorted.at(-1)) return 'constant';
  if (first === last) return first === 0 || first === 1 ? 'one-class' : 'reversed';
  return probabilities.every((p) => p === 0 || p === 1) ? 'separable' : 'fitted';
}

/** The probability at some log-odds: on the line between the two knots beside them. NaN for NaN. */
export function readKnots(
  scores: readonly number[],
  probabilities: readonly number[],
  score: number,
): number {
  if (Number.isNaN(score)) return NaN;
  const last = scores.length - 1;
  if (score <= (scores[0] as number)) return probabilities[0] as number;
  if (score >= (scores[last] as number)) return probabilities[last] as number;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((scores[middle] as number) <= score) low = middle;
    else high = middle;
  }
  const [x0, x1] = [scores[low] as number, scores[high] as number];
  const [p0, p1] = [probabilities[low] as number, probabilities[high] as number];
  if (p0 === p1) return p0;
  return p0 + (p1 - p0) * ((score - x0) / (x1 - x0));
}
