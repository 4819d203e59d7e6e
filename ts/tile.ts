// The data path. The module owns one tile of memory; a batch goes through it in as many steps as it takes: rows are
// copied in, a kernel runs on them, and what it leaves in place of the logits is copied out. Nothing here allocates as
// long as the shape of the calls stays the same.

import { copyInto, isWide, lengthOf, narrowInto, part } from './arrays.js';
import type { ClassIndices, FloatArray } from './types.js';
import { invalidTarget } from './validate.js';
import * as wasm from './wasm.js';

/** What a kernel is asked for beside the running total, as bits. */
const VALUES = 1;
const GRADIENT = 2;

/**
 * Runs a loss over the rows now in the tile; `scale` is a factor of the gradient. Returns the first row whose target is
 * not a class, or -1.
 */
export type Kernel<Loss> = (
  loss: Loss,
  tile: Tile,
  rows: number,
  classes: number,
  scale: number,
  mode: number,
  continues: boolean,
) => number;

/** Where the areas of the tile are. Both element kinds use the same memory. */
let areas = {
  buffer: new ArrayBuffer(0),
  logits: 0,
  targets: 0,
  values: 0,
  alpha: 0,
  total: new Float64Array(1),
};

/** Looks the areas up again after the module may have moved them. Views of the areas before are stale then. */
function locate(buffer: ArrayBuffer): void {
  areas = {
    buffer,
    logits: wasm.logitsAddress(),
    targets: wasm.targetsAddress(),
    values: wasm.valuesAddress(),
    alpha: wasm.alphaAddress(),
    total: new Float64Array(buffer, wasm.totalAddress(), 1),
  };
}

/** The tile as one kind of float array sees it. */
export class Tile {
  readonly elementBytes: 4 | 8;
  readonly #Float: Float32ArrayConstructor | Float64ArrayConstructor;

  // The shape it is set up for: rows of so many classes, and how many of them fit.
  #classes = 0;
  #capacity = 0;

  // Views of the areas, exactly as long as the rows in the tile. Kept, because the next call likely has the same shape.
  #areas = areas;
  #logits: FloatArray;
  #values: FloatArray;
  #targets = new Int32Array(0);

  constructor(Float: Float32ArrayConstructor | Float64ArrayConstructor) {
    this.elementBytes = Float.BYTES_PER_ELEMENT as 4 | 8;
    this.#Float = Float;
    this.#logits = new Float(0);
    this.#values = new Float(0);
  }

  /** A new array of this kind. */
  array(length: number): FloatArray {
    return new this.#Float(length);
  }

  /** Makes room for rows of `classes` logits. Returns how many fit at once. */
  reserve(classes: number): number {
    if (classes !== this.#classes) {
      const memory = wasm.load();
      const capacity = wasm.reserve(this.elementBytes, classes);
      locate(memory.buffer);
      if (capacity === 0) throw new RangeError(`not enough memory for rows of ${classes} classes`);
      this.#classes = classes;
      this.#capacity = capacity;
    }
    return this.#capacity;
  }

  /** Throws when a target is not a class. Overwrites the targets in the tile. */
  checkTargets(targets: ClassIndices, classes: number): void {
    const rows = lengthOf(targets);
    const capacity = wasm.targetsCapacity();
    for (let start = 0; start < rows; start += capacity) {
      const count = Math.min(capacity, rows - start);
      const area = new Int32Array(areas.buffer, areas.targets, count);
      loadTargets(area, part(targets, start, count));
      const row = wasm.findInvalidTarget(count, classes);
      if (row !== -1) throw invalidTarget(targets, start + row, classes);
    }
  }

  /** Puts one weight per class where the kernels look for them. */
  loadAlpha(alpha: readonly number[]): void {
    new this.#Float(areas.buffer, areas.alpha, alpha.length).set(alpha);
  }

  /**
   * Runs a kernel over all rows, at least one, of a batch that {@link reserve} has made room for. Fills `values` and
   * `grad` where they are given. Returns the sum of the per-row values.
   */
  run<Loss>(
    kernel: Kernel<Loss>,
    loss: Loss,
    logits: FloatArray,
    targets: ClassIndices,
    rows: number,
    scale: number,
    values: FloatArray | undefined,
    grad: FloatArray | undefined,
  ): number {
    const classes = this.#classes;
    const mode = (values === undefined ? 0 : VALUES) | (grad === undefined ? 0 : GRADIENT);
    for (let start = 0; start < rows; start += this.#capacity) {
      const count = Math.min(this.#capacity, rows - start);
      const whole = count === rows;
      this.#view(count, count * classes);
      this.#logits.set(whole ? logits : part(logits, start * classes, count * classes));
      loadTargets(this.#targets, whole ? targets : part(targets, start, count));
      const row = kernel(loss, this, count, classes, scale, mode, start !== 0);
      if (row !== -1) throw invalidTarget(targets, start + row, classes);
      if (grad !== undefined) copyInto(grad, this.#logits, start * classes);
      if (values !== undefined) copyInto(values, this.#values, start);
    }
    return areas.total[0] as number;
  }

  #view(rows: number, size: number): void {
    if (this.#targets.length === rows && this.#logits.length === size && this.#areas === areas) return;
    this.#logits = new this.#Float(areas.buffer, areas.logits, size);
    this.#values = new this.#Float(areas.buffer, areas.values, rows);
    this.#targets = new Int32Array(areas.buffer, areas.targets, rows);
    this.#areas = areas;
  }
}

/**
 * Copies targets into an area of the same length. What a 32-bit integer cannot hold becomes negative, so that it is
 * never taken for a class: `set` wraps unsigned 32-bit values from 2 ** 31 on to negative ones, the narrower kinds fit.
 */
function loadTargets(area: Int32Array, targets: ClassIndices): void {
  if (isWide(targets)) narrowInto(area, targets);
  else area.set(targets);
}

const float32 = new Tile(Float32Array);
const float64 = new Tile(Float64Array);

/** The tile for logits of so many bytes each. */
export function tileOf(elementBytes: 4 | 8): Tile {
  return elementBytes === 4 ? float32 : float64;
}
