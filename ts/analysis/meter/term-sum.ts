// Exact sums of numbers that are not negative, by adding up their digits: as integers, apart for
// each exponent, so that nothing is rounded.

import { ExactSum } from './exact-sum.js';

/** Exponents that a number can have. */
const EXPONENTS = 2048;

/** Terms at most until sums are carried over: of 32 bits each, which 53 hold. */
const MOST = 2 ** 20;

/** Digits of sums that are done, all of them 0: a report has a sum for each bin, part by part. */
const spare: Float64Array[] = [];

/** So many of them are kept. */
const KEPT = 32;

/** A sum that terms are added to. */
export class TermSum {
  /** The sums of the upper and of the lower digits, side by side, of each exponent. */
  readonly #digits = spare.pop() ?? new Float64Array(2 * EXPONENTS);
  readonly #number = new Float64Array(1);
  readonly #words = new Uint32Array(this.#number.buffer);
  /** The exponents that terms have had. */
  #least = EXPONENTS;
  #most = -1;
  #units = 0n;
  #count = 0;
  #nan = 0;
  #infinite = 0;

  /** Adds a number that is not negative, or counts one that is not finite. */
  add(term: number): void {
    if (!(term < Infinity)) {
      if (term === Infinity) this.#infinite++;
      else this.#nan++;
      return;
    }
    this.#number[0] = term;
    const low = this.#words[0] as number;
    const high = this.#words[1] as number;
    const exponent = (high >>> 20) & (EXPONENTS - 1);
    const upper = exponent === 0 ? high & 0xfffff : (high & 0xfffff) | 0x100000;
    if (exponent < this.#least) this.#least = exponent;
    if (exponent > this.#most) this.#most = exponent;
    const place = 2 * exponent;
    const digits = this.#digits;
    digits[place] = (digits[place] as number) + upper;
    digits[place + 1] = (digits[place + 1] as number) + low;
    if (++this.#count === MOST) this.#carry();
  }

  /** The sum, once nothing is added any more. */
  total(): ExactSum {
    this.#carry();
    if (spare.length < KEPT) spare.push(this.#digits);
    return new ExactSum(this.#units, this.#nan, this.#infinite);
  }

  #carry(): void {
    const digits = this.#digits;
    for (let exponent = this.#least; exponent <= this.#most; exponent++) {
      const [upper, low] = [digits[2 * exponent] as number, digits[2 * exponent + 1] as number];
      if (upper === 0 && low === 0) continue;
      this.#units += ((BigInt(upper) << 32n) + BigInt(low)) << BigInt(Math.max(0, exponent - 1));
      digits.fill(0, 2 * exponent, 2 * exponent + 2);
    }
    [this.#least, this.#most, this.#count] = [EXPONENTS, -1, 0];
  }
}
