// Numbers in order, by dealing them out digit by digit, the lowest first (Knuth, The Art of
// Computer Programming, volume 3, 5.2.5): that takes less time than comparisons, can be
// interrupted, and has no order that it is slow for. The digits are those of the upper halves of
// float64 numbers, in which most differ; what is left is put right afterwards, or dealt out by the
// lower halves first.

import { eachPart, finish, type Work } from './turns.js';

/** From so many numbers on two large digits of half a number take less time than three. */
const MANY = 2 ** 17;

/** The bits of a digit, of many numbers and of fewer. */
const LARGE_BITS = 16;
const SMALL_BITS = 11;

/** Up to so many numbers are put in their places one by one. */
const SHORT = 32;

/** Steps for each number in which numbers are put right one by one, at most. */
const STEPS = 4;

/** The half of a number that digits are of. */
type Half = 0 | 1;
const LOWER: Half = 0;
const UPPER: Half = 1;

/** Numbers as they are dealt out, with indices that go with them. */
interface Deck {
  readonly numbers: Float64Array;
  readonly indices: Uint32Array | undefined;
}

/**
 * The indices of keys, from the smallest key to the largest; those of equal keys in the order in
 * which they come. No NaN.
 */
export function ascending(keys: Float64Array): Uint32Array {
  return finish(ascendingInTurns(keys));
}

/** The same in turns. */
export function* ascendingInTurns(keys: Float64Array): Work<Uint32Array> {
  const { length } = keys;
  const indices = new Uint32Array(length);
  for (let i = 0; i < length; i++) indices[i] = i;
  const spare = { numbers: new Float64Array(length), indices: new Uint32Array(length) };
  const sorted = yield* inOrder({ numbers: keys.slice(), indices }, spare);
  return sorted.indices as Uint32Array;
}

/**
 * The numbers from the smallest to the largest, in one of two arrays of one length, both of which
 * are overwritten. No NaN.
 */
export function* sortInTurns(numbers: Float64Array, spare: Float64Array): Work<Float64Array> {
  const sorted = yield* inOrder(
    { numbers, indices: undefined },
    { numbers: spare, indices: undefined },
  );
  return sorted.numbers;
}

function* inOrder(deck: Deck, spare: Deck): Work<Deck> {
  const { length } = deck.numbers;
  for (let i = 0; i < length; i++) deck.numbers[i] = (deck.numbers[i] as number) + 0; // -0 becomes 0
  if (length <= SHORT) {
    putRight(deck, Infinity);
    return deck;
  }
  const bits = length < MANY ? SMALL_BITS : LARGE_BITS;
  let [from, to] = [deck, spare];
  const dealOut = function* (half: Half): Work<void> {
    const sizes = new Uint32Array(Math.ceil(32 / bits) * 2 ** bits);
    yield* eachPart(length, 1, (start, end) => count(from.numbers, half, bits, sizes, start, end));
    for (let shift = 0; shift < 32; shift += bits) {
      const piles = sizes.subarray((shift / bits) * 2 ** bits, (shift / bits + 1) * 2 ** bits);
      if (piles.includes(length)) continue;
      heap(piles);
      yield* eachPart(length, 1, (start, end) => deal(from, to, half, shift, piles, start, end));
      [from, to] = [to, from];
    }
  };
  yield* dealOut(UPPER);
  if (!putRight(from, STEPS * length)) {
    yield* dealOut(LOWER);
    yield* dealOut(UPPER);
  }
  return from;
}

/**
 * The mask that turns the bits of half a number into digits in the order of the numbers: all bits
 * of negative ones are turned over, and the sign of the others.
 */
function maskOf(upper: number, half: Half): number {
  const sign = upper >> 31;
  return half === UPPER ? sign | 0x80000000 : sign;
}

/** Counts the numbers with each digit of so many bits of a half, the lowest digits first. */
function count(
  numbers: Float64Array,
  half: Half,
  bits: number,
  sizes: Uint32Array,
  start: number,
  end: number,
): void {
  const words = new Int32Array(numbers.buffer, numbers.byteOffset, 2 * numbers.length);
  const digits = 2 ** bits;
  for (let i = start; i < end; i++) {
    let rest = (words[2 * i + half] as number) ^ maskOf(words[2 * i + 1] as number, half);
    for (let first = 0; first < sizes.length; first += digits) {
      const place = first + (rest & (digits - 1));
      sizes[place] = (sizes[place] as number) + 1;
      rest >>>= bits;
    }
  }
}

/** Turns the sizes of piles into where each begins: where the one before it ends. */
function heap(piles: Uint32Array): void {
  let place = 0;
  for (let digit = 0; digit < piles.length; digit++) {
    const size = piles[digit] as number;
    piles[digit] = place;
    place += size;
  }
}

/** Puts each number where the pile of its digit has got to. */
function deal(
  { numbers, indices }: Deck,
  to: Deck,
  half: Half,
  shift: number,
  piles: Uint32Array,
  start: number,
  end: number,
): void {
  const words = new Int32Array(numbers.buffer, numbers.byteOffset, 2 * numbers.length);
  const mask = piles.length - 1;
  const toNumbers = to.numbers;
  const toIndices = to.indices;
  for (let i = start; i < end; i++) {
    const bits = (words[2 * i + half] as number) ^ maskOf(words[2 * i + 1] as number, half);
    const digit = (bits >>> shift) & mask;
    const at = piles[digit] as number;
    piles[digit] = at + 1;
    toNumbers[at] = numbers[i] as number;
    if (indices !== undefined && toIndices !== undefined) toIndices[at] = indices[i] as number;
  }
}

/**
 * Moves each number to before those that are larger, in no more than about so many steps. Returns
 * whether all are in their places.
 */
function putRight({ numbers, indices }: Deck, steps: number): boolean {
  let left = steps;
  for (let i = 1; i < numbers.length; i++) {
    const number = numbers[i] as number;
    if ((numbers[i - 1] as number) <= number) continue;
    const index = indices?.[i] as number;
    let gap = i;
    for (; gap > 0 && (numbers[gap - 1] as number) > number && left > 0; gap--) {
      left--;
      numbers[gap] = numbers[gap - 1] as number;
      if (indices !== undefined) indices[gap] = indices[gap - 1] as number;
    }
    numbers[gap] = number;
    if (indices !== undefined) indices[gap] = index;
    if (left === 0) return false;
  }
  return true;
}
