// Shared memory through which ordinary arrays reach the workers, and results come back.

import {
  bufferOf,
  copyInto,
  lengthOf,
  type NumberArray,
  part,
  sizeOf,
  viewLike,
} from '../arrays/typed-arrays.js';

/** The alignment of arrays: a cache line. */
const LINE = 64;

const rounded = (bytes: number) => Math.ceil(bytes / LINE) * LINE;

/** A test whether an array lies in memory that workers can share. */
export function isOnShared(array: NumberArray): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && bufferOf(array) instanceof SharedArrayBuffer;
}

/** The room that a copy of an array, or another of its size, takes. */
export function roomFor(array: NumberArray | undefined): number {
  return array === undefined ? 0 : rounded(sizeOf(array));
}

/** Arrays beside each other in one piece of shared memory. */
export class Staging {
  readonly buffer: SharedArrayBuffer;
  #end = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
  }

  /** An array of the kind of another, of which nobody knows what it holds. */
  make<A extends NumberArray>(like: A, length: number): A {
    const start = this.#end;
    this.#end += rounded((sizeOf(like) / Math.max(lengthOf(like), 1)) * length);
    return viewLike(like, this.buffer, start, length);
  }

  /** The array itself where it is on shared memory, else room for a copy. */
  place<A extends NumberArray | undefined>(array: A): A;
  place(array: NumberArray | undefined): NumberArray | undefined {
    if (array === undefined) return undefined;
    // A plain view of it: the caller's may have been made to say anything.
    return isOnShared(array) ? part(array, 0, lengthOf(array)) : this.make(array, lengthOf(array));
  }

  /** The array itself where it is on shared memory, else a copy. */
  share<A extends NumberArray | undefined>(array: A): A {
    const placed = this.place(array);
    if (array !== undefined && placed !== undefined && !isOnShared(array))
      copyInto(placed, array, 0);
    return placed;
  }
}

/** Shared memory that calls leave behind, for the next ones. */
export class Stock {
  #free: readonly SharedArrayBuffer[] = [];

  /** Memory of so many bytes or more: the smallest piece that there is, else a new one. */
  take(bytes: number): SharedArrayBuffer {
    const fit = this.#free
      .filter(({ byteLength }) => byteLength >= bytes)
      .sort((a, b) => a.byteLength - b.byteLength)[0];
    this.#free = this.#free.filter((buffer) => buffer !== fit);
    // A piece that is too small will hardly be needed again.
    if (fit === undefined) this.#free = this.#free.slice(1);
    return fit ?? new SharedArrayBuffer(bytes);
  }

  giveBack(buffer: SharedArrayBuffer): void {
    this.#free = [...this.#free, buffer].slice(-KEPT);
  }

  /** Lets go of all that is free. */
  clear(): void {
    this.#free = [];
  }
}

/** The pieces that are kept: a call, and another beside it. */
const KEPT = 2;
