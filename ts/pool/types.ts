// The types of a pool.

import type { ReportMeterOptions, ReportUpdateOptions } from '../analysis/meter/report-meter.js';
import type { ClassificationReport } from '../analysis/report/result.js';
import type { AnyPool, PoolAnalysis, PoolSignal } from '../analysis/rows/pooled.js';
import type { SweepTable } from '../analysis/sweep/result.js';
import type { SweepAsyncOptions } from '../analysis/sweep/sweep.js';
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
   * The number of workers, in [1, 256]. As many threads compute a call: where the calling thread
   * takes part, it does so in the place of a worker.
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
  /**
   * Everything that workers have to know for `sweep`, `report`, and the `pool` option of functions
   * of `focal-loss/analysis`: `poolAnalysis`, which that exports. A bundle needs it for these.
   * That of `focal-loss/analysis/slim` is refused with a ModuleError: it has no module for workers.
   *
   * @defaultValue that of `focal-loss/analysis`, which is imported when it is needed, where the
   *   runtime finds the package by its name, as Node, Deno and Bun do
   */
  analysis?: PoolAnalysis | undefined;
  /**
   * Whether the calling thread computes as well, in the place of one of two workers or more, where
   * memory is shared. It has others take their turn after some milliseconds. With `false` it only
   * copies what does not lie on a `SharedArrayBuffer`, and is free until the results are there,
   * which come later then.
   *
   * @defaultValue true
   */
  useCallingThread?: boolean | undefined;
}

/** Options of {@link WorkerPool.load}. */
export interface LoadOptions {
  /**
   * The number of classes, or of labels: needed where targets are one per logit. Calls take it
   * where they are not given another.
   */
  numClasses?: number | undefined;
}

/** A batch that stays in the workers of a pool, but for the `dispose` of `using`. */
export interface LoadedData<L extends FloatArray = FloatArray> {
  /**
   * Lets go of the memory. Calls that are under way come to their end, others are refused. It does
   * the same as `[Symbol.dispose]()`, where the runtime has that.
   */
  dispose(): void;
  /** The kind of the logits, for types alone. */
  readonly logits?: L;
}

/** A batch that stays in the workers of a pool: see {@link WorkerPool.load}. */
export type PoolData<L extends FloatArray = FloatArray> = LoadedData<L> & Disposer<'dispose', void>;

/** Options of {@link WorkerPool.sweep}. */
export type PoolSweepOptions = Omit<SweepAsyncOptions, 'pool' | 'signal'> & PoolCallOptions;

/** Options of {@link WorkerPool.report}. */
export interface PoolReportOptions
  extends ReportMeterOptions,
    ReportUpdateOptions,
    PoolCallOptions {}

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
 * everything else has been read when the method returns, and may be changed then. A `grad` buffer
 * is written while the call is under way. Until the promise is fulfilled it may hold anything, but
 * that it is left as it was where an argument is refused.
 *
 * Calls beside each other do not mix: each gets all workers in turn. Where a worker ends, by itself
 * or not, another takes its place, and what it was at is computed again; or, where memory is not
 * shared, or that worker ends as well, the promise is rejected and the next call goes on with new
 * ones.
 */
