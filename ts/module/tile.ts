// The memory through which rows go to the kernels. The module owns one tile: an area for logits,
// which the kernels overwrite with gradients, and areas for what goes with the rows and with the
// classes. Both element kinds use the same.

import { kindOf, lengthOf } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import {
  ALPHA_PER_CLASS,
  AREA_GAMMAS,
  AREA_LOGITS,
  AREA_NUMBERS,
  AREA_POSITIVE_WEIGHTS,
  AREA_PROBABILITIES,
  AREA_ROW_SCALES,
  AREA_ROW_WEIGHTS,
  AREA_STAGE,
  AREA_TARGETS,
  AREA_TOTALS,
  AREA_VALUES,
  AREA_WEIGHTS,
  FLOAT64,
  GAMMA_PER_CLASS,
  NUMBER_ALPHA_ONE,
  NUMBER_ALPHA_OTHER,
  NUMBER_DENOMINATOR,
  NUMBER_IGNORED,
  NUMBER_LABEL_SMOOTHING,
  NUMBER_POSITIVE_WEIGHT,
  NUMBER_UPSTREAM,
  POS_WEIGHT_PER_COLUMN,
  TOTAL_WEIGHTS,
} from './abi.js';
import { type Kernels, takeKernels, wasm } from './instance.js';
import { Area, reserve } from './memory.js';

/** The place of an area, by its number. */
const area = (number: number) => () => wasm.area_address(number);

/** Class indices, one per row. */
export const targetsArea = new Area(Int32Array, area(AREA_TARGETS));

/**
 * The areas that hold one number per class, or per column, and the bits that tell the kernels to
 * look there.
 */
export const PER_CLASS_FLAGS = {
  alpha: ALPHA_PER_CLASS,
  columnAlphas: ALPHA_PER_CLASS,
  gammas: GAMMA_PER_CLASS,
  posWeights: POS_WEIGHT_PER_COLUMN,
};

export type PerClassArea = keyof typeof PER_CLASS_FLAGS;

const gammasArea = new Area(Float64Array, area(AREA_GAMMAS));
const columnAlphasArea = new Area(Float64Array, area(AREA_WEIGHTS));
const posWeightsArea = new Area(Float64Array, area(AREA_POSITIVE_WEIGHTS));
const numbersArea = new Area(Float64Array, area(AREA_NUMBERS));

/** The numbers of a loss by their places, of which those left out do nothing to it. */
export type LossNumbers = Readonly<Record<number, number>>;

/** The numbers of a loss, as the kernels take them. */
export function kernelNumbers(
  numbers: LossNumbers,
  labelSmoothing: number,
  ignoreIndex = 0,
): Float64Array {
  const record = new Float64Array(NUMBER_UPSTREAM);
  // A factor does nothing where it is 1, and all others where they are 0.
  record[NUMBER_ALPHA_OTHER] = record[NUMBER_ALPHA_ONE] = record[NUMBER_POSITIVE_WEIGHT] = 1;
  for (let place = 0; place < NUMBER_UPSTREAM; place++)
    record[place] = numbers[place] ?? (record[place] as number);
  record[NUMBER_LABEL_SMOOTHING] = labelSmoothing;
  record[NUMBER_IGNORED] = ignoreIndex;
  return record;
}

/** The numbers of a loss that stand where the kernels look for them. */
let loaded: Float64Array | undefined;

/**
 * Puts the numbers of a loss, and what the factor of its gradient is made of, where the kernels
 * look for them: handed over, they might cost an allocation.
 */
export function loadNumbers(numbers: Float64Array, gradOutput: number, denominator: number): void {
  const view = numbersArea.view(NUMBER_DENOMINATOR + 1);
  if (numbers !== loaded) {
    // A call that ends in here leaves them unknown.
    loaded = undefined;
    for (let i = 0; i < NUMBER_UPSTREAM; i++) view[i] = numbers[i] as number;
    loaded = numbers;
  }
  view[NUMBER_UPSTREAM] = gradOutput;
  view[NUMBER_DENOMINATOR] = denominator;
}

/** The smallest normal number of float32. */
const SMALLEST = 2 ** -126;

/** The largest number of float32 that leaves room for products. */
const LARGEST = 2 ** 118;

/**
 * A test whether float32 has no number for one of float64, or one of few digits, or one so near to
 * its end that a product with it might leave float32: because it is too large or too small. The
 * number is a quotient, taken here: engines may allocate a fraction that they pass to a function.
 */
export function leavesFloat32(x: number, divisor = 1): boolean {
  const size = Math.abs(x / divisor);
  return !(size === 0 || (size >= SMALLEST && size <= LARGEST));
}

/**
 * A test whether what is divided by a denominator is sure to stay in float32, by itself and with
 * the {@link heaviness}. Most are, which small calls must not divide anything to see.
 */
export function staysInFloat32(denominator: number): boolean {
  return denominator >= 1 && denominator <= LARGEST && (heaviness[0] as number) <= LARGEST;
}

/**
 * A test whether the factor of gradients leaves float32, also with the {@link heaviness}.
 */
export function factorLeavesFloat32(gradOutput: number, denominator: number): boolean {
  const factor = Math.abs(gradOutput / denominator) * (heaviness[0] as number);
  return factor > LARGEST || leavesFloat32(gradOutput, denominator);
}

