// The sums of rows under a loss: the kernel adds up those of a part of a batch, and here the
// parts come together.

import {
  GROUP_GRADIENT,
  GROUP_LOSS,
  GROUP_ONES,
  GROUP_RIGHT,
  GROUP_ROWS,
  TALLY_CONFIDENCE,
  TALLY_EASY,
  TALLY_EASY_LOSS,
  TALLY_FACTOR,
  TALLY_LEAST_CONFIDENCE,
  TALLY_LEAST_LOSS,
  TALLY_LOGITS,
  TALLY_LOSS,
  TALLY_MOST_CONFIDENCE,
  TALLY_MOST_LOSS,
  TALLY_RIGHT,
  TALLY_ROWS,
  TALLY_SQUARES,
  TALLY_SURE_AND_WRONG,
  TALLY_WEIGHT,
} from '../../module/abi.js';
import { joined } from '../rows/loops.js';
import { type ListedRows, numbersOf } from './listed.js';
import type { ClassDiagnosis, ColumnDiagnosis, Summary } from './result.js';

/** The numbers of a tally, and of a group of rows. */
export const TALLY_LENGTH = TALLY_SQUARES + 1;
export const GROUP_LENGTH = GROUP_GRADIENT + 1;

/** Groups of rows added up. */
class Groups {
  readonly #sums: Float64Array;

  constructor(groups: number) {
    this.#sums = new Float64Array(GROUP_LENGTH * groups);
  }

  add(sums: Float64Array): void {
    for (let i = 0; i < sums.length; i++) this.#sums[i] = this.#at(i) + (sums[i] as number);
  }

  /** A sum of each group. */
  of(sum: number): Float64Array {
    return new Float64Array(this.#sums.length / GROUP_LENGTH).map((_, group) =>
      this.#at(group * GROUP_LENGTH + sum),
    );
  }

  diagnoses(): ClassDiagnosis[] {
    const [right, losses, gradients] = [
      this.of(GROUP_RIGHT),
      this.of(GROUP_LOSS),
      this.of(GROUP_GRADIENT),
    ];
    const total = (numbers: Float64Array) => numbers.reduce((sum, number) => sum + number, 0);
    const [loss, gradient] = [total(losses), total(gradients)];
    return Array.from(this.of(GROUP_ROWS), (rows, j) => ({
      rows,
      accuracy: (right[j] as number) / rows,
      meanLoss: (losses[j] as number) / rows,
      lossShare: shareOf(losses[j] as number, loss),
      gradientShare: shareOf(gradients[j] as number, gradient),
    }));
  }

  #at(i: number): number {
    return this.#sums[i] as number;
  }
}

/** A part of a whole, and of nothing none. */
export function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** The rows that count and whose loss and gradient are finite, added up. */
export class Tally {
  readonly #sums = new Float64Array(TALLY_LENGTH);
  readonly #classes: Groups;
  readonly #columns: Groups;
  /** The lists of the parts. */
  readonly parts: ListedRows[] = [];

  /** For rows of so many classes and columns. */
  constructor(classes: number, columns: number) {
    this.#classes = new Groups(classes);
    this.#columns = new Groups(columns);
  }

  /** Adds the sums of a part, as the kernel leaves them. */
  add(sums: Float64Array, classes: Float64Array, columns: Float64Array): void {
    this.#classes.add(classes);
    this.#columns.add(columns);
    const before = this.#sums.slice();
    const isFirst = this.rows === 0;
    for (let i = 0; i < TALLY_LENGTH; i++)
      this.#sums[i] = (before[i] as number) + (sums[i] as number);
    if ((sums[TALLY_ROWS] as number) === 0) this.#keepEnds(before, before);
    else this.#keepEnds(isFirst ? sums : before, sums);
  }

  /** The number of rows. */
  get rows(): number {
    return this.#sum(TALLY_ROWS);
  }

  /** The number of logits, of rows that count, that are not finite. */
  get nonFiniteLogits(): number {
    return this.#sum(TALLY_LOGITS);
  }

  /** The number of rows that are predicted right. */
  get right(): number {
    return this.#sum(TALLY_RIGHT);
  }

  /** Those of them with a confidence above 1/2, and their losses. */
  get easy() {
    return { rows: this.#sum(TALLY_EASY), loss: this.#sum(TALLY_EASY_LOSS) };
  }

  /** The number of overconfident rows that are predicted wrong. */
  get sureAndWrong(): number {
    return this.#sum(TALLY_SURE_AND_WRONG);
  }

  /** The losses of all rows, added up. */
  get loss(): number {
    return this.#sum(TALLY_LOSS);
  }

  get losses(): Summary {
    return this.#summary(TALLY_LOSS, TALLY_LEAST_LOSS, TALLY_MOST_LOSS);
  }

  get confidences(): Summary {
    return this.#summary(TALLY_CONFIDENCE, TALLY_LEAST_CONFIDENCE, TALLY_MOST_CONFIDENCE);
  }

  /** The sums of focusing factors, of weights, and of their squares. */
  get factors() {
    return {
      factor: this.#sum(TALLY_FACTOR),
      weight: this.#sum(TALLY_WEIGHT),
      squares: this.#sum(TALLY_SQUARES),
    };
  }

  /** The number of rows of each class. */
  get counts(): Float64Array {
    return this.#classes.of(GROUP_ROWS);
  }

  classes(): ClassDiagnosis[] {
    return this.#classes.diagnoses();
  }

  columns(): ColumnDiagnosis[] {
    const positives = this.#columns.of(GROUP_ONES);
    return this.#columns
      .diagnoses()
      .map((one, j) => ({ ...one, positives: positives[j] as number }));
  }

  /** The numbers of all of them. */
  get numbers(): Uint32Array {
    return numbersOf(this.parts);
  }

  /** The numbers of those that are overconfident. */
  get overconfident(): Uint32Array {
    return joined(
      Uint32Array,
      this.parts.map(({ overconfident }) => overconfident),
    );
  }

  /** The numbers of rows that count, but whose loss or gradient is not finite. */
  get nonFinite(): Uint32Array {
    return joined(
      Uint32Array,
      this.parts.map(({ nonFinite }) => nonFinite),
    );
  }

  /** Has the smallest and the largest of two tallies. */
  #keepEnds(a: Float64Array, b: Float64Array): void {
    for (const end of [TALLY_LEAST_LOSS, TALLY_LEAST_CONFIDENCE])
      this.#sums[end] = Math.min(a[end] as number, b[end] as number);
    for (const end of [TALLY_MOST_LOSS, TALLY_MOST_CONFIDENCE])
      this.#sums[end] = Math.max(a[end] as number, b[end] as number);
  }

  #sum(place: number): number {
    return this.#sums[place] as number;
  }

  #summary(sum: number, least: number, most: number): Summary {
    const { rows } = this;
    if (rows === 0) return { mean: NaN, min: NaN, max: NaN };
    const [min, max] = [this.#sum(least), this.#sum(most)];
    // Where all values are the same, rounding must not move the mean away from them.
    return { mean: Math.min(Math.max(this.#sum(sum) / rows, min), max), min, max };
  }
}
