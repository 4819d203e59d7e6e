import type { TensorLike } from '../call/tensor-like.js';

/** `Float16Array`, where the runtime's types know it, and otherwise nothing. */
type Float16 = typeof globalThis extends { Float16Array: { prototype: infer A } } ? A : never;

/** A newly made `Float16Array`, where the runtime's types know it. */
type FreshFloat16 = typeof globalThis extends { Float16Array: { of(...items: number[]): infer A } } ? A : never;

/**
 * Logits, and every array this package returns, which is of the same kind as the logits. A `Float16Array`, where the
 * runtime has it, is computed in float32.
 */
export type FloatArray = Float32Array | Float64Array | Float16;

/** Class indices, one per row: any integer typed array. */
export type ClassIndices =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/**
 * How the per-row losses become the result: `'mean'` divides their sum by the number of rows that count, `'sum'` adds
 * them up, `'none'` keeps one value per row.
 */
export type Reduction = 'mean' | 'sum' | 'none';

/** How the logits of a batch lie in memory. */
export type Layout = 'channels-last' | 'channels-first';

/**
 * The kind of array that logits are computed in: their own, or that of the data of a tensor; float64 for plain arrays. Where
 * their type leaves it open, as that of some tensors does, any.
 */
export type KindOf<L> = L extends TensorLike<infer A> ? KindOfData<A> : KindOfData<L>;

/** The kind of array that numbers are computed in, by the type of what holds them. */
export type KindOfData<A> = A extends FloatArray
  ? A
  : A extends readonly unknown[]
    ? Float64Array
    : A extends ClassIndices
      ? never
      : FloatArray;

/** A typed array of the same kind as logits. */
export type SameKind<L> =
  KindOf<L> extends infer A
    ? A extends Float32Array
      ? Float32Array
      : A extends Float64Array
        ? Float64Array
        : A extends Float16
          ? Float16
          : never
    : never;

/** A newly made typed array of the same kind as logits. */
export type Fresh<L> =
  KindOf<L> extends infer A
    ? A extends Float32Array
      ? Float32Array<ArrayBuffer>
      : A extends Float64Array
        ? Float64Array<ArrayBuffer>
        : A extends Float16
          ? FreshFloat16
          : never
    : never;

/** The value of a loss: an array with one entry per row for `'none'`, otherwise a number. */
export type LossValue<R extends Reduction, L> = R extends 'none' ? Fresh<L> : number;

/** What one fused pass gives. */
export interface ValueAndGrad<R extends Reduction, L, G = Fresh<L>> {
  /** The loss. */
  value: LossValue<R, L>;
  /** Its gradient with respect to the logits: the `grad` buffer of the call if there was one, else a new array. */
  grad: G;
}
