// Typed arrays as the engine knows them. A subclass, an own property or a proxy can make `array.length` or
// `array.subarray` say anything; the accessors taken here read the array's internal slots, in every realm.

import type { ClassIndices, FloatArray } from './types.js';

/** Every kind of array this package takes. */
export type NumberArray = FloatArray | ClassIndices;

const prototype = Object.getPrototypeOf(Uint8Array.prototype);

function accessor<T>(name: 'buffer' | 'byteLength' | 'byteOffset' | 'length' | symbol): (this: unknown) => T {
  const get = Object.getOwnPropertyDescriptor(prototype, name)?.get;
  return get as (this: unknown) => T;
}

const tag = accessor<string | undefined>(Symbol.toStringTag);
const length = accessor<number>('length');
const buffer = accessor<ArrayBufferLike>('buffer');
const byteOffset = accessor<number>('byteOffset');
const byteLength = accessor<number>('byteLength');
const { at, set } = prototype;

/** The name of a typed array's kind, such as `'Float32Array'`; `undefined` for everything else. */
export function kindOf(value: unknown): string | undefined {
  return tag.call(value);
}

export function lengthOf(array: NumberArray): number {
  return length.call(array);
}

/** Whether the memory under the array is gone: its buffer detached, or shrunk so that the array lies outside. */
export function isGone(array: NumberArray): boolean {
  if (lengthOf(array) !== 0) return false;
  try {
    at.call(array, 0);
    return false;
  } catch {
    return true;
  }
}

/** The memory under the array: the same object for arrays that may overlap. Slow to look up, by the measure of a small call. */
export function bufferOf(array: NumberArray): ArrayBufferLike {
  return buffer.call(array);
}

/** Whether two arrays with the same buffer have memory in common. */
export function overlap(a: NumberArray, b: NumberArray): boolean {
  const startOfA = byteOffset.call(a);
  const startOfB = byteOffset.call(b);
  return startOfA < startOfB + byteLength.call(b) && startOfB < startOfA + byteLength.call(a);
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

/** A view of `count` entries from `start` on. Unlike `subarray` it never calls a constructor of the caller's. */
export function part<A extends NumberArray>(array: A, start: number, count: number): A {
  const Kind = CONSTRUCTORS[kindOf(array) as Kind];
  const offset = byteOffset.call(array) + start * Kind.BYTES_PER_ELEMENT;
  // The constructors' types want to know which kind of buffer it is; they take both.
  return new Kind(buffer.call(array) as ArrayBuffer, offset, count) as A;
}

/** The entries of a whole array, or if that is more than `count`, as many from `start` on. */
export function partOrWhole<A extends NumberArray>(array: A, start: number, count: number): A {
  return count === lengthOf(array) ? array : part(array, start, count);
}

/** Writes `source` into `target` from `start` on. */
export function copyInto(target: FloatArray, source: FloatArray, start: number): void {
  set.call(target, source, start);
}

/** From this length on, a view and its `set` are quicker than a loop. */
const LONG_RUN = 32;

/** Copies `count` entries from one place to another. */
export function copyRun(target: FloatArray, to: number, source: FloatArray, from: number, count: number): void {
  if (count >= LONG_RUN) {
    set.call(target, part(source, from, count), to);
  } else {
    for (let i = 0; i < count; i++) target[to + i] = source[from + i] as number;
  }
}

/** What no 32-bit integer holds becomes this: never a class, and never the index of those to be ignored. */
const NO_CLASS = -(2 ** 31);

/** Copies class indices into an array of the same length. Makes no BigInt. */
export function copyIndices(target: Int32Array, source: ClassIndices): void {
  const kind = kindOf(source);
  if (kind === 'BigInt64Array' || kind === 'BigUint64Array') narrow(target, source, kind === 'BigInt64Array');
  else if (kind === 'Uint32Array') sign(target, source as Uint32Array);
  else set.call(target, source);
}

/** `set` would make negative numbers of the largest ones. */
function sign(target: Int32Array, source: Uint32Array): void {
  for (let i = 0; i < target.length; i++) {
    const index = source[i] as number;
    target[i] = index > 0x7fffffff ? NO_CLASS : index;
  }
}

function narrow(target: Int32Array, source: ClassIndices, signed: boolean): void {
  const halves = halvesOf(source);
  for (let i = 0; i < target.length; i++) {
    const low = halves[2 * i] as number;
    const fits = halves[2 * i + 1] === low >> 31 && (signed || low >= 0);
    target[i] = fits ? low : NO_CLASS;
  }
}

/** Copies numbers of any kind into an array of the same length. Makes no BigInt. */
export function copyNumbers(target: FloatArray, source: NumberArray): void {
  const kind = kindOf(source);
  if (kind === 'BigInt64Array' || kind === 'BigUint64Array') widen(target, source, kind === 'BigInt64Array');
  else set.call(target, source);
}

function widen(target: FloatArray, source: NumberArray, signed: boolean): void {
  const halves = halvesOf(source);
  for (let i = 0; i < target.length; i++) {
    const high = halves[2 * i + 1] as number;
    target[i] = ((halves[2 * i] as number) >>> 0) + (signed ? high : high >>> 0) * 2 ** 32;
  }
}

/** 64-bit integers as pairs of 32-bit ones. WebAssembly runs on little-endian memory, so the low half comes first. */
function halvesOf(source: NumberArray): Int32Array {
  return new Int32Array(buffer.call(source), byteOffset.call(source), 2 * lengthOf(source));
}
