import type { FloatArray } from 'focal-loss';

/** The facts of a kind of logits that tests need. */
export interface Dtype {
  name: string;
  /** A new array with these entries. */
  array(entries: Iterable<number>): FloatArray;
  zeros(length: number): FloatArray;
  /** The contract's bound on the relative error of a result. */
  bound(gamma: number): number;
  /** The smallest normal number. */
  smallest: number;
  /** The largest finite number. */
  largest: number;
  /** The distance from 1 to the next number. */
  epsilon: number;
}

export const float32: Dtype = {
  name: 'float32',
  array: (entries) => Float32Array.from(entries),
  zeros: (length) => new Float32Array(length),
  bound: (gamma) => 5e-7 * (1 + gamma),
  smallest: 2 ** -126,
  largest: (2 - 2 ** -23) * 2 ** 127,
  epsilon: 2 ** -23,
};

export const float64: Dtype = {
  name: 'float64',
  array: (entries) => Float64Array.from(entries),
  zeros: (length) => new Float64Array(length),
  bound: (gamma) => 1e-15 * (1 + gamma),
  smallest: 2 ** -1022,
  largest: Number.MAX_VALUE,
  epsilon: 2 ** -52,
};

export const dtypes = [float32, float64];
