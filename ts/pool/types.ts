// The types of a pool.

import type {
  Fresh,
  Logits,
  LossValue,
  SameKind,
  Targets,
  ValueAndGrad,
} from '../arrays/tensor-types.js';
import type { FloatArray, Reduction } from '../arrays/types.js';
import type { ForwardOptions, GradientOptions } from '../call/options.js';

/** A worker, as `new Worker` of a browser, Deno or Bun gives it, or that of Node. */
export type PoolWorker = object;

/** Options of {@link createPool}. */
export interface PoolOptions {
  /**
   * The number of workers, in [1, 256].
   *
   * @defaultValue the number of processors, at most 8
   */
  size?: number | undefined;
  /**
   * Makes a worker that runs `focal-loss/worker`: for pages whose Content-Security-Policy does not
   * allow workers that are made from a text (`worker-src blob:`).
   *
   * @defaultValue a worker from a text that lies in the bundle
   */
  worker?: (() => PoolWorker | PromiseLike<PoolWorker>) | undefined;
  /**
   * The time in milliseconds that workers have to start. Where none does so, the pool says why,
   * once, and computes on the calling thread.
   *
   * @defaultValue 10000
   */
  startTimeout?: number | undefined;
}

/** A loss of any entry of this package. */
export interface PooledCriterion<R extends Reduction = Reduction> {
  /** The way from the per-row losses to the result. */
  readonly reduction: R;
  /** The number that `'mean'` divides by, where it was given. */
  readonly normalizer: number | undefined;
  /** The target of rows that do not count, where it was given. */
  readonly ignoreIndex: number | undefined;
  /** The number of classes, where it was given. */
  readonly numClasses: number | undefined;
}

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

/** The option of every call of a pool. */
export interface PoolCallOptions {
  /** Aborts the call: its promise is rejected with the reason of the `AbortSignal`. */
  signal?: PoolSignal | undefined;
}

/** Options of `forward`. */
export type PoolForwardOptions = ForwardOptions & PoolCallOptions;

/** Options of `backward` and `valueAndGrad`. */
export type PoolGradientOptions<
  G extends FloatArray = FloatArray,
  R extends Reduction = Reduction,
> = GradientOptions<G, R> & PoolCallOptions;

/**
 * The methods of the criteria, computed by workers. Each takes a criterion of any entry of this
 * package, and all that the criterion's own method takes; it returns the promise of what that
 * returns, to the bit, however many workers there are. What the own method throws, the promise is
 * rejected with.
 *
 * What a call is given on a `SharedArrayBuffer` is read where it lies, while the call is under way;
 * everything else has been copied when the method returns, and may be changed then. A `grad` buffer
 * on a `SharedArrayBuffer` is written while the call is under way, any other at its end. Until the
 * promise is fulfilled it may hold anything, but that it is left as it was where an argument is
 * refused.
 *
 * Calls beside each other do not mix: each gets all workers in turn. Where a worker ends, by itself
 * or not, another takes its place, and what it was at is computed again; or, where memory is not
 * shared, or that worker ends as well, the promise is rejected and the next call goes on with new
 * ones.
 */
export interface WorkerPool {
  /** The number of workers; 0 where none starts, so that the calling thread computes. */
  readonly size: number;

  /**
   * True where the workers share memory with the calling thread: in Node, Deno and Bun, and on
   * pages that are cross-origin isolated. Elsewhere each gets a copy of its part.
   */
  readonly isShared: boolean;

  /**
   * The loss alone: the criterion's `forward`, to the bit.
   *
   * @param criterion - A loss of any entry of this package.
   * @param logits - As the criterion takes them.
   * @param targets - As the criterion takes them.
   * @returns The promise of a number; with reduction `'none'` of one value per row.
   * @throws What `forward` throws; the reason of an aborted `signal`; an Error where the pool has
   *   been closed, or workers ended more than once.
   */
  forward<R extends Reduction, L extends Logits>(
    criterion: PooledCriterion<R>,
    logits: L,
    targets: Targets,
    options?: PoolForwardOptions,
  ): Promise<LossValue<R, L>>;

  /**
   * The gradient alone: the criterion's `backward`, to the bit.
   *
   * @param criterion - A loss of any entry of this package.
   * @param logits - As the criterion takes them.
   * @param targets - As the criterion takes them.
   * @returns The promise of an array like the logits: the `grad` buffer if there is one.
   * @throws As {@link WorkerPool.forward} does.
   */
  backward<R extends Reduction, L extends Logits, G extends SameKind<L> = Fresh<L>>(
    criterion: PooledCriterion<R>,
    logits: L,
    targets: Targets,
    options?: PoolGradientOptions<G, R>,
  ): Promise<G>;

  /**
   * The loss and its gradient in one pass: the criterion's `valueAndGrad`, to the bit.
   *
   * @param criterion - A loss of any entry of this package.
   * @param logits - As the criterion takes them.
   * @param targets - As the criterion takes them.
   * @throws As {@link WorkerPool.forward} does.
   */
  valueAndGrad<R extends Reduction, L extends Logits, G extends SameKind<L> = Fresh<L>>(
    criterion: PooledCriterion<R>,
    logits: L,
    targets: Targets,
    options?: PoolGradientOptions<G, R>,
  ): Promise<ValueAndGrad<R, L, G>>;

  /**
   * Ends the workers. Calls that are under way are rejected, and so are all that follow. It does
   * the same as `[Symbol.asyncDispose]()`, where the runtime has that. A pool that is let go of
   * without it ends its workers by itself, after some seconds without calls.
   */
  close(): Promise<void>;
}

/** `[Symbol.asyncDispose]()`, where the runtime's types know it, and otherwise nothing. */
export type AsyncDisposer = SymbolConstructor extends {
  readonly asyncDispose: infer S extends symbol;
}
  ? Record<S, () => Promise<void>>
  : unknown;

/** Workers that compute losses and gradients: see {@link createPool}. */
export type Pool = WorkerPool & AsyncDisposer;
