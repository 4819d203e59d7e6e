// The judgement whether a call gives what an oracle says.

import type { FloatArray } from 'focal-loss';
import type { Dtype } from '../support/dtypes.js';
import type { Call, Row } from './calls.js';
import { isSurrounded } from './numbers.js';

/** The worst error found, as a share of what is allowed. */
export class Worst {
  #share = 0;
  #where = 'all exact';
  results = 0;

  add(
    actual: number,
    exact: number,
    error: number,
    tolerance: number,
    name: string,
    i: number,
    j: number,
  ): void {
    this.results++;
    const share = error === 0 ? 0 : error / tolerance;
    if (share <= this.#share) return;
    const where = `${name} ${i}, ${j} is ${actual}, expected ${exact}`;
    if (!(share <= 1)) throw new Error(`${share} of what is allowed: ${where}`);
    this.#share = share;
    this.#where = where;
  }

  toString(): string {
    return `${this.results} results, worst at ${(100 * this.#share).toFixed(0)} % of what is allowed (${this.#where})`;
  }
}

/**
 * The right value of a result, and how far off it may be; `undefined` where nothing is promised.
 */
type Expectation = { exact: number; tolerance: number } | undefined;

const ZERO = { exact: 0, tolerance: 0 };
const SPOILT = { exact: NaN, tolerance: 0 };

function compare(
  { largest }: Dtype,
  worst: Worst,
  actual: number,
  expected: Expectation,
  name: string,
  i = 0,
  j = 0,
): void {
  if (Object.is(actual, -0)) throw new Error(`${name} ${i}, ${j} is -0`);
  if (expected === undefined) return;
  const { exact, tolerance } = expected;
  // A result too large for the type is infinite.
  const overflows = Math.abs(exact) + tolerance > largest && actual === Math.sign(exact) * Infinity;
  const error = Object.is(actual, exact) || overflows ? 0 : Math.abs(actual - exact);
  worst.add(actual, exact, error, tolerance, name, i, j);
}

function bound(dtype: Dtype, { gamma, isBlurred }: Row): number {
  // In float64 the oracle, itself float64, and not the contract sets the limit: it rounds the gaps
  // between logits.
  if (dtype.name === 'float64') return 2e-13 * (1 + gamma);
  return (isBlurred ? 1.25 : 1) * dtype.bound(gamma);
}

/** Below the normal range digits are missing, which factors multiply. */
function floor(dtype: Dtype, factor: number): number {
  return dtype.smallest * (1 + 10 * Math.abs(factor));
}

function isSpoilt({ logits }: Row): boolean {
  return logits.some((x) => Number.isNaN(x) || x === Infinity);
}

function expectedValue(dtype: Dtype, row: Row): Expectation {
  const { expected, weight } = row;
  if (expected === undefined) return ZERO;
  if (isSpoilt(row)) return SPOILT;
  const exact = expected.value * weight;
  if (Number.isNaN(exact)) return undefined;
  if (exact === Infinity) return { exact, tolerance: 0 };
  const scale = (expected.valueScale ?? expected.value) * weight;
  return { exact, tolerance: bound(dtype, row) * scale + floor(dtype, weight) };
}

function expectedGrad(dtype: Dtype, row: Row, j: number, denominator: number): Expectation {
  const { expected, weight, upstream } = row;
  if (expected === undefined) return ZERO;
  if (isSpoilt(row)) return denominator === 0 ? undefined : SPOILT;
  if (!Number.isFinite(expected.value)) return undefined;
  if (denominator === 0) return ZERO;
  const factor = (weight * upstream) / denominator;
  // The terms may be too large for the oracle.
  if (!(Number.isFinite(expected.grad[j]) && Number.isFinite(factor))) return undefined;
  return {
    exact: expected.grad[j] * factor + 0,
    tolerance: bound(dtype, row) * expected.scales[j] * Math.abs(factor) + floor(dtype, factor),
  };
}

/** The sum of all values by the denominator. */
function expectedTotal(values: Expectation[], denominator: number): Expectation {
  if (values.includes(SPOILT)) return SPOILT;
  let exact = 0;
  let tolerance = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    exact += value.exact;
    tolerance += value.tolerance;
  }
  return {
    exact: exact / denominator,
    tolerance: tolerance / denominator + 1e-15 * (exact / denominator),
  };
}

function expectSame(actual: ArrayLike<unknown>, expected: ArrayLike<unknown>, name: string): void {
  for (let i = 0; i < expected.length; i++) {
    if (!Object.is(actual[i], expected[i]))
      throw new Error(`${name}, ${i}: ${actual[i]} instead of ${expected[i]}`);
  }
}

/** The entries of what is an array or a single number. */
function listOf(value: FloatArray | number): ArrayLike<number> {
  return typeof value === 'number' ? [value] : value;
}

/** Makes the call, by all methods, and throws where it is not what it should be. */
export function judge(dtype: Dtype, call: Call, worst: Worst): void {
  const { criterion, logits, targets, options, rows, at, denominator, ordinary } = call;
  const [logitsBefore, targetsBefore] = [logits.slice(), targets.slice()];
  const { value, grad } = criterion.valueAndGrad(logits, targets, options);
  if (options.grad !== undefined && grad !== options.grad)
    throw new Error('the gradient is not the buffer');
  if (grad.constructor !== logits.constructor)
    throw new Error(`the gradient is a ${grad.constructor.name}`);

  const values = rows.map((row) => expectedValue(dtype, row));
  const wanted = typeof value === 'number' ? [expectedTotal(values, denominator)] : values;
  wanted.forEach((expected, i) => {
    compare(dtype, worst, listOf(value)[i], expected, 'value', i);
  });
  const divisor = typeof value === 'number' ? denominator : 1;
  rows.forEach((row, i) => {
    row.logits.forEach((_, j) => {
      compare(dtype, worst, grad[at(i, j)], expectedGrad(dtype, row, j, divisor), 'gradient', i, j);
    });
  });

  const kept = grad.slice();
  const { gradOutput, grad: buffer, ...forwardOptions } = options;
  expectSame(listOf(criterion.forward(logits, targets, forwardOptions)), listOf(value), 'forward');
  expectSame(criterion.backward(logits, targets, options), kept, 'backward');
  expectSame(logits, logitsBefore, 'logits');
  expectSame(targets, targetsBefore, 'targets');
  for (const array of ordinary) {
    if (!isSurrounded(array, array.byteOffset / array.BYTES_PER_ELEMENT))
      throw new Error('something else was written');
  }
}
