// Sorting rows by a number of each. Engines sort typed arrays by value quickly; indices by something else only through a
// comparison that they call for every pair. So indices are put under the numbers' upper halves, into integers of 64 bits. Where
// there are many, these are dealt out by eight bits at a time, the lowest first (Knuth, The Art of Computer Programming,
// volume 3, 5.2.5), which takes half the time, and can be interrupted.

import { eachPart, finish, type Work } from './turns.js';

/** The bits of a digit, and how many digits there are of so many. */
const DIGIT_BITS = 8;
const DIGITS = 2 ** DIGIT_BITS;

/** Up to so many keys the engine's own sorting is quicker. */
const FEW = 2048;

/** Up to so many indices are put in their places one by one. */
const SHORT = 32;

/** The indices of keys, from the smallest key to the largest; those of equal keys in the order in which they come. No NaN. */
export function ascending(keys: Float64Array): Uint32Array {
  return finish(ascendingInTurns(keys));
}

/** The same in turns. */
export function* ascendingInTurns(keys: Float64Array): Work<Uint32Array> {
  const { length } = keys;
  const pairs = new BigUint64Array(length);
  const halves = new Uint32Array(pairs.buffer);
  yield* eachPart(length, 1, (start, end) => pair(keys, halves, start, end));
  if (length <= FEW) pairs.sort();
  const sorted = length <= FEW ? halves : yield* byUpperHalf(halves);
  const order = new Uint32Array(length);
  yield* eachPart(length, 1, (start, end) => {
    for (let place = start; place < end; place++) order[place] = sorted[2 * place] as number;
  });
  let start = 0;
  for (let end = 1; end <= length; end++) {
    if (end < length && sorted[2 * end + 1] === sorted[2 * start + 1]) continue;
    if (end - start > 1) sortRun(order, start, end, keys);
    start = end;
  }
  return order;
}

/** Puts each index under the upper half of its key. */
function pair(keys: Float64Array, halves: Uint32Array, start: number, end: number): void {
  const number = new Float64Array(1);
  const bits = new Int32Array(number.buffer);
  for (let i = start; i < end; i++) {
    number[0] = (keys[i] as number) + 0; // -0 becomes 0
    const upper = bits[1] as number;
    // In the order of the keys, if all bits of negative ones are turned over, and the sign of the others.
    halves[2 * i + 1] = upper ^ ((upper >> 31) | 0x80000000);
    halves[2 * i] = i;
  }
}

/** Sorts pairs by their upper halves. Those whose upper halves are the same stay in order. */
function* byUpperHalf(halves: Uint32Array<ArrayBuffer>): Work<Uint32Array> {
  const length = halves.length / 2;
  let from = halves;
  let to = new Uint32Array(halves.length);
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const places = new Uint32Array(DIGITS);
    yield* eachPart(length, 1, (start, end) => count(from, shift, places, start, end));
    // Each pile begins where the one before it ends.
    for (let digit = 0, place = 0; digit < DIGITS; digit++) {
      const size = places[digit] as number;
      places[digit] = place;
      place += size;
    }
    yield* eachPart(length, 1, (start, end) => deal(from, to, shift, places, start, end));
    [from, to] = [to, from];
  }
  return from;
}

/** How many upper halves there are with each digit. */
function count(halves: Uint32Array, shift: number, sizes: Uint32Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    const digit = ((halves[2 * i + 1] as number) >>> shift) % DIGITS;
    sizes[digit] = (sizes[digit] as number) + 1;
  }
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
    const digit = (upper >>> shift) % DIGITS;
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