/**
 * A test whether one of the numbers of a loss leaves float32, or what is smoothed, spread over the
 * classes.
 */
export function needsFloat64(
  smoothed: number,
  numbers: readonly (number | readonly number[] | null)[],
): boolean {
  // There are fewer classes than that.
  return (
    leavesFloat32(smoothed / 2 ** 31) || numbers.flat().some((x) => x !== null && leavesFloat32(x))
  );
}

/**
 * The most that values of a batch are multiplied with, and the least, but for 0. Engines may
 * allocate fractions that they pass to functions; these lie here instead.
 */
export const heaviness = new Float64Array(2);

/**
 * A test whether one of the factors of gradients leaves float32, or with the {@link heaviness} is
 * beyond it.
 */
export function someLeaveFloat32(factors: FloatArray): boolean {
  const most = heaviness[0] as number;
  // A number of the type leaves it by no factor of 1 or less.
  if (most <= 1 && kindOf(factors) !== 'Float64Array') return false;
  const count = lengthOf(factors);
  const limit = LARGEST / Math.max(most, 1);
  for (let i = 0; i < count; i++) {
    const size = Math.abs(factors[i] as number);
    if (size > limit || (size < SMALLEST && size !== 0)) return true;
  }
  return false;
}

const totalsArea = new Area(Float64Array, area(AREA_TOTALS));

/** The running numbers of a batch. */
export function totals(): Float64Array {
  return totalsArea.view(TOTAL_WEIGHTS + 1);
}

type Float = Float32Array | Float64Array;
type FloatConstructor = Float32ArrayConstructor | Float64ArrayConstructor;

/** The tile as one kind of float array sees it. */
export class Tile {
  /** The kind of its arrays. */
  readonly kind: 'Float32Array' | 'Float64Array';
  readonly elementBytes: 4 | 8;
  /** The flags that tell the kernels of it. */
  readonly flags: number;
  readonly logits: Area<Float>;
  /**
   * Logits, or probabilities, class by class: on the way from or to memory that has the classes
   * first.
   */
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
  /** One alpha per column. */
  readonly columnAlphas = columnAlphasArea;
  /** One exponent per class. */
  readonly gammas = gammasArea;
  /** One weight of the positive term per column. */
  readonly posWeights = posWeightsArea;

  /** The kernels that work on such arrays, once the module has been started. */
  kernels: Kernels = undefined as unknown as Kernels;

  // The shape it is set up for: rows of so many classes, with what, and how many of them fit. There
  // is none while there are no classes.
  #classes = 0;
  #extras = 0;
  #capacity = 0;

  constructor(kind: 'Float32Array' | 'Float64Array', Float: FloatConstructor) {
    const areaOf = (number: number) => new Area<Float>(Float, area(number));
    this.kind = kind;
    this.elementBytes = Float.BYTES_PER_ELEMENT as 4 | 8;
    this.flags = this.elementBytes === 8 ? FLOAT64 : 0;
    this.logits = areaOf(AREA_LOGITS);
    this.stage = areaOf(AREA_STAGE);
    this.soft = areaOf(AREA_PROBABILITIES);
    this.values = areaOf(AREA_VALUES);
    this.rowWeights = areaOf(AREA_ROW_WEIGHTS);
    this.rowScales = areaOf(AREA_ROW_SCALES);
    this.alpha = areaOf(AREA_WEIGHTS);
  }

  /**
   * Makes room for rows of `classes` logits, and for the extras. Returns how many fit at once: a
   * multiple of 4.
   */
  reserve(classes: number, extras: number): number {
    if (classes !== this.#classes || extras !== this.#extras) this.#reserveBeside(classes, extras);
    return this.#capacity;
  }

  /** Makes room beside that for the shapes before. */
  #reserveBeside(classes: number, extras: number): void {
    this.forgetShape();
    const capacity = reserve(this.elementBytes, classes, extras, 0);
    if (capacity === 0) this.reserveAnew(classes, extras);
    else this.#set(classes, extras, capacity);
  }

  /** Makes room for such rows alone: the tile is no larger than they need. */
  reserveAnew(classes: number, extras: number): void {
    forgetShapes();
    const capacity = reserve(this.elementBytes, classes, extras, 1);
    if (capacity === 0) throw new RangeError(`not enough memory for rows of ${classes} classes`);
    this.#set(classes, extras, capacity);
  }

  #set(classes: number, extras: number, capacity: number): void {
    this.kernels ??= takeKernels();
    this.#extras = extras;
    this.#capacity = capacity;
    this.#classes = classes;
  }

  /** Has room made anew, when some is asked for again. */
  forgetShape(): void {
    this.#classes = 0;
  }
}

const float32 = new Tile('Float32Array', Float32Array);
const float64 = new Tile('Float64Array', Float64Array);

/**
 * Has both tiles make their room again, when some is asked for: it is no longer sure to be there.
 */
export function forgetShapes(): void {
  float32.forgetShape();
  float64.forgetShape();
}

/** The tile for logits of a kind. Half precision is computed in float32. */
export function tileOf(kind: string): Tile {
  return kind === 'Float64Array' ? float64 : float32;
}
