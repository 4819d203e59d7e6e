import { twoSided } from './normal.js';

/** Rows at most that are judged differently for which the exact test is made. */
const MANY = 1000;

/**
 * The probability that rows which only one of two models has right are shared out as unevenly by
 * chance (McNemar, 1947): by the binomial distribution, of more than a thousand rows by the normal
 * one with a correction for continuity.
 */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  const all = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  if (all === 0) return 1;
  if (all > MANY)
    return twoSided(Math.max(0, Math.abs(onlyFirst - onlySecond) - 1) / Math.sqrt(all));
  // The terms of the binomial distribution, from 2 ** -all on.
  let term = 2 ** -all;
  let sum = term;
  for (let k = 1; k <= fewer; k++) {
    term *= (all - k + 1) / k;
    sum += term;
  }
  return Math.min(1, 2 * sum);
}