export interface WorkerPool extends AnyPool {
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
  /** The same of data that was loaded. */
  forward<R extends Reduction, L extends FloatArray>(
    criterion: PooledCriterion<R>,
    data: PoolData<L>,
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
  /** The same of data that was loaded. */
  backward<R extends Reduction, L extends FloatArray, G extends SameKind<L> = Fresh<L>>(
    criterion: PooledCriterion<R>,
    data: PoolData<L>,
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
  /** The same of data that was loaded. */
  valueAndGrad<R extends Reduction, L extends FloatArray, G extends SameKind<L> = Fresh<L>>(
    criterion: PooledCriterion<R>,
    data: PoolData<L>,
    options?: PoolGradientOptions<G, R>,
  ): Promise<ValueAndGrad<R, L, G>>;

  /**
   * Loads a batch for calls that take it in place of logits and targets, without copying it again:
   * evaluations, sweeps and reports. On shared memory all workers read it; elsewhere the first call
   * sends each its part, and a copy stays on the calling thread. Arrays on a `SharedArrayBuffer`
   * stay where they are, and must not change, any other may once the method has returned.
   *
   * @param logits - `[rows, classes]`, row-major; or a tensor that holds them.
   * @param targets - One per row, or one per logit. Each call checks them, as its loss takes them.
   * @throws TypeError and RangeError for arrays and options of the wrong kind or length.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   * import { createPool } from 'focal-loss/pool';
   *
   * const pool = await createPool({ size: 2 });
   * const logits = Float32Array.from({ length: 800_000 }, (_, i) => Math.sin(i));
   * const targets = Uint8Array.from({ length: 200_000 }, (_, i) => i % 4);
   * const data = await pool.load(logits, targets);
   * const table = await pool.sweep(data, { gamma: [0, 1, 2], labelSmoothing: [0, 0.1] });
   * table.rows.length; // => 6
   * const loss = await pool.forward(new FocalLoss({ gamma: 1 }), data);
   * Math.abs(loss - table.rows[2].loss) < 1e-7; // => true
   * data.dispose();
   * await pool.close();
   * ```
   */
  load<L extends Logits>(
    logits: L,
    targets: Targets,
    options?: LoadOptions,
  ): Promise<PoolData<Fresh<L>>>;

  /**
   * The losses of many settings: the table of `sweep` of `focal-loss/analysis`, to the bit. The
   * arrays must stay as they are until the promise is settled.
   *
   * @throws What `sweep` throws; the reason of an aborted `signal`; an Error where the pool has
   *   been closed, workers ended more than once, or `focal-loss/analysis` is not there.
   *
   * @example
   * ```ts
   * import { sweep } from 'focal-loss/analysis';
   * import { createPool } from 'focal-loss/pool';
   *
   * const pool = await createPool({ size: 2 });
   * const logits = Float32Array.from({ length: 800_000 }, (_, i) => Math.sin(i));
   * const targets = Uint8Array.from({ length: 200_000 }, (_, i) => i % 4);
   * const grid = { alpha: [null, 0.25], gamma: [0, 1, 2] };
   * const { losses } = await pool.sweep(logits, targets, grid);
   * losses; // => sweep(logits, targets, grid).losses
   * await pool.close();
   * ```
   */
  sweep(logits: Logits, targets: Targets, options?: PoolSweepOptions): Promise<SweepTable>;
  /** The same of data that was loaded. */
  sweep(data: PoolData, options?: PoolSweepOptions): Promise<SweepTable>;

  /**
   * The report on a classifier: that of a `ReportMeter` of `focal-loss/analysis` which has seen the
   * batch, to the bit. That is `classificationReport`'s, but that log loss, Brier score and the
   * confidences of bins are rounded once. Workers look at the rows; this thread sorts them, for
   * areas. The arrays must stay as they are until the promise is settled.
   *
   * @throws What `classificationReport` throws, and as {@link WorkerPool.sweep} does.
   *
   * @example
   * ```ts
   * import { createPool } from 'focal-loss/pool';
   *
   * const pool = await createPool({ size: 2 });
   * const logits = Float32Array.from({ length: 800_000 }, (_, i) => Math.sin(i));
   * const targets = Uint8Array.from({ length: 200_000 }, (_, i) => i % 4);
   * const { rows, numClasses } = await pool.report(logits, targets, { auc: false });
   * rows; // => 200000
   * numClasses; // => 4
   * await pool.close();
   * ```
   */
  report(
    logits: Logits,
    targets: Targets,
    options?: PoolReportOptions,
  ): Promise<ClassificationReport>;
  /** The same of data that was loaded. */
  report(data: PoolData, options?: PoolReportOptions): Promise<ClassificationReport>;

  /**
   * Ends the workers. Calls that are under way are rejected, and so are all that follow. It does
   * the same as `[Symbol.asyncDispose]()`, where the runtime has that. A pool that is let go of
   * without it ends its workers by itself, after some seconds without calls.
   */
  close(): Promise<void>;
}

/** A method under a symbol of disposal, where the types of the runtime know that; else nothing. */
type Disposer<Name extends string, R> =
  SymbolConstructor extends Readonly<Record<Name, infer S extends symbol>>
    ? Record<S, () => R>
    : unknown;

/** Workers that compute losses and gradients: see {@link createPool}. */
export type Pool = WorkerPool & Disposer<'asyncDispose', Promise<void>>;
