import type { FloatArray } from 'focal-loss';
import type { Dtype } from './dtypes.js';
import { generator } from './random.js';

export interface Batch {
  rows: number;
  classes: number;
  logits: FloatArray;
  targets: Int32Array;
}

/** A random batch with logits in (-spread, spread), representable in float32. */
export function randomBatch(
  dtype: Dtype,
  rows: number,
  classes: number,
  seed = 1,
  spread = 4,
): Batch {
  const random = generator(seed);
  const logits = dtype.zeros(rows * classes);
  for (let i = 0; i < logits.length; i++) logits[i] = Math.fround((2 * random() - 1) * spread);
  const targets = Int32Array.from({ length: rows }, () => Math.floor(random() * classes));
  return { rows, classes, logits, targets };
}

/** Rows [start, end) of a batch, as views of it. */
export function rowsOf({ logits, targets, classes }: Batch, start: number, end: number): Batch {
  return {
    rows: end - start,
    classes,
    logits: logits.subarray(start * classes, end * classes),
    targets: targets.subarray(start, end),
  };
}

/** Each row of an array, as a view of it. */
export function splitRows(array: FloatArray, classes: number): FloatArray[] {
  return Array.from({ length: array.length / classes }, (_, i) =>
    array.subarray(i * classes, (i + 1) * classes),
  );
}

/** The entries added up in order, in float64. */
export function sum(entries: Iterable<number>): number {
  let total = 0;
  for (const entry of entries) total += entry;
  return total;
}
