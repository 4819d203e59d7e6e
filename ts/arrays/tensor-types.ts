// The types that may stand for an array, and the arrays of results that follow from it.

import type { ClassIndices, Float16, FloatArray, FreshFloat16, Reduction } from './types.js';

/** The sizes of all dimensions. */
export type Shape = readonly number[];

/** An array of numbers, or of rows of them, and so on. The innermost arrays may be typed. */
export type PlainArray<T = number> = readonly (T | FloatArray | PlainArray<T>)[];

/** The entries of a {@link PlainArray} of targets: class indices, probabilities, or yes and no. */
export type PlainTarget = number | bigint | boolean;

/** The data of a tensor, as far as its type says. */
export type TensorData = ArrayBufferView | readonly unknown[];

/** A {@link TensorLike} of ONNX Runtime or transformers.js. */
export interface TensorWithDims<A = TensorData> {
  /** The entries, row-major. */
  readonly data: A;
  /** The shape. */
  readonly dims: Shape;
}

/** A {@link TensorLike} of npyjs and others. */
export interface TensorWithShape<A = TensorData> {
  /** The entries, row-major. */
  readonly data: A;
  /** The shape. */
  readonly shape: Shape;
}

/**
 * An array with its shape, as other libraries have it. The shape of logits has the classes last, or
 * with `layout: 'channels-first'` second, and makes `numClasses` and `spatialSize` unnecessary;
 * that of class indices is the same without the classes, or with a 1 in their place. So may that of
 * the targets be where there is one logit per row, as in `[rows, 1]`. Data, dims and shape are the
 * object's own or come by its class. What kind of array the data are may show when it runs: it is
 * one that logits, or targets, may be.
 */
export type TensorLike<A = TensorData> = TensorWithDims<A> | TensorWithShape<A>;

/**
 * Logits: a typed array, the fastest way; numbers or rows of numbers in plain arrays, which are
 * computed in float64 as if they were a `Float64Array`; or a tensor that holds either.
 */
export type Logits = FloatArray | PlainArray | TensorLike;

/**
 * Class indices, one per row; in a plain array integers, or `false` and `true` for 0 and 1; or a
 * tensor that holds them.
 */
export type Labels = ClassIndices | PlainArray<PlainTarget> | TensorLike;

/**
 * Class indices, one per row: see {@link Labels}; or one number for each logit. Floats are class
 * indices where there are as many as rows, all of them integers; else, as rows of numbers in plain
 * arrays, they are one for each logit.
 */
export type Targets = Labels | FloatArray;

/**
 * The kind of array that logits are computed in: their own, or that of the data of a tensor;
 * float64 for plain arrays. Where their type leaves it open, as that of some tensors does, any.
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

/** The results of one fused pass. */
export interface ValueAndGrad<R extends Reduction, L, G = Fresh<L>> {
  /** The loss. */
  value: LossValue<R, L>;
  /**
   * Its gradient with respect to the logits: the `grad` buffer of the call if there was one, else a
   * new array.
   */
  grad: G;
}
