// Elementary functions of the module, whose bits are the same in every engine: those of `Math` are
// not. Arrays go through the tile, as many entries at a time as it holds.

import { copyInto, part } from '../arrays/typed-arrays.js';
import { ELEMENTARY_EXP_M1, ELEMENTARY_LOG, OUTPUT_PROBABILITIES } from '../module/abi.js';
import { kernels } from '../module/analysis-kernels.js';
import { enter, leave } from '../module/gate.js';
import { tileOf } from '../module/tile.js';

/** The natural logarithms of numbers, in their place. */
export function takeLogarithms(numbers: Float64Array): void {
  take(ELEMENTARY_LOG, numbers);
}

/** A function of numbers, in their place. */
function take(which: number, numbers: Float64Array): void {
  enter();
  const tile = tileOf('Float64Array');
  const step = tile.reserve(2, 0);
  const { elementary } = kernels();
  for (let start = 0; start < numbers.length; start += step) {
    const count = Math.min(step, numbers.length - start);
    copyInto(tile.logits.view(count), part(numbers, start, count), 0);
    elementary(count, which);
    copyInto(numbers, tile.logits.view(count), start);
  }
  leave();
}

/** The natural logarithm of a number. */
export function logarithm(x: number): number {
  const numbers = Float64Array.of(x);
  takeLogarithms(numbers);
  return numbers[0] as number;
}

/** The complement of the exponential of a number that is not above 0, `1 - exp(x)`. */
export function complementOfExponential(x: number): number {
  const numbers = Float64Array.of(x);
  take(ELEMENTARY_EXP_M1, numbers);
  return 0 - (numbers[0] as number);
}

/** The power of a number in [0, 1], with an exponent that is not below 0; `0 ** 0` is 1. */
export function power(base: number, exponent: number): number {
  return exponent === 0 ? 1 : exponential(exponent * logarithm(base));
}

/** The exponential of a number that is not above 0: the ratio of two probabilities. */
export function exponential(x: number): number {
  const shares = Float64Array.of(0, x);
  enter();
  const tile = tileOf('Float64Array');
  tile.reserve(2, 0);
  const view = tile.logits.view(2);
  copyInto(view, shares, 0);
  kernels().softmax(1, 2, OUTPUT_PROBABILITIES, tile.flags);
  copyInto(shares, view, 0);
  leave();
  return (shares[1] as number) / (shares[0] as number);
}
