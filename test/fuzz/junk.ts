// Arguments that nobody should pass: of the wrong kind, on memory that is gone or comes and goes,
// with code that runs when they are looked at.

import { runInNewContext } from 'node:vm';
import { type Allocation, allocate } from 'focal-loss';
import { type Random, surrounded } from '../property/numbers.js';

/** The error that some of them throw. Whoever calls must get just this. */
export const BOOM = { thrown: 'by the caller' };

export type AnyArray = Float32Array | Float64Array | Int32Array | Uint8Array | BigInt64Array;
export interface ArrayKind {
  new (lengthOrBuffer: number | ArrayBufferLike, offset?: number, length?: number): AnyArray;
  readonly BYTES_PER_ELEMENT: number;
}

const TypedArray = Object.getPrototypeOf(Uint8Array.prototype);

/** The length that an array really has, whatever it says. */
const truth = {
  length: (array: AnyArray) => Reflect.get(TypedArray, 'length', array) as number,
  buffer: (array: AnyArray) => Reflect.get(TypedArray, 'buffer', array) as ArrayBufferLike,
  entries: (array: AnyArray) => Array.from({ length: truth.length(array) }, (_, i) => array[i]),
};

/** TypeScript's library for ES2023 does not know these. */
const Resizable = ArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(length: number): void };
const Growable = SharedArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => SharedArrayBuffer & { grow(length: number): void };

class Lying extends Float32Array {
  override get length(): number {
    return 2 ** 31;
  }
  override get buffer(): ArrayBuffer {
    throw BOOM;
  }
  override get byteOffset(): number {
    return -8;
  }
  override subarray(): never {
    throw BOOM;
  }
  override set(): void {}
  static get [Symbol.species](): never {
    throw BOOM;
  }
}

/** Memory that takes room only where it is written, which it never is. */
const huge = new Uint8Array(2 ** 32 - 2 ** 16);

const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})();

const foreign = runInNewContext(
  '({ floats: new Float32Array(6), error: class extends Error {}, list: [1, 2] })',
);

/**
 * A failure when somebody looks at these is their own fault; it must only not become the
 * module's.
 */
const oddities: readonly unknown[] = [
  undefined,
  null,
  true,
  0,
  -0,
  1,
  2,
  -1,
  0.5,
  1.5,
  NaN,
  Infinity,
  -Infinity,
  2 ** 31,
  2 ** 31 - 1,
  2 ** 32,
  2 ** 53,
  5e-324,
  1e308,
  0n,
  10n ** 30n,
  '',
  '2',
  'mean',
  'grad',
  '__proto__',
  'x'.repeat(1000),
  Symbol('x'),
  Symbol.iterator,
  () => 2,
  class {},
  {},
  [],
  [1, 2],
  [NaN, 0],
  ['1', 2],
  [1n, 2n],
  new Array(2 ** 32 - 1),
  { length: 2 },
  { length: 2 ** 31 - 1 },
  { length: 2 ** 53 },
  { length: -1 },
  { length: '2', 0: 1, 1: 1 },
  { length: 2, 0: { valueOf: () => 1 }, 1: 1 },
  Object.create(null),
  Object.create(Float32Array.prototype),
  Object.create(new Float32Array(6)),
  new Number(2),
  new String('mean'),
  new Date(0),
  new Map(),
  /x/,
  Promise.resolve(),
  new ArrayBuffer(24),
  new SharedArrayBuffer(24),
  new DataView(new ArrayBuffer(24)),
  new Uint8ClampedArray(3),
  new Proxy([1, 2], {}),
  new Proxy(new Float32Array(6), {}),
  new Proxy(() => 1, {}),
  revoked,
  huge,
  foreign,
  foreign.floats,
  foreign.list,
  Float32Array,
  globalThis,
  WebAssembly,
];

