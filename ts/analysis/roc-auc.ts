import { ascendingInTurns } from './order.js';
import { eachPart, type Work } from './turns.js';

/** How many times each row is looked at for an area. */
export const AREA_PASSES = 12;

/** What an area is of. */
export interface Ranking {
  /** Whether a row is of the class: 1 or 0, or -1 if it does not count. */
  membership(k: number): number;
  /** How much it is of the class, by the model. */
  score(k: number): number;
  /** What it weighs. */
  weight(k: number): number;
}

/**
 * The area under the ROC curve: the probability that a row of the class has a higher score than one of another class, where equal
 * scores count half. NaN where there are none of either, or a score is NaN.
 */
export function* rocAuc(rows: number, { membership, score, weight }: Ranking): Work<number> {
  const places = new Uint32Array(rows);
  const keys = new Float64Array(rows);
  let count = 0;
  let isNumber = true;
  yield* eachPart(rows, 1, (start, end) => {
    for (let k = start; k < end; k++) {
      if (membership(k) < 0) continue;
      const key = score(k);
      if (Number.isNaN(key)) isNumber = false;
      places[count] = k;
      keys[count++] = key;
    }
  });
  if (!isNumber) return NaN;
  const order = yield* ascendingInTurns(keys.subarray(0, count));
  // Twice the weight of the pairs in the right order, so that all are whole numbers without weights.
  let won = 0;
  let positives = 0;
  let negatives = 0;
  // Of the rows with the score that has been reached.
  let reached = NaN;
  let tied = 0;
  let others = 0;
  const settle = () => {
    won += tied * (2 * negatives + others);
    positives += tied;
    negatives += others;
    tied = 0;
    others = 0;
  };
  yield* eachPart(count, 1, (start, end) => {
    for (let place = start; place < end; place++) {
      const at = order[place] as number;
      const k = places[at] as number;
      if (keys[at] !== reached) {
        settle();
        reached = keys[at] as number;
      }
      if (membership(k) > 0) tied += weight(k);
      else others += weight(k);
    }
  });
  settle();
  return won / (2 * positives * negatives);
}
