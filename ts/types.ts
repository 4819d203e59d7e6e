/** Logits, and every array this package returns: row-major, and of the same kind as the logits. */
export type FloatArray = Float32Array | Float64Array;

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
 * How the per-row losses become the result: `'mean'` divides their sum by the number of rows, `'sum'` adds them up,
 * `'none'` keeps one value per row.
 */
export type Reduction = 'mean' | 'sum' | 'none';

/** A typed array of the same kind as `A`. */
export type SameKind<A extends FloatArray> = A extends Float32Array ? Float32Array : Float64Array;

/** A newly made typed array of the same kind as `A`. */
export type Fresh<A extends FloatArray> = A extends Float32Array
  ? Float32Array<ArrayBuffer>
  : Float64Array<ArrayBuffer>;

/** The value of a loss: an array with one entry per row for `'none'`, otherwise a number. */
export type LossValue<R extends Reduction, A extends FloatArray> = R extends 'none' ? Fresh<A> : number;

/** What one fused pass gives. */
export interface ValueAndGrad<R extends Reduction, A extends FloatArray, G = Fresh<A>> {
  /** The loss. */
  value: LossValue<R, A>;
  /** Its gradient with respect to the logits: the `grad` buffer of the call if there was one, else a new array. */
  grad: G;
}
