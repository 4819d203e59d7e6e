// Work that a pool of `focal-loss/pool` may do: nothing but plain data goes there, so that pool and
// analysis may be of different bundles.

import { said } from '../../arrays/own.js';
import type { Job } from '../../call/blocks.js';
import { checkOptions, wrongType } from '../../call/checks.js';

/** Something that a worker can do with rows of a job. */
export interface Task {
  readonly name: 'sweep' | 'loss' | 'report';
  /** The rest of what it has to know, as data. */
  readonly data: unknown;
}

/** The work of a task on the rows of a job from `start` on up to `end`. */
export type TaskWork = (
  job: Job,
  start: number,
  end: number,
  data: never,
  /** Says whether the result is not wanted any more. */
  isStopped: () => boolean,
) => unknown;

/** A task on all rows of a job. */
export interface Sharded {
  readonly job: Job;
  readonly task: Task;
  /** The rows that go together: parts of the batch begin at a multiple of it. */
  readonly unit: number;
  /** The logits that a loss would look at in the same time, about. */
  readonly entries: number;
  /** Takes what each part gives, in the order of the rows. Where it is undefined, nothing. */
  take(result: unknown): void;
}

/** The name of a pool's method that does that. */
export const RUN_TASK: unique symbol = Symbol.for('focal-loss.runTask') as never;

/** An `AbortSignal`, as far as it is used here. */
export interface PoolSignal {
  /** True once it has been aborted. */
  readonly aborted: boolean;
  /** The reason why. */
  readonly reason: unknown;
  /** Has a function called when it is aborted. */
  addEventListener(type: 'abort', listener: () => void): void;
  /** Lets go of the function. */
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Everything that workers have to know of `focal-loss/analysis`: its `poolAnalysis`. */
export interface PoolAnalysis {
  /**
   * Has this thread, which is a worker that runs `focal-loss/worker`, know it: for the option
   * `worker` of `createPool`.
   */
  provide(): void;
}

/** A pool of `createPool`, of `focal-loss/pool`. */
export interface AnyPool {
  /** The number of workers. */
  readonly size: number;
  /** True where workers share memory with the calling thread. */
  readonly isShared: boolean;
  /** Ends the workers. */
  close(): Promise<void>;
}

interface TaskPool extends AnyPool {
  /**
   * Has workers do a task. Returns false where the calling thread is to do all of it, since it is
   * little, or there are no workers.
   */
  [RUN_TASK](sharded: Sharded, signal: PoolSignal | undefined): Promise<boolean>;
}

/** Checks the option `pool`. */
export function checkPool(pool: AnyPool): TaskPool {
  const run = (pool as Partial<TaskPool> | null | undefined)?.[RUN_TASK];
  if (typeof run !== 'function') throw wrongType('pool', 'a pool of createPool', pool);
  return pool as TaskPool;
}

/** Options of what workers of a pool are to do. */
export interface PooledOptions {
  /** The workers that compute: a pool of `createPool`, of `focal-loss/pool`. */
  pool: AnyPool;
  /** Aborts the call: its promise is rejected with the reason of the `AbortSignal`. */
  signal?: PoolSignal | undefined;
}

/** The options of a call that a pool is to do: its own, and those of a call without one. */
export interface Pooled<O> {
  readonly pool: TaskPool;
  readonly signal: PoolSignal | undefined;
  readonly options: O;
}

/** The same, where options name a pool; the others have these names. */
export function pooledOf<O extends object>(
  options: O | (O & PooledOptions),
  names: readonly string[],
): Pooled<O> | undefined {
  if (typeof options !== 'object' || options === null) return undefined;
  if (said(options, 'pool', (options as Partial<PooledOptions>).pool) === undefined)
    return undefined;
  const all = checkOptions(options as O & PooledOptions, [...names, 'pool', 'signal']);
  const { pool, signal, ...given } = all;
  return { pool: checkPool(pool), signal, options: given as unknown as O };
}