/** One call's junk. */
export class Junk {
  readonly random: Random;
  readonly rows: number;
  readonly classes: number;
  /** Every array that the call may be handed. */
  readonly #arrays: AnyArray[] = [];
  /** The contents when the call began. */
  #before: (number | bigint)[][] = [];
  /** Memory that has been taken away meanwhile. */
  readonly #gone = new Set<ArrayBufferLike>();
  readonly #allocations: Allocation<Float64Array>[] = [];
  /** The memory of the module, as it has been over time. */
  readonly #memories = new Set<ArrayBufferLike>();
  /** The deeds of a getter: a call that must succeed. */
  readonly #probe: () => void;

  constructor(random: Random, probe: () => void) {
    this.random = random;
    this.rows = this.below(6);
    this.classes = 2 + this.below(3);
    this.#probe = probe;
  }

  below(n: number): number {
    return Math.floor(n * this.random());
  }

  chance(p: number): boolean {
    return this.random() < p;
  }

  choose<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  /** Anything at all. */
  anything(): unknown {
    switch (this.below(12)) {
      case 0:
        return this.array(Float32Array, this.rows * this.classes);
      case 1:
        return this.disguised({
          [this.choose(['0', '1', 'length', 'grad', 'valueOf'])]: this.choose(oddities),
        });
      case 2:
        return this.coercible();
      case 3:
        return this.list();
      default:
        return this.choose(oddities);
    }
  }

  /** An object that runs code when it is made a number or a text. */
  coercible(): unknown {
    const run = () => {
      this.mischief();
      return this.choose([2, 0.5, 'mean', NaN]);
    };
    return this.choose<object>([
      { valueOf: run },
      { toString: run },
      { [Symbol.toPrimitive]: run },
      {
        toJSON: run,
        get [Symbol.toStringTag]() {
          return String(run());
        },
      },
    ]);
  }

  /** The values that may stand for one number per class. */
  list(): unknown {
    const numbers = Array.from({ length: this.classes + (this.chance(0.1) ? 1 : 0) }, () =>
      this.random(),
    );
    return this.choose<() => unknown>([
      () => numbers,
      () => Float64Array.from(numbers),
      () => ({ ...numbers, length: numbers.length }),
      () => this.disguised({ ...numbers, length: numbers.length }),
      () => this.disguised(numbers),
    ])();
  }

  /** Something that the caller's code may do while it is asked for an option. */
  mischief(): void {
    switch (this.below(8)) {
      case 0:
        throw BOOM;
      case 1:
        this.#probe();
        return;
      case 2:
        for (const batch of this.#allocations) batch.dispose();
        return;
      case 3:
        this.#allocate(1 + this.below(4));
        return;
      case 4: {
        if (this.#arrays.length > 0) this.#takeAway(this.choose(this.#arrays));
        return;
      }
    }
  }

  /** The array's memory is detached, or shrinks, or grows. */
  #takeAway(array: AnyArray): void {
    const buffer = truth.buffer(array);
    const { resizable, growable } = buffer as { resizable?: boolean; growable?: boolean };
    const isGone = this.#gone.has(buffer);
    this.#gone.add(buffer);
    if (resizable) (buffer as InstanceType<typeof Resizable>).resize(this.choose([0, 4, 24, 256]));
    else if (growable) (buffer as InstanceType<typeof Growable>).grow(256);
    // The memory of an allocation cannot be taken away.
    else if (buffer instanceof ArrayBuffer && !isGone && !this.#memories.has(buffer)) {
      structuredClone(buffer, { transfer: [buffer] });
    }
  }

  /** An array of so many entries, or not quite, on any kind of memory. */
  array(Kind: ArrayKind, length: number, entry: () => number = this.random): AnyArray {
    const count = this.chance(0.9) ? length : this.below(12);
    if (this.chance(0.05)) return this.#inModule(Kind, count);
    const array = this.#on(Kind, count);
    for (let i = 0; i < count; i++) {
      if (array instanceof BigInt64Array) array[i] = BigInt(Math.floor(entry()));
      else array[i] = entry();
    }
    this.#arrays.push(array);
    if (this.chance(0.04)) this.#takeAway(array);
    return array;
  }

  /** Somewhere in the module's memory, where no allocation has to be. */
  #inModule(Kind: ArrayKind, count: number): AnyArray {
    const { buffer, byteOffset } = this.#allocate(1).logits;
    return new Kind(
      buffer,
      this.choose([0, 8, 1024, 2 ** 16, byteOffset - 64, byteOffset, byteOffset + 8]),
      count,
    );
  }

