import { ascending } from '../../rows/order.js';
import { softmax } from '../../softmax/softmax.js';
import type { Column } from './columns.js';

/** Rows by falling score: for each different score those that have it or a higher one. */
export interface Ranking {
  /** Every different score, from the highest on. */
  readonly scores: Float64Array;
  /** The weight of the rows of the class down to each. */
  readonly truePositives: Float64Array;
  /** The weight of the others. */
  readonly falsePositives: Float64Array;
  /** The weight of all rows of the class. */
  readonly positives: number;
  /** The weight of all others. */
  readonly negatives: number;
}

export function rankingOf({ scores: given, members, weights }: Column): Ranking {
  const order = ascending(given);
  const { length } = order;
  const scores = new Float64Array(length);
  const truePositives = new Float64Array(length);
  const falsePositives = new Float64Array(length);
  let count = 0;
  let positives = 0;
  let negatives = 0;
  for (let place = length - 1; place >= 0; place--) {
    const k = order[place] as number;
    const weight = weights === undefined ? 1 : (weights[k] as number);
    if (members[k] === 1) positives += weight;
    else negatives += weight;
    const score = given[k] as number;
    if (place > 0 && given[order[place - 1] as number] === score) continue;
    scores[count] = score + 0; // -0 becomes 0
    truePositives[count] = positives;
    falsePositives[count++] = negatives;
  }
  return {
    scores: scores.slice(0, count),
    truePositives: truePositives.slice(0, count),
    falsePositives: falsePositives.slice(0, count),
    positives,
    negatives,
  };
}

/** The places of a ranking at which something is true, as a ranking. */
export function pickRanks(ranking: Ranking, isWanted: (i: number) => boolean): Ranking {
  const wanted = (_: number, i: number) => isWanted(i);
  return {
    ...ranking,
    scores: ranking.scores.filter(wanted),
    truePositives: ranking.truePositives.filter(wanted),
    falsePositives: ranking.falsePositives.filter(wanted),
  };
}

/** The area under the ROC curve. */
export function areaOf({ truePositives, falsePositives, positives, negatives }: Ranking): number {
  // Twice the weight of pairs in the right order: whole numbers without weights.
  let won = 0;
  let [above, below] = [0, 0];
  for (let i = 0; i < truePositives.length; i++) {
    const [found, wrong] = [truePositives[i] as number, falsePositives[i] as number];
    won += (wrong - below) * (above + found);
    above = found;
    below = wrong;
  }
  return won / (2 * positives * negatives);
}

/** The average precision. */
export function precisionOf({ truePositives, falsePositives, positives }: Ranking): number {
  let total = 0;
  let above = 0;
  for (let i = 0; i < truePositives.length; i++) {
    const found = truePositives[i] as number;
    if (found > above) total += (found - above) * (found / (found + (falsePositives[i] as number)));
    above = found;
  }
  return total / positives;
}

/** The probabilities that scores stand for. Where the other class is masked, odds are infinite. */
export function probabilitiesOf(scores: Float64Array, areOdds: boolean): Float64Array {
  const pairs = new Float64Array(2 * scores.length);
  for (let i = 0; i < scores.length; i++) {
    pairs[2 * i + 1] = Math.min(scores[i] as number, Number.MAX_VALUE);
  }
  const shares = softmax(pairs, 2);
  return scores.map((_, i) => {
    const yes = shares[2 * i + 1] as number;
    // The exponential of a logarithm that is not above 0 is the ratio of two probabilities.
    return areOdds ? yes : Math.min(yes / (shares[2 * i] as number), 1);
  });
}
