import { ascending } from '../rows/order.js';
import type { Interval } from './bootstrap.js';
import { normalQuantile } from './normal.js';

/** The area under a ROC curve, and what each row contributes to it. */
export interface Placements {
  readonly auc: number;
  /** The share of the others that each row of the class is above, equal ones half. */
  readonly ofPositives: Float64Array;
  /** The share of the rows of the class that are above each of the others. */
  readonly ofNegatives: Float64Array;
}

/** The placements of rows by their scores. */
export function placementsOf(scores: Float64Array, members: ArrayLike<number>): Placements {
  const order = ascending(scores);
  const { length } = order;
  let positives = 0;
  for (let k = 0; k < length; k++) positives += members[k] as number;
  const negatives = length - positives;
  const shares = new Float64Array(length);
  let [below, others] = [0, 0];
  let won = 0;
  for (let first = 0, end = 0; first < length; first = end) {
    const score = scores[order[first] as number] as number;
    let [tied, equal] = [0, 0];
    for (; end < length && scores[order[end] as number] === score; end++) {
      if (members[order[end] as number] === 1) tied++;
      else equal++;
    }
    for (let place = first; place < end; place++) {
      const k = order[place] as number;
      shares[k] =
        members[k] === 1
          ? (others + equal / 2) / negatives
          : (positives - below - tied / 2) / positives;
    }
    won += tied * (2 * others + equal);
    below += tied;
    others += equal;
  }
  return {
    auc: won / (2 * positives * negatives),
    ofPositives: shares.filter((_, k) => members[k] === 1),
    ofNegatives: shares.filter((_, k) => members[k] !== 1),
  };
}

/** The variance of an area, or of the difference of two on the same rows (DeLong et al., 1988). */
export function areaVariance(placements: Placements, others?: Placements): number {
  const part = (own: Float64Array, theirs: Float64Array | undefined) => {
    const numbers =
      theirs === undefined ? own : own.map((share, k) => share - (theirs[k] as number));
    return varianceOf(numbers) / numbers.length;
  };
  return (
    part(placements.ofPositives, others?.ofPositives) +
    part(placements.ofNegatives, others?.ofNegatives)
  );
}

function varianceOf(numbers: Float64Array): number {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  return numbers.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (numbers.length - 1);
}

/** The normal interval around a value, within bounds. */
export function normalInterval(
  value: number,
  variance: number,
  level: number,
  least: number,
  most: number,
): Interval {
  // The quantile of a level just below 1 is infinite, of which 0 would make NaN.
  const reach = variance === 0 ? 0 : normalQuantile((1 + level) / 2) * Math.sqrt(variance);
  return { low: Math.max(least, value - reach), high: Math.min(most, value + reach) };
}
