import { ascendingInTurns, sortInTurns } from '../rows/order.js';
import { eachPart, TURN, type Work } from '../rows/turns.js';

/** Looks at each row with its score that the figures of a ranking take. */
export const AREA_PASSES = 14;

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

/**
 * The figures of rows that are of a class or not. The scores are overwritten.
 */
export function* rankingFigures(
  scores: Float64Array,
  labels: Int32Array,
  positive: number,
  weights: Float64Array | undefined,
): Work<RankingFigures> {
  const { length } = scores;
  let isNumber = true;
  yield* eachPart(length, 1, (start, end) => {
    isNumber &&= areNumbers(scores, start, end);
  });
  if (!isNumber) return UNRANKED;
  return weights === undefined
    ? yield* figuresOfEven(scores, labels, positive)
    : yield* figuresOfWeighted(scores, labels, positive, weights);
}

function areNumbers(scores: Float64Array, start: number, end: number): boolean {
  for (let k = start; k < end; k++) if (Number.isNaN(scores[k])) return false;
  return true;
}

/**
 * The figures of rows that weigh the same: the scores of the class and those of the others are
 * sorted by themselves, so that nothing has to go with them.
 */
function* figuresOfEven(
  scores: Float64Array,
  labels: Int32Array,
  positive: number,
): Work<RankingFigures> {
  const { length } = scores;
  const apart = new Float64Array(length);
  let positives = 0;
  let end = length;
  yield* eachPart(length, 1, (from, to) => {
    for (let k = from; k < to; k++) {
      const place = labels[k] === positive ? positives++ : --end;
      apart[place] = scores[k] as number;
    }
  });
  const sorted = function* (from: number, to: number): Work<Float64Array> {
    return yield* sortInTurns(apart.subarray(from, to), scores.subarray(from, to));
  };
  const merge = new Merge(yield* sorted(0, positives), yield* sorted(positives, length));
  while (!merge.isDone) {
    merge.run(TURN);
    yield TURN;
  }
  return merge.figures();
}

/** The walk through two ascending lists of scores: of rows of a class, and of the others. */
class Merge {
  readonly #own: Float64Array;
  readonly #others: Float64Array;
  /** The places that have been reached. */
  #first = 0;
  #second = 0;
  /** Twice the number of pairs in which a row of the class comes behind another. */
  #behind = 0;
  #precisions = 0;
  #precisionsOfOthers = 0;

  constructor(own: Float64Array, others: Float64Array) {
    this.#own = own;
    this.#others = others;
  }

  get isDone(): boolean {
    return this.#first === this.#own.length && this.#second === this.#others.length;
  }

  /** Goes on by so many rows, about. */
  run(rows: number): void {
    const own = this.#own;
    const others = this.#others;
    const all = own.length + others.length;
    const end = this.#first + this.#second + rows;
    let i = this.#first;
    while (i < own.length && i + this.#second < end) {
      const score = own[i] as number;
      this.#passOthers(score, i);
      const before = i++;
      while (i < own.length && own[i] === score) i++;
      const fewer = this.#second;
      let j = fewer;
      while (j < others.length && others[j] === score) j++;
      this.#second = j;
      const tied = i - before;
      this.#behind += tied * (fewer + j);
      // Rows of the class with this score or a higher one, among all such rows.
      this.#precisions += tied * ((own.length - before) / (all - before - fewer));
      if (j > fewer) this.#precisionsOfOthers += (j - fewer) * (j / (i + j));
    }
    this.#first = i;
    if (i === own.length) this.#passOthers(NaN, i);
  }

  /** Passes the others below a score, or all if that is NaN; so many rows of the class before. */
  #passOthers(score: number, before: number): void {
    const others = this.#others;
    let precisions = this.#precisionsOfOthers;
    let j = this.#second;
    while (j < others.length) {
      const next = others[j] as number;
      if (next >= score) break;
      const first = j++;
      while (j < others.length && others[j] === next) j++;
      precisions += (j - first) * (j / (before + j));
    }
    this.#second = j;
    this.#precisionsOfOthers = precisions;
  }

  figures(): RankingFigures {
    const [positives, negatives] = [this.#own.length, this.#others.length];
    return {
      auc: this.#behind / (2 * positives * negatives),
      averagePrecision: this.#precisions / positives,
      precisionOfOthers: this.#precisionsOfOthers / negatives,
    };
  }
}

function* figuresOfWeighted(
  scores: Float64Array,
  labels: Int32Array,
  positive: number,
  weights: Float64Array,
): Work<RankingFigures> {
  const { length } = scores;
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
