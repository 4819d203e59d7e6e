// Functions that lose no digits, of nothing but sums, products, quotients, exp and log: on GPUs,
// TensorFlow.js' own log1p and expm1 are log(1 + x) and exp(x) - 1, which do near 0.

import {
  abs,
  add,
  div,
  exp,
  lessEqual,
  log,
  mul,
  neg,
  onesLike,
  pow,
  relu,
  square,
  sub,
  type Tensor,
  where,
} from '@tensorflow/tfjs-core';

/**
 * log(1 + x) for x >= 0: up to 1 by the series of 2 atanh(x / (2 + x)), whose ninth term is below
 * half a rounding.
 */
export function log1p(x: Tensor): Tensor {
  const w = div(x, add(2, x));
  const w2 = square(w);
  let series: Tensor = mul(onesLike(x), 1 / 15);
  for (let k = 13; k > 0; k -= 2) series = add(mul(series, w2), 1 / k);
  return where(lessEqual(x, 1), mul(mul(2, w), series), log(add(1, x)));
}

/**
 * 1 - exp(-x) for x >= 0: up to 1/2 by Taylor's series, whose ninth term is below half a rounding.
 */
export function oneMinusExp(x: Tensor): Tensor {
  let series: Tensor = onesLike(x);
  for (let k = 8; k > 1; k--) series = sub(1, mul(series, div(x, k)));
  return where(lessEqual(x, 0.5), mul(x, series), sub(1, exp(neg(x))));
}

/** log(1 + exp(x)). */
export function softplus(x: Tensor): Tensor {
  return add(relu(x), log1p(exp(neg(abs(x)))));
}

/** A power of numbers that are not negative. */
export function power(base: Tensor, exponent: number | Tensor): Tensor {
  if (exponent === 0) return onesLike(base);
  if (exponent === 1) return base;
  if (exponent === 2) return square(base);
  return pow(base, exponent);
}

/** The product, which is 0 wherever `gate` is: also times infinity. */
export function gated(gate: Tensor, factor: Tensor): Tensor {
  return where(lessEqual(gate, 0), mul(onesLike(gate), 0), mul(gate, factor));
}
