import { ascendingInTurns } from '../rows/order.js';
import { eachPart, type Work } from '../rows/turns.js';

/** How many times each row is looked at for an area, with its score. */
export const AREA_PASSES = 13;

/**
 * The area under the ROC curve: the probability that a row of the class has a higher score than one
 * of another class, where equal scores count half. NaN where there are none of either, or a score
 * is NaN.
 */
export function* rocAuc(
  scores: Float64Array,
  labels: Int32Array,
  positive: number,
  weights: Float64Array | undefined,
): Work<number> {
  const { length } = scores;
  let isNumber = true;
  yield* eachPart(length, 1, (start, end) => {
    isNumber &&= areNumbers(scores, start, end);
  });
  if (!isNumber) return NaN;
  const order = yield* ascendingInTurns(scores);
  const pairs = new Pairs();
  yield* eachPart(length, 1, (start, end) => pairs.add(order, scores, labels, positive, weights, start, end));
  return pairs.area();
}

function areNumbers(scores: Float64Array, start: number, end: number): boolean {
  for (let k = start; k < end; k++) if (Number.isNaN(scores[k])) return false;
  return true;
}

/** Pairs of a row of the class and another. */
class Pairs {
  /**
   * Twice the weight of those in the right order, so that all are whole numbers without weights.
   */
  #won = 0;
  #positives = 0;
  #negatives = 0;
  /** Of the rows with the score that has been reached. */
  #reached = NaN;
  #tied = 0;
  #others = 0;

  /** Adds the rows of some places in the order of the scores. */
  add(
    order: Uint32Array,
    scores: Float64Array,
    labels: Int32Array,
    positive: number,
    weights: Float64Array | undefined,
    start: number,
    end: number,
  ): void {
    let reached = this.#reached;
    let tied = this.#tied;
    let others = this.#others;
    for (let place = start; place < end; place++) {
      const k = order[place] as number;
      const score = scores[k] as number;
      if (score !== reached) {
        this.#settle(tied, others);
        reached = score;
        tied = 0;
        others = 0;
      }
      const weight = weights === undefined ? 1 : (weights[k] as number);
      if (labels[k] === positive) tied += weight;
      else others += weight;
    }
    this.#reached = reached;
    this.#tied = tied;
    this.#others = others;
  }

  #settle(tied: number, others: number): void {
    this.#won += tied * (2 * this.#negatives + others);
    this.#positives += tied;
    this.#negatives += others;
  }

  area(): number {
    this.#settle(this.#tied, this.#others);
    return this.#won / (2 * this.#positives * this.#negatives);
  }
}