  #allocate(rows: number): Allocation<Float64Array> {
    const batch = allocate(rows, this.classes, 'float64');
    this.#allocations.push(batch);
    this.#memories.add(batch.logits.buffer);
    return batch;
  }

  #on(Kind: ArrayKind, count: number): AnyArray {
    const size = Kind.BYTES_PER_ELEMENT;
    const bytes = count * size;
    switch (this.below(12)) {
      case 0:
        return new Kind(new SharedArrayBuffer(bytes));
      case 1:
        return new Kind(new Resizable(bytes, { maxByteLength: 256 + bytes }));
      case 2:
        return new Kind(new Resizable(bytes + 8, { maxByteLength: 256 + bytes }), 8, count);
      case 3:
        return new Kind(new Growable(bytes, { maxByteLength: 256 + bytes }));
      case 4:
        return surrounded(new Kind(count), this.below(4));
      case 5:
        return new Lying(count);
      case 6: {
        // The place of another array of the call.
        const buffer =
          this.#arrays.length > 0
            ? truth.buffer(this.choose(this.#arrays))
            : new ArrayBuffer(bytes);
        const room = Math.floor((buffer.byteLength - bytes) / size);
        return room >= 0 && buffer.byteLength > 0 && buffer.byteLength < 1000
          ? new Kind(buffer, this.below(room + 1) * size, count)
          : new Kind(count);
      }
      case 7: {
        const batch = this.#allocate(this.rows + 12);
        const { buffer, byteOffset } = this.choose([batch.logits, batch.grad]);
        return new Kind(buffer, byteOffset, count);
      }
      default:
        return new Kind(count);
    }
  }

  /** The object, or one that looks like it and runs code when it is looked at. */
  disguised(object: object): object {
    const names = Object.keys(object);
    switch (this.below(8)) {
      case 0:
        for (const name of names) {
          if (!this.chance(0.3)) continue;
          const value = Reflect.get(object, name);
          Object.defineProperty(object, name, {
            enumerable: true,
            configurable: true,
            get: () => this.#changing(value),
          });
        }
        return object;
      case 1:
        return Object.create(object);
      case 2:
        return Object.assign(Object.create(null), object);
      case 3:
        return new Proxy(object, {
          get: (target, name) => this.#changing(Reflect.get(target, name)),
        });
      case 4:
        return new Proxy(object, {
          ownKeys: (target) => {
            this.mischief();
            return Reflect.ownKeys(target);
          },
          getOwnPropertyDescriptor: (target, name) => {
            this.mischief();
            return Reflect.getOwnPropertyDescriptor(target, name);
          },
          getPrototypeOf: () => {
            this.mischief();
            return null;
          },
        });
      default:
        return object;
    }
  }

  /** The value, after something else has happened; sometimes another one. */
  #changing(value: unknown): unknown {
    this.mischief();
    return this.chance(0.1) ? this.choose(oddities) : value;
  }

  /** The call begins. */
  begin(): void {
    this.#before = this.#arrays.map(truth.entries);
  }

  /**
   * The entries written although they should not have been: the first array whose contents have
   * changed.
   */
  changed(): string | undefined {
    for (const [k, array] of this.#arrays.entries()) {
      if (this.#gone.has(truth.buffer(array))) continue;
      const i = truth.entries(array).findIndex((entry, i) => !Object.is(entry, this.#before[k][i]));
      if (i !== -1)
        return `${array.constructor.name}[${i}] is ${array[i]}, was ${this.#before[k][i]}`;
    }
    return undefined;
  }

  dispose(): void {
    for (const batch of this.#allocations) batch.dispose();
  }
}
