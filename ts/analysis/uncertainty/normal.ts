import { exponential } from '../elementary.js';

/** One by the square root of 2π. */
const HEIGHT = 0.3989422804014327;

/** Arguments from which on a continued fraction takes the place of the series. */
const FAR = 3;

/** Steps at most. */
const STEPS = 200;

/** The normal distribution function, with a relative error of some 1e-15 also where it is small. */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return NaN;
  const size = Math.abs(z);
  if (size > 39) return z < 0 ? 0 : 1;
  const density = HEIGHT * exponential((-size * size) / 2);
  if (size > FAR) {
    const tail = density / fraction(size);
    return z < 0 ? tail : 1 - tail;
  }
  // The series z + z^3 / 3 + z^5 / (3 · 5) + …
  let term = size;
  let sum = size;
  for (let k = 3; term > sum * 1e-17; k += 2) {
    term *= (size * size) / k;
    sum += term;
  }
  return z < 0 ? 0.5 - density * sum : 0.5 + density * sum;
}

/** The continued fraction z + 1 / (z + 2 / (z + 3 / …)). */
function fraction(z: number): number {
  let value = z;
  for (let k = 200; k >= 1; k--) value = z + k / value;
  return value;
}

/** The inverse of the normal distribution function, by Newton's method within a bracket. */
export function normalQuantile(p: number): number {
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  let low = -39;
  let high = 39;
  let z = 0;
  for (let i = 0; i < STEPS; i++) {
    const error = normalCdf(z) - p;
    if (error < 0) low = z;
    else high = z;
    const next = z - error / (HEIGHT * exponential((-z * z) / 2));
    const step = next > low && next < high ? next : low / 2 + high / 2;
    if (Math.abs(step - z) <= Number.EPSILON * Math.abs(step)) break;
    z = step;
  }
  return z;
}

/** The probability of a normal number at least as far from 0 as this one. */
export function twoSided(z: number): number {
  return Math.min(1, 2 * normalCdf(-Math.abs(z)));
}
