import {
  RANKED_BEHIND,
  RANKED_OTHERS,
  RANKED_OWN,
  RANKED_PRECISIONS,
  RANKED_PRECISIONS_OF_OTHERS,
} from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { leave } from '../../module/gate.js';
import { load } from '../../module/instance.js';
import { ascendingInTurns, type Deck, inPiles, SORT_LOOKS, sortingRoom } from '../rows/order.js';
import { eachPart, type Work } from '../rows/turns.js';

/** Looks at each row with its score that the figures of a ranking take, about. */
export const AREA_PASSES = 2 + SORT_LOOKS;

/** Rows that are taken apart at a time, at most. */
const AT_ONCE = 2 ** 14;

/** Figures of rows in the order of their scores. NaN where a score is NaN. */
export interface RankingFigures {
  /**
   * The area under the ROC curve: the probability that a row of the class has a higher score than
   * one of another class, where equal scores count half. NaN where there are none of either.
   */
  readonly auc: number;
  /** The average precision of the class. NaN where it has no rows. */
  readonly averagePrecision: number;
  /** The same of the others, whose scores are the more theirs the lower they are. */
  readonly precisionOfOthers: number;
}

const UNRANKED: RankingFigures = { auc: NaN, averagePrecision: NaN, precisionOfOthers: NaN };

/** Figures of one class of several, for each of them. */
export interface RankingArrays {
  readonly auc: Float64Array;
  readonly averagePrecision: Float64Array;
}

/** Room for the figures of classes, NaN at first. */
export function emptyRanking(classes: number): RankingArrays {
  const none = () => new Float64Array(classes).fill(NaN);
  return { auc: none(), averagePrecision: none() };
}

/** Sets the figures of one of several classes. */
export function setOfOne(
  { auc, averagePrecision }: RankingArrays,
  j: number,
  found: RankingFigures,
): void {
  auc[j] = found.auc;
  averagePrecision[j] = found.averagePrecision;
}

/**
 * Sets the figures of two classes, which are each other's opposite: the more a row is one, the less
 * it is the other, and one order is enough.
 */
export function setOfTwo({ auc, averagePrecision }: RankingArrays, found: RankingFigures): void {
  auc.fill(found.auc);
  averagePrecision.set([found.precisionOfOthers, found.averagePrecision]);
}

/**
 * The figures of rows that are of a class or not. The scores are overwritten.
 */
export function* rankingFigures(
  scores: Float64Array,
  labels: Int32Array,
  positive: number,
  weights: Float64Array | undefined,
): Work<RankingFigures> {
  if (weights !== undefined) return yield* figuresOfWeighted(scores, labels, positive, weights);
  const apart = new ScoresApart(scores.length, positive);
  yield* eachPart(scores.length, 1, (start, end) => apart.takeRows(scores, labels, start, end));
  return yield* apart.figures(scores);
}

/**
 * The scores of the rows of a class, and of the others, of rows that weigh the same: they can be
 * sorted by themselves, so that nothing has to go with them.
 */
export class ScoresApart {
  /** Both: the first from the beginning on, the others from the end. */
  readonly #scores: Float64Array;
  readonly #positive: number;
  #own = 0;
  #others: number;

  /** Those of so many rows, which have yet to come. */
  constructor(rows: number, positive: number) {
    this.#scores = new Float64Array(rows);
    this.#positive = positive;
    this.#others = rows;
  }

  /** Takes the rows from one on to before another. */
  takeRows(scores: Float64Array, labels: Int32Array, start: number, end: number): void {
    const height = Math.min(end - start, AT_ONCE);
    const first = sortingRoom(4 * height);
    const place = (numbers: number) => first + 8 * numbers * height;
    const { buffer } = load();
    for (let k = start; k < end; k += height) {
      const count = Math.min(height, end - k);
      new Float64Array(buffer, first, count).set(scores.subarray(k, k + count));
      new Int32Array(buffer, place(3), count).set(labels.subarray(k, k + count));
      this.take(first, place(3), count, place(1), place(2));
    }
    leave();
  }

