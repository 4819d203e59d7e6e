// Exact sums of numbers that are not negative, by adding up their digits: as integers, apart for
// each exponent, so that nothing is rounded.

import { ExactSum } from './exact-sum.js';

/** Exponents that a number can have. */
const EXPONENTS = 2048;

/** Terms at most until sums are carried over: of 32 bits each, which 53 hold. */
const MOST = 2 ** 20;

/** A sum that terms are added to. */
export class TermSum {
  readonly #high = new Float64Array(EXPONENTS);
  readonly #low = new Float64Array(EXPONENTS);
  readonly #number = new Float64Array(1);
  readonly #words = new Uint32Array(this.#number.buffer);
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
    const digits = exponent === 0 ? high & 0xfffff : (high & 0xfffff) | 0x100000;
    this.#high[exponent] = (this.#high[exponent] as number) + digits;
    this.#low[exponent] = (this.#low[exponent] as number) + low;
    if (++this.#count === MOST) this.#carry();
  }

  /** The sum so far. */
  total(): ExactSum {
    this.#carry();
    return new ExactSum(this.#units, this.#nan, this.#infinite);
  }

  #carry(): void {
    for (let exponent = 0; exponent < EXPONENTS; exponent++) {
      const [high, low] = [this.#high[exponent] as number, this.#low[exponent] as number];
      if (high === 0 && low === 0) continue;
      const digits = (BigInt(high) << 32n) + BigInt(low);
      this.#units += digits << BigInt(Math.max(0, exponent - 1));
      this.#high[exponent] = 0;
      this.#low[exponent] = 0;
    }
    this.#count = 0;
  }
}
