import { sum } from './loops.js';
import { ascending } from './order.js';

/**
 * The area under the ROC curve: the probability that a row of the class has a higher score than one of another class, where equal
 * scores count half. NaN where there are none of either, or a score is NaN; none may be Infinity.
 */
export function rocAuc(scores: Float64Array, labels: Int32Array, positive: number): number {
  if (Number.isNaN(sum(scores))) return NaN;
  const order = ascending(scores);
  // Twice as many as there are pairs in the right order, so that all are whole numbers.
  let won = 0;
  let positives = 0;
  let negatives = 0;
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start] as number];
    let tied = 0;
    let end = start;
    for (; end < order.length && scores[order[end] as number] === score; end++) {
      if (labels[order[end] as number] === positive) tied++;
    }
    const others = end - start - tied;
    won += tied * (2 * negatives + others);
    positives += tied;
    negatives += others;
    start = end;
  }
  return won / (2 * positives * negatives);
}
