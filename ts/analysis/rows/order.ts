// Numbers in order: a kernel sorts as many as the module has room for at a time. More are dealt out
// by their leading digits before, into piles of which one comes behind the other.

import { SORT_COUNTS } from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { enter, leave } from '../../module/gate.js';
import { load } from '../../module/instance.js';
import { room } from '../../module/memory.js';
import { eachPart, finish, type Work } from './turns.js';

/** Numbers that are sorted at a time, at most, unless they are all the same. */
const AT_ONCE = 2 ** 20;

/** Looks at a number that sorting it is worth, about. */
export const SORT_LOOKS = 6;

/** The bits of a digit by which more than that are dealt out, and the numbers of those. */
const BITS = 16;
const DIGITS = 2 ** BITS;

/** The first bit of the first digit of a number. */
const LEADING = 48;

/** Numbers with integers that go with them, if there are any. */
export interface Deck {
  readonly numbers: Float64Array;
  readonly integers: Uint32Array | undefined;
}

/** Room for a deck of so many numbers. */
function emptyDeck(length: number, hasIntegers: boolean): Deck {
  return {
    numbers: new Float64Array(length),
    integers: hasIntegers ? new Uint32Array(length) : undefined,
  };
}

function partOf({ numbers, integers }: Deck, start: number, end: number): Deck {
  return {
    numbers: numbers.subarray(start, end),
    integers: integers?.subarray(start, end),
  };
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
  const integers = new Uint32Array(keys.length);
  for (let i = 0; i < integers.length; i++) integers[i] = i;
  // Where there are many, they are moved.
  const numbers = keys.length > AT_ONCE ? keys.slice() : keys;
  return yield* sortInTurns({ numbers, integers });
}

/**
 * Sorts the integers of a deck by its numbers, from the smallest to the largest; those of equal
 * numbers stay in their order. Both may be moved. No NaN.
 */
export function* sortInTurns(deck: Deck): Work<Uint32Array> {
  const sorted = new Uint32Array(deck.numbers.length);
  let done = 0;
  yield* inPiles([deck], ([pile]) => {
    const { numbers, integers } = pile as Deck;
    sortPile(numbers, integers as Uint32Array, sorted.subarray(done, done + numbers.length));
    done += numbers.length;
  });
  return sorted;
}

/** Sorts integers by numbers, in the module. */
function sortPile(numbers: Float64Array, integers: Uint32Array, sorted: Uint32Array): void {
  const { length } = numbers;
  const start = sortingRoom(3 * length);
  const { buffer } = load();
  new Float64Array(buffer, start, length).set(numbers);
  new Uint32Array(buffer, start + 16 * length, length).set(integers);
  sorted.set(sortedAt(length, length, start));
  leave();
}

/**
 * Sorts integers that lie in the module by so many numbers, which have room for others from an
 * address on. Returns the integers where they are then.
 */
export function sortedAt(length: number, room: number, start: number): Uint32Array {
  const isSpare = kernels().sort_by(length, room, start);
  return new Uint32Array(load().buffer, start + (16 + 4 * isSpare) * room, length);
}

/** Begins a call with room for so many numbers, and behind them for what sorting takes. */
export function sortingRoom(numbers: number): number {
  enter();
  const block = room(8 * (numbers + SORT_COUNTS), 0);
  if (block === undefined) throw new RangeError(`not enough memory to sort ${numbers} numbers`);
  return block.start;
}

/**
 * Has piles of numbers looked at, each the parts of all decks between two numbers, from the
 * smallest on: as many numbers as the module has room for, or more that are all the same. Numbers
 * are moved within the decks and spare ones, if there are any.
 */
export function* inPiles(
  decks: readonly Deck[],
  look: (piles: readonly Deck[]) => void,
  spares?: readonly Deck[],
  shift = LEADING,
): Work<void> {
  const length = decks.reduce((sum, { numbers }) => sum + numbers.length, 0);
  if (length <= AT_ONCE || shift < 0) {
    look(decks);
    yield SORT_LOOKS * length;
    return;
  }
  const dealt: readonly Deck[] =
    spares ??
    decks.map(({ numbers, integers }) => emptyDeck(numbers.length, integers !== undefined));
  const ends: Uint32Array[] = [];
  for (const [i, deck] of decks.entries()) ends.push(yield* deal(deck, dealt[i] as Deck, shift));
  const endOf = (i: number, digit: number) => (digit < 0 ? 0 : (ends[i]?.[digit] as number));
  const sizeOf = (from: number, to: number) =>
    ends.reduce((sum, _, i) => sum + endOf(i, to) - endOf(i, from), 0);
  for (let before = -1; before < DIGITS - 1; ) {
    let last = before + 1;
    while (last < DIGITS - 1 && sizeOf(before, last + 1) <= AT_ONCE) last++;
    const cut = (deck: Deck, i: number) => partOf(deck, endOf(i, before), endOf(i, last));
    yield* inPiles(dealt.map(cut), look, decks.map(cut), shift - BITS);
    before = last;
  }
}

/** Deals a deck out by a digit. Returns where the pile of each digit ends. */
function* deal(deck: Deck, to: Deck, shift: number): Work<Uint32Array> {
  const { length } = deck.numbers;
  const places = new Uint32Array(DIGITS);
  yield* eachPart(length, 1, (start, end) => count(deck.numbers, shift, places, start, end));
  let place = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const size = places[digit] as number;
    places[digit] = place;
    place += size;
  }
  yield* eachPart(length, 1, (start, end) => dealOut(deck, to, shift, places, start, end));
  return places;
}

/** The halves of numbers as integers, the lower one first. */
function halvesOf({ buffer, byteOffset, length }: Float64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, 2 * length);
}

/**
 * The digit of a number, from its halves, so that they have the same order: all bits of negative
 * numbers are turned over, and the sign of the others. The zeros are one.
 */
function digitOf(lower: number, upper: number, shift: number): number {
  const isZero = lower === 0 && upper === -0x80000000;
  const sign = isZero ? 0 : upper >> 31;
  const half = shift < 32 ? lower ^ sign : (isZero ? 0 : upper) ^ (sign | 0x80000000);
  return (half >>> (shift & 31)) & (DIGITS - 1);
}

function count(
  numbers: Float64Array,
  shift: number,
  sizes: Uint32Array,
  start: number,
  end: number,
): void {
  const halves = halvesOf(numbers);
  for (let i = start; i < end; i++) {
    const digit = digitOf(halves[2 * i] as number, halves[2 * i + 1] as number, shift);
    sizes[digit] = (sizes[digit] as number) + 1;
  }
}

/** Puts each number where the pile of its digit has got to. */
function dealOut(
  { numbers, integers }: Deck,
  to: Deck,
  shift: number,
  places: Uint32Array,
  start: number,
  end: number,
): void {
  const halves = halvesOf(numbers);
  const toNumbers = to.numbers;
  const toIntegers = to.integers;
  for (let i = start; i < end; i++) {
    const digit = digitOf(halves[2 * i] as number, halves[2 * i + 1] as number, shift);
    const at = places[digit] as number;
    places[digit] = at + 1;
    toNumbers[at] = numbers[i] as number;
    if (integers !== undefined && toIntegers !== undefined) toIntegers[at] = integers[i] as number;
  }
}
