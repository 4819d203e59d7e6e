import { expect } from 'vitest';
import type { Dtype } from './dtypes.js';

/** Collects errors as fractions of what is allowed, and keeps the worst. */
export class Accuracy {
  readonly #dtype: Dtype;
  #checked = 0;
  #worst = 0;
  #where = 'all exact';

  constructor(dtype: Dtype) {
    this.#dtype = dtype;
  }

  /**
   * Takes in a result whose error may be `bound` times `scale`: the expected value itself, unless
   * something else is said. Below the normal range there is no relative precision to be had: there,
   * the result must be below it too.
   */
  add(
    where: string,
    actual: number,
    expected: number,
    bound: number,
    scale = Math.abs(expected),
  ): void {
    this.#checked++;
    const share = this.#share(actual, expected, bound, scale);
    if (share <= this.#worst) return;
    this.#worst = share;
    this.#where = `${where}: got ${actual}, expected ${expected}`;
  }

  #share(actual: number, expected: number, bound: number, scale: number): number {
    const { smallest } = this.#dtype;
    if (scale < smallest) return Math.abs(actual) <= smallest ? 0 : Infinity;
    const share = Math.abs(actual - expected) / (bound * scale);
    return Number.isNaN(share) ? Infinity : share;
  }

  /**
   * Prints the worst result, and fails if it is out of bounds, or if not just so many have been
   * taken in.
   */
  report(title: string, checked: number): void {
    const percent = (100 * this.#worst).toFixed(0);
    console.log(
      `${title}, ${this.#dtype.name}: ${this.#checked} results, worst at ${percent} % of the bound (${this.#where})`,
    );
    expect(this.#checked).toBe(checked);
    expect(this.#worst, this.#where).toBeLessThanOrEqual(1);
  }
}

/**
 * Two results for the same thing, each of which may be off by the contract's bound. A 0 is exact,
 * and not negative.
 */
export function expectClose(
  dtype: Dtype,
  gamma: number,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): void {
  expect(actual).toHaveLength(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (expected[i] === 0) expect(actual[i]).toBe(0);
    else
      expect(Math.abs(actual[i] - expected[i])).toBeLessThanOrEqual(
        2 * dtype.bound(gamma) * Math.abs(expected[i]),
      );
  }
}
