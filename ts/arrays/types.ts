// Arrays of numbers, by their types, and the words that options are.

/** `Float16Array`, where the runtime's types know it, and otherwise nothing. */
export type Float16 = typeof globalThis extends { Float16Array: { prototype: infer A } }
  ? A
  : never;

/** A newly made `Float16Array`, where the runtime's types know it. */
export type FreshFloat16 = typeof globalThis extends {
  Float16Array: { of(...items: number[]): infer A };
}
  ? A
  : never;

/**
 * Logits, and every array this package returns, which is of the same kind as the logits. A
 * `Float16Array`, where the runtime has it, is computed in float32.
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
 * The way from the per-row losses to the result: `'mean'` divides their sum by the number of rows
 * that count, `'sum'` adds them up, `'none'` keeps one value per row.
 */
export type Reduction = 'mean' | 'sum' | 'none';

/** The order of the logits of a batch in memory. */
export type Layout = 'channels-last' | 'channels-first';
