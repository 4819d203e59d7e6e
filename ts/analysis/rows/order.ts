// Sorting rows by a number of each. Engines sort typed arrays by value quickly; indices by
// something else only through a comparison that they call for every pair. So indices are put under
// the numbers' upper halves, into integers of 64 bits. Where there are many, these are dealt out by
// eight bits at a time, the lowest first (Knuth, The Art of Computer Programming, volume 3, 5.2.5),
// which takes half the time, and can be interrupted.

import { eachPart, finish, type Work } from './turns.js';

/** The bits of a digit, and how many digits there are of so many. */
const DIGIT_BITS = 8;
const DIGITS = 2 ** DIGIT_BITS;

/** Up to so many keys the engine's own sorting is quicker. */
const FEW = 2048;

/** Up to so many indices are put in their places one by one. */
const SHORT = 32;

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
  const pairs = new BigUint64Array(length);
  let from = new Uint32Array(pairs.buffer);
  const sizes = new Uint32Array(length > FEW ? (32 / DIGIT_BITS) * DIGITS : 0);
  yield* eachPart(length, 1, (start, end) => pair(keys, from, sizes, start, end));
  if (length <= FEW) pairs.sort();
  else {
    let to = new Uint32Array(2 * length);
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      const places = placesOf(sizes, (shift / DIGIT_BITS) * DIGITS);
      yield* eachPart(length, 1, (start, end) => deal(from, to, shift, places, start, end));
      [from, to] = [to, from];
    }
  }
  const order = new Uint32Array(length);
  yield* eachPart(length, 1, (start, end) => {
    for (let place = start; place < end; place++) order[place] = from[2 * place] as number;
  });
  let start = 0;
  for (let end = 1; end <= length; end++) {
    if (end < length && from[2 * end + 1] === from[2 * start + 1]) continue;
    if (end - start > 1) sortRun(order, start, end, keys);
    start = end;
  }
  return order;
}

/** Puts each index under the upper half of its key, and counts the upper halves with each digit. */
function pair(
  keys: Float64Array,
  pairs: Uint32Array,
  sizes: Uint32Array,
  start: number,
  end: number,
): void {
  const number = new Float64Array(1);
  const bits = new Int32Array(number.buffer);
  for (let i = start; i < end; i++) {
    number[0] = (keys[i] as number) + 0; // -0 becomes 0
    const half = bits[1] as number;
    // In the order of the keys, if all bits of negative ones are turned over, and the sign of the
    // others.
    let upper = half ^ ((half >> 31) | 0x80000000);
    pairs[2 * i] = i;
    pairs[2 * i + 1] = upper;
    for (let first = 0; first < sizes.length; first += DIGITS) {
      const place = first + (upper & (DIGITS - 1));
      sizes[place] = (sizes[place] as number) + 1;
      upper >>>= DIGIT_BITS;
    }
  }
}

/** Where the pile of each digit begins: where the one before it ends. */
function placesOf(sizes: Uint32Array, first: number): Uint32Array {
  const places = new Uint32Array(DIGITS);
  for (let digit = 1; digit < DIGITS; digit++) {
    places[digit] = (places[digit - 1] as number) + (sizes[first + digit - 1] as number);
  }
  return places;
}

/** Puts each pair where the pile of its digit has got to. */
function deal(
  from: Uint32Array,
  to: Uint32Array,
  shift: number,
  places: Uint32Array,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    const upper = from[2 * i + 1] as number;
    const digit = (upper >>> shift) & (DIGITS - 1);
    const place = places[digit] as number;
    places[digit] = place + 1;
    to[2 * place] = from[2 * i] as number;
    to[2 * place + 1] = upper;
  }
}

/** Sorts ascending indices, from one place to another, of keys whose upper halves are the same. */
function sortRun(order: Uint32Array, start: number, end: number, keys: Float64Array): void {
  for (let place = start + 1; place < end; place++) {
    const index = order[place] as number;
    const key = keys[index] as number;
    if ((keys[order[place - 1] as number] as number) <= key) continue;
    if (end - start > SHORT) {
      order.subarray(start, end).sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
      return;
    }
    let gap = place;
    for (; gap > start && (keys[order[gap - 1] as number] as number) > key; gap--)
      order[gap] = order[gap - 1] as number;
    order[gap] = index;
  }
}
