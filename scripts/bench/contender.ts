import type { Workload } from './workload.js';

/** A way to compute a workload. */
export interface Contender {
  readonly name: string;
  /** Gets ready for a workload, outside the time that is measured; undefined where it can't do this one. */
  prepare(workload: Workload): Promise<Run | undefined>;
}

/** One contender on one workload. */
export interface Run {
  /**
   * Computes value and gradient, from ordinary JavaScript arrays to ordinary JavaScript arrays: copies into a memory of
   * its own and out of it are part of the work.
   */
  call(): number;
  /** The gradient of the last call. */
  grad(): Float32Array;
}
