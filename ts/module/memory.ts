// The module's memory, as JavaScript sees it: the areas of the tile, and what has been allocated
// beside them. It is one buffer, which is detached, and another takes its place, whenever the
// memory grows.

import { bufferOf, type NumberArray, offsetOf, sizeOf } from '../arrays/typed-arrays.js';
import { freeStart, load, wasm } from './instance.js';

let buffer: ArrayBufferLike | undefined;

/** The buffers before, as long as somebody has a view of them. */
const stale = new WeakSet<ArrayBufferLike>();

/** Grows whenever areas may have moved, or views of them gone stale. */
export let epoch = 0;

/** Memory that somebody has: from where to where. */
export interface Block {
  readonly start: number;
  readonly end: number;
}

// The books of the memory: nobody else takes or frees any of it. A change of them is one
// assignment, so that a call which ends in the middle leaves them as they were.
let allocated: readonly Block[] = [];
let tile: Block = { start: 0, end: 0 };

/** Has to follow all that may move areas or make the memory grow. */
export function refresh(): void {
  const memory = load();
  if (buffer !== memory.buffer) {
    if (buffer !== undefined) stale.add(buffer);
    buffer = memory.buffer;
  }
  epoch++;
}

/** The alignment of blocks: a cache line. */
const LINE = 64;

const PAGE = 2 ** 16;

/** The most bytes that can be asked for. */
export const MAX_BYTES = 2 ** 31 - 1;

/**
 * The lowest address of so many bytes beside blocks, in memory that is new if need be; 0 where they
 * cannot be had.
 */
function find(bytes: number, taken: readonly Block[]): number {
  const memory = load();
  let start = freeStart;
  for (const block of [...taken].sort((a, b) => a.start - b.start)) {
    if (block.start >= start + bytes) break;
    if (block.end > start) start = Math.ceil(block.end / LINE) * LINE;
  }
  const pages = Math.ceil((start + bytes - memory.buffer.byteLength) / PAGE);
  if (bytes > MAX_BYTES || (pages > 0 && wasm.grow(pages) === -1)) return 0;
  refresh();
  return start;
}

/**
 * Makes room in the tile, beside that for all shapes before, or if `anew` is 1 for this one alone.
 * Returns for how many rows, 0 where the memory cannot be had.
 */
export function reserve(
  elementBytes: number,
  classes: number,
  extras: number,
  anew: 0 | 1,
): number {
  load();
  const bytes = wasm.tile_bytes(elementBytes, classes, extras, anew) >>> 0;
  if (bytes === 0) return 0;
  // The tile's content need not be kept: it may find room where it is.
  const start = anew === 0 && bytes <= tile.end - tile.start ? tile.start : find(bytes, allocated);
  if (start === 0) return 0;
  tile = { start, end: start + bytes };
  const rows = wasm.lay_out(start, elementBytes, classes, extras, anew);
  refresh();
  return rows;
}

/**
 * Room for so many bytes, the first of them zeros, all unless that is said, which nobody has before
 * it is {@link keep | kept}; undefined where there is none.
 */
export function room(bytes: number, zeros = bytes): Block | undefined {
  const start = find(bytes, [...allocated, tile]);
  if (start === 0) return undefined;
  new Uint8Array(buffer as ArrayBuffer, start, zeros).fill(0);
  return { start, end: start + bytes };
}

/** Takes what is room so far. */
export function keep(block: Block): void {
  allocated = [...allocated, block];
}

/** A test whether somebody has a block. */
export function isKept(block: Block): boolean {
  return allocated.includes(block);
}

/**
 * Gives memory back. What is allocated next may lie there, so all views of the memory are detached
 * before: one that somebody kept must never show another's numbers.
 */
export function giveBack(block: Block): void {
  load().grow(0);
  refresh();
  allocated = allocated.filter((other) => other !== block);
}

/**
 * Only buffers of up to so many bytes are remembered: they may be kept alive when their owner has
 * let go of them.
 */
const SMALL_BUFFER = 64 * 1024;

/**
 * Looks up the buffers of arrays. That takes long, by the measure of a small call, and small calls
 * often have the same arrays as the one before: it remembers the last one.
 */
export class BufferLookup {
  #array: NumberArray | undefined;
  #buffer: ArrayBufferLike | undefined;

  of(array: NumberArray): ArrayBufferLike {
    if (array === this.#array) return this.#buffer as ArrayBufferLike;
    const found = bufferOf(array);
    if (found === buffer || found.byteLength <= SMALL_BUFFER) {
      // Also where a call ends between these lines, no array has another's buffer.
      this.#array = undefined;
      this.#buffer = found;
      this.#array = array;
    }
    return found;
  }
}

/**
 * Where an array lies in the module's memory, or 0 if it lies elsewhere, as most do, or at its very
 * beginning.
 */
export function addressOf(array: NumberArray, lookup: BufferLookup): number {
  if (allocated.length === 0) return 0;
  const address = offsetOf(array);
  // Most arrays begin where their buffer does, and no block at 0.
  return address !== 0 && lookup.of(array) === buffer ? address : 0;
}

/** A test whether a buffer is the module's memory. */
export function isMemory(found: ArrayBufferLike): boolean {
  return found === buffer;
}

/** A test whether an array in the module's memory belongs to what has been allocated. */
export function isAllocated(array: NumberArray): boolean {
  const address = offsetOf(array);
  const end = address + sizeOf(array);
  for (const block of allocated) {
    if (address >= block.start && end <= block.end) return true;
  }
  return false;
}

/** A test whether an array was a view of the module's memory before that grew. */
export function isStale(array: NumberArray): boolean {
  return stale.has(bufferOf(array));
}

type View = Float32Array | Float64Array | Int32Array;

type ViewConstructor<A extends View> = new (
  buffer: ArrayBuffer,
  address: number,
  length: number,
) => A;

/**
 * An area of the memory, with a view of it that is made anew only when its length changes or it has
 * moved.
 */
export class Area<A extends View> {
  readonly #View: ViewConstructor<A>;
  readonly #locate: () => number;
  #address = 0;
  #view: A | undefined;
  /**
   * The length of the view; -1 where there is none that can be used, also where a call ended while
   * one was made.
   */
  #length = -1;
  #epoch = 0;

  constructor(View: ViewConstructor<A>, locate: () => number) {
    this.#View = View;
    this.#locate = locate;
  }

  /** The place where it begins. */
  get address(): number {
    if (this.#epoch !== epoch) this.#follow();
    return this.#address;
  }

  /** The first `length` entries. */
  view(length: number): A {
    if (this.#epoch !== epoch) this.#follow();
    if (this.#length !== length) {
      this.#length = -1;
      this.#view = new this.#View(buffer as ArrayBuffer, this.#address, length);
      this.#length = length;
    }
    return this.#view as A;
  }

  #follow(): void {
    const address = this.#locate() >>> 0;
    if (address !== this.#address || this.#view?.buffer !== buffer) this.#length = -1;
    this.#address = address;
    this.#epoch = epoch;
  }
}
