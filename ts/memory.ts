// The module's memory, as JavaScript sees it: the areas of the tile, and what has been allocated beside them. It is one
// buffer, which is detached, and another takes its place, whenever the memory grows.

import { bufferOf, type NumberArray, offsetOf, sizeOf } from './arrays.js';
import { load, wasm } from './wasm.js';

let buffer: ArrayBufferLike | undefined;

/** The buffers before, as long as somebody has a view of them. */
const stale = new WeakSet<ArrayBufferLike>();

/** Grows whenever areas may have moved, or views of them gone stale. */
export let epoch = 0;

/** Memory that has been allocated: from where to where. */
interface Block {
  readonly start: number;
  readonly end: number;
}

const blocks: Block[] = [];

/** Has to follow all that may move areas or make the memory grow. */
export function refresh(): void {
  const memory = load();
  if (buffer !== memory.buffer) {
    if (buffer !== undefined) stale.add(buffer);
    buffer = memory.buffer;
  }
  epoch++;
}

/** Makes room in the tile. Returns for how many rows, 0 where the memory cannot be had. */
export function reserve(elementBytes: number, classes: number, extras: number): number {
  load();
  const rows = wasm.reserve(elementBytes, classes, extras);
  refresh();
  return rows;
}

/** The most bytes that can be asked for. */
const MAX_BYTES = 2 ** 31 - 1;

/** Takes memory, filled with zeros. Returns where it begins, at a cache line, or 0 where it cannot be had. */
export function take(bytes: number): number {
  if (bytes > MAX_BYTES) return 0;
  load();
  const start = wasm.allocate(bytes) >>> 0;
  refresh();
  if (start !== 0) blocks.push({ start, end: start + bytes });
  return start;
}

/**
 * Gives memory back. What is allocated next may lie there, so all views of the memory are detached: one that somebody kept
 * must never show another's numbers.
 */
export function giveBack(start: number): void {
  const [block] = blocks.splice(
    blocks.findIndex((block) => block.start === start),
    1,
  ) as [Block];
  wasm.release(start, block.end - start);
  load().grow(0);
  refresh();
}

/** Only buffers of up to so many bytes are remembered: they may be kept alive when their owner has let go of them. */
const SMALL_BUFFER = 64 * 1024;

/**
 * Looks up the buffers of arrays. That takes long, by the measure of a small call, and small calls often have the same arrays
 * as the one before: it remembers the last one.
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

/** Where an array lies in the module's memory, or 0 if it lies elsewhere, as most do, or at its very beginning. */
export function addressOf(array: NumberArray, lookup: BufferLookup): number {
  if (blocks.length === 0) return 0;
  const address = offsetOf(array);
  // Most arrays begin where their buffer does, and no block at 0.
  return address !== 0 && lookup.of(array) === buffer ? address : 0;
}

/** Whether a buffer is the module's memory. */
export function isMemory(found: ArrayBufferLike): boolean {
  return found === buffer;
}

/** Whether an array in the module's memory belongs to what has been allocated. */
export function isAllocated(array: NumberArray): boolean {
  const address = offsetOf(array);
  const end = address + sizeOf(array);
  for (const block of blocks) {
    if (address >= block.start && end <= block.end) return true;
  }
  return false;
}

/** Whether an array was a view of the module's memory before that grew. */
export function isStale(array: NumberArray): boolean {
  return stale.has(bufferOf(array));
}

type View = Float32Array | Float64Array | Int32Array;

type ViewConstructor<A extends View> = new (buffer: ArrayBuffer, address: number, length: number) => A;

/** An area of the memory, with a view of it that is made anew only when its length changes or it has moved. */
export class Area<A extends View> {
  readonly #View: ViewConstructor<A>;
  readonly #locate: () => number;
  #address = 0;
  #view: A | undefined;
  /** Of the view; -1 where there is none that can be used, also where a call ended while one was made. */
  #length = -1;
  #epoch = 0;

  constructor(View: ViewConstructor<A>, locate: () => number) {
    this.#View = View;
    this.#locate = locate;
  }

  /** Where it begins. */
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
