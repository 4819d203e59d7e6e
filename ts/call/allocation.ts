import { define } from '../arrays/own.js';
import { ELEMENTS, PROBABILITIES, STAGE } from '../module/abi.js';
import { enter, leave } from '../module/gate.js';
import { Area, type Block, giveBack, isKept, keep, MAX_BYTES, room } from '../module/memory.js';
import { tileOf } from '../module/tile.js';
import { checkAllocation, noMemory } from './checks.js';

/** `[Symbol.dispose]()`, where the runtime's types know it, and otherwise nothing. */
export type Disposer = SymbolConstructor extends { readonly dispose: infer S extends symbol }
  ? Record<S, () => void>
  : unknown;

/** The result of {@link allocate}. */
export interface ResidentArrays<A extends Float32Array | Float64Array> {
  /** Number of rows. */
  readonly rows: number;
  /** Number of classes. */
  readonly classes: number;
  /** `[rows, classes]`, row-major. */
  readonly logits: A;
  /** `[rows]`. */
  readonly targets: Int32Array<ArrayBuffer>;
  /** `[rows, classes]`. */
  readonly grad: A;
  /** Gives the memory back. The arrays are gone then; nothing happens if they already are. */
  dispose(): void;
}

/** Arrays inside the WebAssembly module's memory, and what they take back: see {@link allocate}. */
export type Allocation<A extends Float32Array | Float64Array> = ResidentArrays<A> & Disposer;

/** The logits, the gradient and the targets begin at a cache line each. */
const LINE = 64;

/** Everything that {@link ResidentArrays} names. */
class Resident<A extends Float32Array | Float64Array> implements ResidentArrays<A> {
  readonly rows: number;
  readonly classes: number;
  readonly #logits: Area<A>;
  readonly #grad: Area<A>;
  readonly #targets: Area<Int32Array<ArrayBuffer>>;
  readonly #block: Block;

  /**
   * `size` is how many bytes the logits take of the block, and then the gradient, before the
   * targets.
   */
  constructor(
    rows: number,
    classes: number,
    Float: new (buffer: ArrayBuffer, address: number, length: number) => A,
    block: Block,
    size: number,
  ) {
    this.rows = rows;
    this.classes = classes;
    this.#block = block;
    this.#logits = new Area(Float, () => block.start);
    this.#grad = new Area(Float, () => block.start + size);
    this.#targets = new Area(Int32Array, () => block.start + 2 * size);
    // Not every runtime has the symbol, nor do the types of all that have it.
    const { dispose } = Symbol as { readonly dispose?: symbol };
    if (dispose !== undefined) define(this, dispose, this.dispose);
  }

  get logits(): A {
    return this.#view(this.#logits, this.rows * this.classes);
  }

  get targets(): Int32Array<ArrayBuffer> {
    return this.#view(this.#targets, this.rows);
  }

  get grad(): A {
    return this.#view(this.#grad, this.rows * this.classes);
  }

  dispose(): void {
    if (!isKept(this.#block)) return;
    enter();
    giveBack(this.#block);
    leave();
  }

  #view<V extends A | Int32Array<ArrayBuffer>>(area: Area<V>, length: number): V {
    if (!isKept(this.#block))
      throw new TypeError('the allocation has been disposed of: its arrays are gone');
    enter();
    const view = area.view(length);
    leave();
    return view;
  }
}

/**
 * Makes arrays for a batch in the memory of the WebAssembly module, filled with zeros. The losses
 * work on them in place, which saves the time of copying: fill `logits` and `targets`, and let the
 * gradient go to `grad`. The results are the same, to the bit. Parts of them, such as
 * `batch.logits.subarray(0, 20)`, serve as well, and so do mixtures with ordinary arrays, which are
 * copied. Copied as well are logits of a layout with the classes first.
 *
 * The memory is not freed before `dispose` is called, or the end of a block with `using`. When it
 * grows, for another allocation or for very long rows, and when any allocation is disposed of, all
 * arrays that were taken from allocations before are detached: their length is 0, and a loss throws
 * a TypeError for them. The properties give new ones, of the same contents: read them where they
 * are needed rather than keep what they gave.
 *
 * @param rows - Number of rows, 1 or more.
 * @param classes - Number of classes, 2 or more; 1 will do for a {@link SigmoidFocalLoss}.
 * @param dtype - The kind of logits and gradient, `'float32'` unless it is given. There is no
 *   resident half precision.
 * @throws RangeError where there is not enough memory.
 *
 * @example
 * ```ts
 * import { allocate, FocalLoss } from 'focal-loss';
 *
 * const criterion = new FocalLoss();
 * const batch = allocate(2, 3);
 * batch.logits.set([1, 0, 0, 0, 2, 0]);
 * batch.targets.set([0, 2]);
 * const { value, grad } = criterion.valueAndGrad(batch.logits, batch.targets, {
 *   grad: batch.grad,
 * });
 * value; // => 0.7076165
 * grad === batch.grad; // => true
 * batch.dispose();
 * ```
 */
export function allocate(
  rows: number,
  classes: number,
  dtype?: 'float32',
): Allocation<Float32Array<ArrayBuffer>>;
export function allocate(
  rows: number,
  classes: number,
  dtype: 'float64',
): Allocation<Float64Array<ArrayBuffer>>;
export function allocate(
  rows: number,
  classes: number,
  dtype?: 'float32' | 'float64',
): Allocation<Float32Array<ArrayBuffer>> | Allocation<Float64Array<ArrayBuffer>>;
export function allocate(
  rows: number,
  classes: number,
  dtype: 'float32' | 'float64' = 'float32',
): ResidentArrays<Float32Array<ArrayBuffer>> | ResidentArrays<Float64Array<ArrayBuffer>> {
  checkAllocation(rows, classes, dtype);
  const tile = tileOf(dtype === 'float32' ? 'Float32Array' : 'Float64Array');
  const size = Math.ceil((rows * classes * tile.elementBytes) / LINE) * LINE;
  const bytes = 2 * size + rows * Int32Array.BYTES_PER_ELEMENT;
  if (bytes > MAX_BYTES) throw noMemory(rows, classes);
  enter();
  // All that a loss may need for such rows, so that the memory does not grow when it is computed.
  const extras = PROBABILITIES | STAGE | ELEMENTS;
  tile.reserve(classes, extras);
  let block = room(bytes);
  if (block === undefined) {
    // Rows of other calls may have made the tile large.
    tile.reserveAnew(classes, extras);
    block = room(bytes);
  }
  if (block === undefined) throw noMemory(rows, classes);
  const batch =
    tile.elementBytes === 4
      ? new Resident(rows, classes, Float32Array, block, size)
      : new Resident(rows, classes, Float64Array, block, size);
  leave();
  // The last of it: nothing can end the call before its caller has the block to give it back.
  keep(block);
  return batch;
}
