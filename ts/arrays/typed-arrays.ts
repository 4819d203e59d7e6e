// Typed arrays as the engine knows them. A subclass, an own property or a proxy can make
// `array.length` or `array.subarray` say anything; the accessors taken here read the array's
// internal slots, in every realm.

import type { ClassIndices, FloatArray } from './types.js';

/** Every kind of array this package takes. */
export type NumberArray = FloatArray | ClassIndices;

/**
 * In a function, where an engine sees that the accessors stay what they are, and compiles them in
 * place: bundlers turn the constants of modules into variables.
 */
function accessors() {
  const prototype = Object.getPrototypeOf(Uint8Array.prototype);
  function accessor<T>(
    name: 'buffer' | 'byteLength' | 'byteOffset' | 'length' | symbol,
  ): (this: unknown) => T {
    const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
    return get as (this: unknown) => T;
  }
  const tag = accessor<string | undefined>(Symbol.toStringTag);
  const length = accessor<number>('length');
  const buffer = accessor<ArrayBufferLike>('buffer');
  const byteOffset = accessor<number>('byteOffset');
  const byteLength = accessor<number>('byteLength');
  const { at, set } = prototype;
  return {
    kindOf: (value: unknown) => tag.call(value),
    lengthOf: (array: NumberArray) => length.call(array),
    bufferOf: (array: NumberArray) => buffer.call(array),
    offsetOf: (array: NumberArray) => byteOffset.call(array),
    sizeOf: (array: NumberArray) => byteLength.call(array),
    at: (array: NumberArray, index: number): number | bigint | undefined => at.call(array, index),
    set: (target: NumberArray, source: NumberArray, start: number): void =>
      set.call(target, source, start),
  };
}

const taken = accessors();

/** The name of a typed array's kind, such as `'Float32Array'`; `undefined` for everything else. */
export const kindOf = taken.kindOf;

export const lengthOf = taken.lengthOf;

/**
 * The memory under the array: the same object for arrays that may overlap. Slow to look up, by the
 * measure of a small call.
 */
export const bufferOf = taken.bufferOf;

/** Where in its buffer an array begins, in bytes. */
export const offsetOf = taken.offsetOf;

/** The number of bytes that an array takes. */
export const sizeOf = taken.sizeOf;

/** Writes `source` into `target` from `start` on. */
export let copyInto = taken.set;

/** Has another function do that. */
export function copyWith(copy: typeof copyInto): void {
  copyInto = copy;
}

/**
 * A test whether the memory under the array is gone: its buffer detached, or shrunk so that the
 * array lies outside.
 */
export function isGone(array: NumberArray): boolean {
  if (lengthOf(array) !== 0) return false;
  try {
    taken.at(array, 0);
    return false;
  } catch {
    return true;
  }
}

/** A test whether two arrays with the same buffer have memory in common. */
export function overlap(a: NumberArray, b: NumberArray): boolean {
  const startOfA = offsetOf(a);
  const startOfB = offsetOf(b);
  return startOfA < startOfB + sizeOf(b) && startOfB < startOfA + sizeOf(a);
}

const CONSTRUCTORS = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
  // Not every runtime has it. Where it is missing, no array is of that kind.
  Float16Array: globalThis.Float16Array,
};

type Kind = keyof typeof CONSTRUCTORS;

/** A new array of the kind of `like`. */
export function arrayLike(like: FloatArray, length: number): FloatArray {
  return new CONSTRUCTORS[kindOf(like) as 'Float32Array'](length);
}

/** A view of memory, of the kind of `like`. */
export function viewLike<A extends NumberArray>(
  like: A,
  buffer: ArrayBufferLike,
  offset: number,
  length: number,
): A {
  const Kind = CONSTRUCTORS[kindOf(like) as Kind];
  // As in `part`.
  return new Kind(buffer as ArrayBuffer, offset, length) as A;
}

/** A copy of `count` entries from `start` on, in memory of its own. */
export function copyOf<A extends NumberArray>(array: A, start: number, count: number): A {
  const copy = new CONSTRUCTORS[kindOf(array) as Kind](count) as A;
  copyInto(copy, part(array, start, count), 0);
  return copy;
}

/**
 * A view of `count` entries from `start` on. Unlike `subarray` it never calls a constructor of the
 * caller's.
 */
export function part<A extends NumberArray>(array: A, start: number, count: number): A {
  const Kind = CONSTRUCTORS[kindOf(array) as Kind];
  const offset = offsetOf(array) + start * Kind.BYTES_PER_ELEMENT;
  // The constructors' types want to know which kind of buffer it is; they take both.
  return new Kind(bufferOf(array) as ArrayBuffer, offset, count) as A;
}

/** From this length on, a view and its `set` are quicker than a loop. */
const LONG_RUN = 32;

/** Copies `count` entries from one place to another. */
export function copyRun(
  target: FloatArray,
  to: number,
  source: FloatArray,
  from: number,
  count: number,
): void {
  if (count >= LONG_RUN) {
    copyInto(target, part(source, from, count), to);
  } else {
    for (let i = 0; i < count; i++) target[to + i] = source[from + i] as number;
  }
}

/**
 * A number that no 32-bit integer holds becomes this: never a class, and never the index of those
 * to be ignored.
 */
const NO_CLASS = -(2 ** 31);

/** Copies class indices of a kind into an array of the same length. Makes no BigInt. */
export function copyIndices(target: Int32Array, source: ClassIndices, kind: string): void {
  if (kind === 'BigInt64Array' || kind === 'BigUint64Array')
    narrow(target, source, kind === 'BigInt64Array');
  else if (kind === 'Uint32Array') sign(target, source as Uint32Array);
  else copyInto(target, source, 0);
}

/** `set` would make negative numbers of the largest ones. */
function sign(target: Int32Array, source: Uint32Array): void {
  for (let i = 0; i < target.length; i++) {
    const index = (source[i] as number) | 0;
    target[i] = index < 0 ? NO_CLASS : index;
  }
}

function narrow(target: Int32Array, source: ClassIndices, signed: boolean): void {
  const halves = halvesOf(source);
  // A branch on the kind in the loop would make a call of two classes a tenth longer.
  const sign = signed ? 0 : NO_CLASS;
  for (let i = 0; i < target.length; i++) {
    const low = halves[2 * i] as number;
    const rest = ((halves[2 * i + 1] as number) ^ (low >> 31)) | (low & sign);
    target[i] = rest === 0 ? low : NO_CLASS;
  }
}

/** Copies numbers of a kind into an array of the same length. Makes no BigInt. */
export function copyNumbers(target: FloatArray, source: NumberArray, kind: string): void {
  if (kind === 'BigInt64Array' || kind === 'BigUint64Array')
    widen(target, source, kind === 'BigInt64Array');
  else copyInto(target, source, 0);
}

function widen(target: FloatArray, source: NumberArray, signed: boolean): void {
  const halves = halvesOf(source);
  for (let i = 0; i < target.length; i++) {
    const high = halves[2 * i + 1] as number;
    target[i] = ((halves[2 * i] as number) >>> 0) + (signed ? high : high >>> 0) * 2 ** 32;
  }
}

/**
 * 64-bit integers as pairs of 32-bit ones. WebAssembly runs on little-endian memory, so the low
 * half comes first.
 */
function halvesOf(source: NumberArray): Int32Array {
  return new Int32Array(bufferOf(source), offsetOf(source), 2 * lengthOf(source));
}
