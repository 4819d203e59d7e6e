import type { Floats, Workload } from './cases.js';
import { type Timed, timed } from './timing.js';

/** A way to compute a workload. */
export interface Contender {
  readonly name: string;
  /** The description for the report: versions, and what its time leaves out. */
  readonly about: string;
  /**
   * Gets ready for a workload, outside the time that is measured; undefined where it can't do this
   * one.
   */
  prepare(workload: Workload): Promise<Run | undefined>;
  /** Ends its process, if it has one. */
  close?(): void;
}

/** The results of a call: the gradient only where the case asks for it. */
export interface Outcome {
  readonly value: number;
  readonly grad?: Floats | undefined;
}

/** One contender on one workload. */
export interface Run extends Timed {
  /**
   * The outcome of a call, to be compared with those of the others; a limit that computes nothing
   * has none.
   */
  outcome?(): Outcome | Promise<Outcome>;
  /** Lets go of what it holds. */
  dispose?(): void;
}

/**
 * A run in this process.
 * @param call computes value and gradient, from ordinary JavaScript arrays to ordinary JavaScript
 *   arrays: copies into a memory of its own and out of it are part of the work
 * @param grad the gradient of the last call
 */
export function localRun(call: () => number, grad?: () => Floats): Run & { outcome(): Outcome } {
  return {
    ...timed(call),
    outcome: () => ({ value: call(), grad: grad?.() }),
  };
}
