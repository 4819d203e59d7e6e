// The numbers of a random call.

import type { ClassIndices, FloatArray } from 'focal-loss';
import type { Dtype } from '../support/dtypes.js';
import type { Flavour, INDEX_KINDS } from './draws.js';

/** Gives a number in [0, 1) whenever it is called. */
export type Random = () => number;

const SPECIAL = [NaN, Infinity, -Infinity, -Infinity, -0];

function choose<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random() * choices.length)];
}

/** The logits of a row. */
export function anyLogits(random: Random, flavour: Flavour, dtype: Dtype, count: number): number[] {
  const { largest, smallest } = dtype;
  if (flavour !== 'masked' && flavour !== 'extreme') {
    return Array.from({ length: count }, () => anyLogit(random, flavour, dtype));
  }
  // As far from 0 as leaves differences finite, also once they are weighted, and often no farther
  // than most are drawn.
  const reach = random() < 0.3 ? 20 : largest ** (0.95 * random());
  const offset = choose(random, [-1, 1]) * reach;
  const masked = flavour === 'masked' ? choose(random, [0.3, 0.8, 1]) : choose(random, [0, 0.3]);
  const kept = Math.floor(random() * count);
  return Array.from({ length: count }, (_, j) => {
    if (random() < masked && j !== kept) return -Infinity;
    if (flavour === 'masked') return offset + choose(random, [0, 0, 1, 8]) * (2 * random() - 1);
    const near = offset * (1 + Math.round(4 * random()) * 2 ** -20);
    return choose(
      random,
      random() < 0.05
        ? ENDS
        : [offset, offset, near, -offset, 0, smallest, smallest * random(), 3 * random()],
    );
  });
}

/** The values that spoil a row, or mask a class of it. */
const ENDS = [Infinity, NaN, -Infinity, -Infinity];

function anyLogit(random: Random, flavour: Flavour, { smallest }: Dtype): number {
  const x = 2 * random() - 1;
  switch (flavour) {
    case 'ordinary':
      return 8 * x;
    case 'far apart':
      return 100 * x;
    case 'of any size':
      // Never so large that the differences between those of a row, added up, are infinite.
      return Math.sign(x) * smallest ** (0.93 * (2 * random() - 1));
    case 'tiny':
      return random() < 0.5 ? x * smallest : x * 2 ** -30;
    case 'ties':
      return Math.round(3 * x);
    case 'far from 0':
      return 10_000 + 10 * x;
    case 'special':
      return random() < 0.85 ? 8 * x : choose(random, SPECIAL);
    default:
      throw new Error(`${flavour} logits are drawn by the row`);
  }
}

/** A row of probabilities: some are 0, and often all but one. */
export function anyProbabilities(random: Random, classes: number): number[] {
  const isSure = random() < 0.3;
  const parts = Array.from({ length: classes }, () =>
    isSure || random() < 0.3 ? choose(random, [0, -0]) : random(),
  );
  parts[Math.floor(random() * classes)] += 1;
  const total = parts.reduce((a, b) => a + b);
  return parts.map((part) => part / total);
}

// Factors are powers of 2, and shares have few digits: they add no rounding of their own to what is
// measured.

function powerOf2(random: Random): number {
  return 2 ** Math.floor(7 * random() - 3);
}

/** The values of a weight. */
export function anyFactor(random: Random): number {
  return random() < 0.1 ? 0 : powerOf2(random);
}

/** A number in [0, 1]. */
export function anyShare(random: Random): number {
  return Math.round(256 * random()) / 256;
}

/**
 * An upstream gradient. `share` is how much of the type's range it may take: what arrays of the
 * logits' own type hold, the kernels multiply as it is.
 */
export function anyUpstream(
  random: Random,
  { largest }: Dtype,
  flavour: Flavour,
  share: number,
): number {
  // Now and then so large that a product with it is near the end of the type's range, unless losses
  // may be that large.
  const isSmall = !['masked', 'extreme', 'of any size'].includes(flavour);
  const size =
    isSmall && random() < 0.1 ? 2 ** Math.floor(share * (Math.log2(largest) - 3) * random()) : 1;
  return choose(random, [-1, 1]) * anyFactor(random) * size;
}

/** The numbers that stand around the arrays of a call. */
const GUARD = 7;

type NumberArray = ClassIndices | FloatArray;

function fill(array: NumberArray, entry: number): void {
  if (array instanceof BigInt64Array || array instanceof BigUint64Array) array.fill(BigInt(entry));
  else array.fill(entry);
}

/** A copy in the middle of a longer array. */
export function surrounded<A extends NumberArray>(array: A, offset: number): A {
  const whole = new (array.constructor as new (length: number) => A)(offset + array.length + 3);
  fill(whole, GUARD);
  const part = whole.subarray(offset, offset + array.length) as A;
  part.set(array as never);
  return part;
}

/** A test whether the numbers around an array are as `surrounded` has made them. */
export function isSurrounded(array: NumberArray, offset: number): boolean {
  const whole = new (array.constructor as new (buffer: ArrayBufferLike) => NumberArray)(
    array.buffer,
  );
  return whole.every(
    (entry, i) => (i >= offset && i < offset + array.length) || Number(entry) === GUARD,
  );
}

/** Class indices in an array of a kind that can hold them, if possible the given one. */
export function indicesOf(
  Kind: (typeof INDEX_KINDS)[number],
  entries: readonly number[],
): ClassIndices {
  const isBig = Kind === BigInt64Array || Kind === BigUint64Array;
  const array = isBig
    ? (Kind as BigInt64ArrayConstructor).from(entries.map(BigInt))
    : (Kind as Int32ArrayConstructor).from(entries);
  return entries.every((entry, i) => Number(array[i]) === entry) ? array : Int32Array.from(entries);
}