  /**
   * Takes rows whose scores and classes lie at addresses of the module, with room for as many
   * scores at two others.
   */
  take(scores: number, labels: number, count: number, own: number, others: number): void {
    const positives = kernels().take_apart(scores, labels, count, this.#positive, own, others);
    const { buffer } = load();
    this.#scores.set(new Float64Array(buffer, own, positives), this.#own);
    this.#own += positives;
    this.#others -= count - positives;
    this.#scores.set(new Float64Array(buffer, others, count - positives), this.#others);
  }

  /** The figures of all rows, for which as many numbers may be spare. */
  *figures(spare?: Float64Array): Work<RankingFigures> {
    const own = this.#own;
    const split = (numbers: Float64Array): Deck[] => [
      { numbers: numbers.subarray(0, own), integers: undefined },
      { numbers: numbers.subarray(own), integers: undefined },
    ];
    const ranked = new Float64Array(RANKED_PRECISIONS_OF_OTHERS + 1);
    const [positives, negatives] = [own, this.#scores.length - own];
    ranked[RANKED_OWN] = positives;
    ranked[RANKED_OTHERS] = negatives;
    let areNumbers = true;
    const look = ([rows, others]: readonly Deck[]) => {
      areNumbers &&= rank(ranked, (rows as Deck).numbers, (others as Deck).numbers);
    };
    yield* inPiles(split(this.#scores), look, spare && split(spare));
    const sum = (place: number) => ranked[place] as number;
    return areNumbers
      ? {
          auc: sum(RANKED_BEHIND) / (2 * positives * negatives),
          averagePrecision: sum(RANKED_PRECISIONS) / positives,
          precisionOfOthers: sum(RANKED_PRECISIONS_OF_OTHERS) / negatives,
        }
      : UNRANKED;
  }
}

/** Has the kernel add up what scores tell. Returns false where one is NaN. */
function rank(ranked: Float64Array, own: Float64Array, others: Float64Array): boolean {
  const first = sortingRoom(ranked.length + 2 * (own.length + others.length));
  const { buffer } = load();
  const view = new Float64Array(buffer, first, ranked.length + own.length + others.length);
  view.set(ranked);
  view.set(own, ranked.length);
  view.set(others, ranked.length + own.length);
  const areNumbers = kernels().rank(own.length, others.length, first) === 1;
  ranked.set(view.subarray(0, ranked.length));
  leave();
  return areNumbers;
}

function* figuresOfWeighted(
  scores: Float64Array,
  labels: Int32Array,
  positive: number,
  weights: Float64Array,
): Work<RankingFigures> {
  const { length } = scores;
  let isNumber = true;
  yield* eachPart(length, 1, (start, end) => {
    for (let k = start; k < end; k++) {
      // A row that weighs nothing may be anywhere.
      if (weights[k] === 0) scores[k] = 0;
      isNumber &&= !Number.isNaN(scores[k]);
    }
  });
  if (!isNumber) return UNRANKED;
  const order = yield* ascendingInTurns(scores);
  const ranked = { scores, labels, positive, weights };
  const up = new Walk();
  yield* eachPart(length, 1, (start, end) => up.add(order, ranked, start, end, (place) => place));
  const down = new Walk();
  yield* eachPart(length, 1, (start, end) =>
    down.add(order, ranked, start, end, (place) => length - 1 - place),
  );
  const { behind, positives, negatives, precisionsOfOthers } = up.settle();
  return {
    auc: behind / (2 * positives * negatives),
    averagePrecision: down.settle().precisions / positives,
    precisionOfOthers: precisionsOfOthers / negatives,
  };
}

/** Rows that are of a class or not. */
interface Ranked {
  readonly scores: Float64Array;
  readonly labels: Int32Array;
  readonly positive: number;
  readonly weights: Float64Array;
}

/** The rows of a class and of others that a walk has come by. */
class Walk {
  /**
   * Twice the weight of pairs in which a row of the class comes behind another, equal ones counted
   * once: whole numbers without weights.
   */
  behind = 0;
  positives = 0;
  negatives = 0;
  /** The sum over the rows of the class of their share in all rows so far. */
  precisions = 0;
  /** The same of the others. */
  precisionsOfOthers = 0;
  /** The score that has been reached, and the rows with it. */
  #reached = NaN;
  #tied = 0;
  #others = 0;

  /** Adds the rows of some places in an order. */
  add(
    order: Uint32Array,
    { scores, labels, positive, weights }: Ranked,
    start: number,
    end: number,
    placeOf: (place: number) => number,
  ): void {
    let reached = this.#reached;
    let tied = this.#tied;
    let others = this.#others;
    for (let place = start; place < end; place++) {
      const k = order[placeOf(place)] as number;
      const score = scores[k] as number;
      if (score !== reached) {
        this.#settle(tied, others);
        reached = score;
        tied = 0;
        others = 0;
      }
      const weight = weights[k] as number;
      if (labels[k] === positive) tied += weight;
      else others += weight;
    }
    this.#reached = reached;
    this.#tied = tied;
    this.#others = others;
  }

  /** Comes to an end. */
  settle(): this {
    this.#settle(this.#tied, this.#others);
    this.#tied = 0;
    this.#others = 0;
    return this;
  }

  #settle(tied: number, others: number): void {
    this.behind += tied * (2 * this.negatives + others);
    this.positives += tied;
    this.negatives += others;
    const all = this.positives + this.negatives;
    if (tied > 0) this.precisions += tied * (this.positives / all);
    if (others > 0) this.precisionsOfOthers += others * (this.negatives / all);
  }
}
