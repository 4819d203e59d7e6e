/** Number of rows and number of classes of a batch. */
export interface Shape {
  readonly rows: number;
  readonly classes: number;
}

/** What every contender computes: the mean focal loss of one batch and its gradient in the logits. */
export interface Workload extends Shape {
  /** Row-major [rows, classes]. */
  readonly logits: Float32Array;
  /** Class indices [rows]. */
  readonly targets: Int32Array;
  readonly alpha: number;
  readonly gamma: number;
}

export const SHAPES: readonly Shape[] = [
  { rows: 32, classes: 2 },
  { rows: 256, classes: 2 },
  { rows: 4096, classes: 2 },
  { rows: 65536, classes: 2 },
  { rows: 65536, classes: 10 },
  { rows: 4096, classes: 1000 },
];

export function makeWorkload({ rows, classes }: Shape): Workload {
  const random = mulberry32(rows * classes);
  return {
    rows,
    classes,
    // Gaps of a few units: from rows that are nearly certain to rows that are plainly wrong.
    logits: Float32Array.from({ length: rows * classes }, () => 8 * (random() - 0.5)),
    targets: Int32Array.from({ length: rows }, () => Math.floor(random() * classes)),
    alpha: 0.25,
    gamma: 2,
  };
}

/** Uniform numbers in [0, 1) that are the same in every run. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
