// Typed arrays as the engine knows them. A subclass, an own property or a proxy can make `array.length` or
// `array.subarray` say anything; the accessors taken here read the array's internal slots, in every realm.

import type { ClassIndices, FloatArray } from './types.js';

type AnyTypedArray = FloatArray | ClassIndices;

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

export function lengthOf(array: AnyTypedArray): number {
  return length.call(array);
}

/** Whether the memory under the array is gone: its buffer detached, or shrunk so that the array lies outside. */
export function isGone(array: AnyTypedArray): boolean {
  if (lengthOf(array) !== 0) return false;
  try {
    at.call(array, 0);
    return false;
  } catch {
    return true;
  }
}

/** The memory under the array: the same object for arrays that may overlap. Slow to look up, by the measure of a small call. */
export function bufferOf(array: AnyTypedArray): ArrayBufferLike {
  return buffer.call(array);
}

/** Whether two arrays with the same buffer have memory in common. */
export function overlap(a: AnyTypedArray, b: AnyTypedArray): boolean {
  const startOfA = byteOffset.call(a);
  const startOfB = byteOffset.call(b);
  return startOfA < startOfB + byteLength.call(b) && startOfB < startOfA + byteLength.call(a);
}

/** Writes `source` into `target` from `start` on. */
export function copyInto(target: FloatArray, source: FloatArray, start: number): void {
  set.call(target, source, start);
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
};

/** A view of `count` entries from `start` on. Unlike `subarray` it never calls a constructor of the caller's. */
export function part<A extends AnyTypedArray>(array: A, start: number, count: number): A {
  const Kind = CONSTRUCTORS[kindOf(array) as keyof typeof CONSTRUCTORS];
  const offset = byteOffset.call(array) + start * Kind.BYTES_PER_ELEMENT;
  // The constructors' types want to know which kind of buffer it is; they take both.
  return new Kind(buffer.call(array) as ArrayBuffer, offset, count) as A;
}

/** Whether the entries are 64-bit integers. */
export function isWide(array: ClassIndices): array is BigInt64Array | BigUint64Array {
  const kind = kindOf(array);
  return kind === 'BigInt64Array' || kind === 'BigUint64Array';
}

/** Copies 64-bit integers into `target`, those that it cannot hold as -1. Makes no BigInt. */
export function narrowInto(target: Int32Array, source: BigInt64Array | BigUint64Array): void {
  // WebAssembly runs on little-endian memory, so the low half comes first.
  const halves = new Int32Array(buffer.call(source), byteOffset.call(source), 2 * target.length);
  for (let i = 0; i < target.length; i++) {
    target[i] = halves[2 * i + 1] === 0 ? (halves[2 * i] as number) : -1;
  }
}
