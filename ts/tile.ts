// The memory through which rows go to the kernels. The module owns one tile: an area for logits, which the kernels
// overwrite with gradients, and areas for what goes with the rows and with the classes. Both element kinds use the same.

import type { NumberArray } from './arrays.js';
import { kindOf } from './arrays.js';
import * as wasm from './wasm.js';

let memory: WebAssembly.Memory | undefined;

/** Grows whenever areas may have moved. Views of the areas before are stale then. */
let epoch = 0;

type View = Float32Array | Float64Array | Int32Array;

/** An area of the tile, as a view that is made anew only when its length changes or the area has moved. */
export class Area<A extends View> {
  readonly #View: new (
    buffer: ArrayBuffer,
    address: number,
    length: number,
  ) => A;
  readonly #address: () => number;
  #view: A;
  #epoch = 0;

  constructor(View: new (buffer: ArrayBuffer, address: number, length: number) => A, address: () => number) {
    this.#View = View;
    this.#address = address;
    this.#view = new View(new ArrayBuffer(0), 0, 0);
  }

  /** The first `length` entries. */
  view(length: number): A {
    if (this.#view.length !== length || this.#epoch !== epoch) {
      this.#view = new this.#View((memory as WebAssembly.Memory).buffer as ArrayBuffer, this.#address(), length);
      this.#epoch = epoch;
    }
    return this.#view;
  }
}

/** Class indices, one per row. */
export const targetsArea = new Area(Int32Array, wasm.targetsAddress);
/** One exponent per class. */
export const gammasArea = new Area(Float64Array, wasm.gammasAddress);

const totalsArea = new Area(Float64Array, wasm.totalAddress);

/** The sum of the values of all rows since the last tile that did not continue another. */
export function total(): number {
  return totalsArea.view(3)[0] as number;
}

/** How many of the targets looked over count: those that are not to be ignored. */
export function counted(): number {
  return totalsArea.view(3)[1] as number;
}

/** The weights of the targets that count, added up. */
export function countedWeight(): number {
  return totalsArea.view(3)[2] as number;
}

type Float = Float32Array | Float64Array;
type FloatConstructor = Float32ArrayConstructor | Float64ArrayConstructor;

/** The tile as one kind of float array sees it. */
export class Tile {
  readonly elementBytes: 4 | 8;
  readonly logits: Area<Float>;
  /** Logits, or probabilities, class by class: on the way from or to memory that has the classes first. */
  readonly stage: Area<Float>;
  /** Probabilities. */
  readonly soft: Area<Float>;
  /** One value per row. */
  readonly values: Area<Float>;
  /** One weight per row. */
  readonly rowWeights: Area<Float>;
  /** One factor of the gradient per row. */
  readonly rowScales: Area<Float>;
  /** One weight per class. */
  readonly alpha: Area<Float>;
  /** One weight of the positive term per column. */
  readonly posWeights: Area<Float>;

  // The shape it is set up for: rows of so many classes, with what, and how many of them fit.
  #classes = 0;
  #extras = 0;
  #capacity = 0;

  constructor(Float: FloatConstructor) {
    const area = (address: () => number) => new Area<Float>(Float, address);
    this.elementBytes = Float.BYTES_PER_ELEMENT as 4 | 8;
    this.logits = area(wasm.logitsAddress);
    this.stage = area(wasm.stageAddress);
    this.soft = area(wasm.softAddress);
    this.values = area(wasm.valuesAddress);
    this.rowWeights = area(wasm.rowWeightsAddress);
    this.rowScales = area(wasm.rowScalesAddress);
    this.alpha = area(wasm.alphaAddress);
    this.posWeights = area(wasm.posWeightsAddress);
  }

  /** Makes room for rows of `classes` logits, and for the extras. Returns how many fit at once: a multiple of 4. */
  reserve(classes: number, extras: number): number {
    if (classes !== this.#classes || extras !== this.#extras) {
      memory = wasm.load();
      const capacity = wasm.reserve(this.elementBytes, classes, extras);
      epoch++;
      if (capacity === 0) throw new RangeError(`not enough memory for rows of ${classes} classes`);
      this.#classes = classes;
      this.#extras = extras;
      this.#capacity = capacity;
    }
    return this.#capacity;
  }
}

const float32 = new Tile(Float32Array);
const float64 = new Tile(Float64Array);

/** The tile for such logits. Half precision is computed in float32. */
export function tileOf(logits: NumberArray): Tile {
  return kindOf(logits) === 'Float64Array' ? float64 : float32;
}
