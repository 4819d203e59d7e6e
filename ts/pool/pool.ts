import { nameOf } from '../analysis/criteria/own-criterion.js';
import { define } from '../arrays/own.js';
import type {
  Fresh,
  Logits,
  LossValue,
  SameKind,
  Targets,
  ValueAndGrad,
} from '../arrays/tensor-types.js';
import { kindOf, lengthOf } from '../arrays/typed-arrays.js';
import type { FloatArray, Reduction } from '../arrays/types.js';
import { type Job, plan, reduce } from '../call/blocks.js';
import { checkInteger, checkOptions, wrongType } from '../call/checks.js';
import { evaluate } from '../call/evaluate.js';
import { BACKWARD, FORWARD, type Method, VALUE_AND_GRAD } from '../call/method.js';
import type { LossSpec } from '../call/spec.js';
import { type Criterion, specOf } from '../losses/criterion.js';
import * as LOSSES from '../losses/index.js';
import { init } from '../module/init.js';
import { Crew } from './crew.js';
import { runParted, runShared, type Stop, type Stopper, type Wanted, WorkerError } from './run.js';
import { processors } from './runtime.js';
import { Stock } from './staging.js';
import { type AnyWorker, makeWorker } from './thread.js';
import type {
  Pool,
  PooledCriterion,
  PoolForwardOptions,
  PoolGradientOptions,
  PoolOptions,
  PoolSignal,
  WorkerPool,
} from './types.js';

/** The most workers that a pool has unless it is told how many. */
const USUAL_MOST = 8;

/** The most that it can be told. */
const MOST = 256;

/** The time in milliseconds that workers have to start. */
const START_TIMEOUT = 10_000;

const POOL_OPTIONS: readonly (keyof PoolOptions)[] = ['size', 'worker', 'startTimeout'];

/** The specs of criteria, of whatever entry, that have been seen. */
const specs = new WeakMap<object, LossSpec>();

const CLASSES: Record<LOSSES.LossName, new (options?: object) => object> = LOSSES;

function specFor(criterion: PooledCriterion): LossSpec {
  const known =
    typeof criterion === 'object' && criterion !== null ? specs.get(criterion) : undefined;
  if (known !== undefined) return known;
  const spec = specOf(new CLASSES[nameOf(criterion)]({ ...criterion }) as Criterion);
  specs.set(criterion, spec);
  return spec;
}

const NO_OPTIONS: PoolForwardOptions = {};

/** Logits below which a call is computed at once, on the calling thread. */
const SMALL = 2 ** 18;

/** A test whether logits are too few for workers to gain anything. */
function isSmall(logits: FloatArray): boolean {
  return lengthOf(logits) < SMALL;
}

/** Everything that {@link WorkerPool} names. */
class Workers implements WorkerPool {
  readonly #crew: Crew;
  readonly #stock = new Stock();
  readonly #size: number;
  readonly #isShared: boolean;
  #isClosed = false;
  readonly #stops = new Set<(reason: unknown) => void>();

  constructor(crew: Crew, size: number, isShared: boolean) {
    this.#crew = crew;
    this.#size = size;
    this.#isShared = isShared;
    const { asyncDispose } = Symbol as { readonly asyncDispose?: symbol };
    if (asyncDispose !== undefined) define(this, asyncDispose, this.close);
  }

  get size(): number {
    return this.#size;
  }

  get isShared(): boolean {
    return this.#isShared;
  }

  async forward<R extends Reduction, L extends Logits>(
    criterion: PooledCriterion<R>,
    logits: L,
    targets: Targets,
    options?: PoolForwardOptions,
  ): Promise<LossValue<R, L>> {
    const { value } = await this.#evaluate(criterion, FORWARD, logits, targets, options);
    return value as LossValue<R, L>;
  }

  async backward<R extends Reduction, L extends Logits, G extends SameKind<L> = Fresh<L>>(
    criterion: PooledCriterion<R>,
    logits: L,
    targets: Targets,
    options?: PoolGradientOptions<G, R>,
  ): Promise<G> {
    const { grad } = await this.#evaluate(criterion, BACKWARD, logits, targets, options);
    return grad as G;
  }

  async valueAndGrad<R extends Reduction, L extends Logits, G extends SameKind<L> = Fresh<L>>(
    criterion: PooledCriterion<R>,
    logits: L,
    targets: Targets,
    options?: PoolGradientOptions<G, R>,
  ): Promise<ValueAndGrad<R, L, G>> {
    const result = await this.#evaluate(criterion, VALUE_AND_GRAD, logits, targets, options);
    return result as ValueAndGrad<R, L, G>;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop(closed());
    this.#crew.close();
    this.#stock.clear();
  }

  async #evaluate(
    criterion: PooledCriterion,
    method: Method,
    logits: Logits,
    targets: Targets,
    options: PoolForwardOptions = NO_OPTIONS,
  ): Promise<{ value: FloatArray | number | undefined; grad: FloatArray | undefined }> {
    if (this.#isClosed) throw closed();
    const spec = specFor(criterion);
    const isTiny = kindOf(logits) !== undefined && isSmall(logits as FloatArray);
    // The quickest way, since it is that of the smallest calls.
    if (isTiny && options === NO_OPTIONS) return evaluate(spec, method, logits, targets);
    const { signal, ...given } = checkOptions(options, [...method.options, 'signal']);
    checkSignal(signal);
    if (signal?.aborted) throw signal.reason;
    if (isTiny || this.#size === 0) return evaluate(spec, method, logits, targets, given);
    const { job, areChecked, buffer } = plan(spec, method, logits, targets, given);
    if (isSmall(job.logits)) return evaluate(spec, method, logits, targets, given);
    const wanted: Wanted = {
      values: method.wantsValue && spec.reduction === 'none',
      grad: method.wantsGrad,
      buffer,
      areChecked,
    };
    return this.#compute(job, method, wanted, signal);
  }

  async #compute(job: Job, method: Method, wanted: Wanted, signal: PoolSignal | undefined) {
    const { stopper, stop } = makeStopper();
    const abort = () => stop(signal?.reason);
    signal?.addEventListener('abort', abort);
    this.#stops.add(stop);
    this.#crew.enter();
    try {
      const { partials, values, grad } = await (this.#isShared
        ? runShared(this.#crew, this.#stock, job, wanted, stopper)
        : runParted(this.#crew, job, wanted, stopper));
      const total = method.wantsValue ? reduce(partials, job.denominator) : undefined;
      return { value: values ?? total, grad };
    } catch (error) {
      if (error instanceof WorkerError) evaluateAgain(job);
      throw error;
    } finally {
      this.#crew.leave();
      this.#stops.delete(stop);
      signal?.removeEventListener('abort', abort);
    }
  }
}

/** Has the synchronous call find what a worker did, so that the error is the same. */
function evaluateAgain({ spec, logits, targets, width, spatialSize }: Job): void {
  const numClasses = spec.columns === 0 ? width : spec.columns;
  const options = spatialSize === 0 ? { numClasses } : { numClasses, spatialSize };
  evaluate(spec, FORWARD, logits, targets as Targets, options);
}

function makeStopper(): { stopper: Stopper; stop: (reason: unknown) => void } {
  let reached: Stop;
  const listeners: (() => void)[] = [];
  return {
    stopper: {
      onStop: (listener) => {
        listeners.push(listener);
      },
      get stop() {
        return reached;
      },
    },
    stop: (reason) => {
      if (reached !== undefined) return;
      reached = { reason };
      for (const listener of listeners) listener();
    },
  };
}

function closed(): Error {
  return new Error('the pool has been closed');
}

function checkSignal(signal: PoolSignal | undefined): void {
  const isSignal =
    signal === undefined ||
    (typeof signal === 'object' &&
      signal !== null &&
      typeof signal.aborted === 'boolean' &&
      typeof signal.addEventListener === 'function');
  if (!isSignal) throw wrongType('signal', 'an AbortSignal', signal);
}

/**
 * Starts workers that compute losses and gradients on all cores. They are there when the promise is
 * fulfilled. Where they do not start, the pool says why on the console, once, and computes on the
 * calling thread; small calls are computed there in any case, where handing them over would take
 * longer.
 *
 * Idle workers let a process of Node or Bun end, and go after five seconds, in Deno after one; the
 * next large call starts them again.
 *
 * @throws TypeError for an unknown option or one of the wrong kind, and RangeError for a number
 *   that it cannot be; ModuleError where the engine does not start the WebAssembly module.
 *
 * @example
 * ```ts
 * import { FocalLoss } from 'focal-loss';
 * import { createPool } from 'focal-loss/pool';
 *
 * const pool = await createPool({ size: 2 });
 * const criterion = new FocalLoss();
 * const logits = new Float32Array(400_000);
 * const targets = new Uint8Array(200_000);
 * const { value, grad } = await pool.valueAndGrad(criterion, logits, targets);
 * value === criterion.forward(logits, targets); // => true
 * grad.length; // => 400000
 * await pool.close();
 * ```
 */
export async function createPool(options: PoolOptions = {}): Promise<Pool> {
  const { size, worker, startTimeout = START_TIMEOUT } = checkOptions(options, POOL_OPTIONS);
  if (size !== undefined) checkInteger('size', 1, MOST, size);
  checkInteger('startTimeout', 1, 2 ** 31 - 1, startTimeout);
  if (worker !== undefined && typeof worker !== 'function')
    throw wrongType('worker', 'a function that makes a worker', worker);
  // What is small is computed here.
  await init();
  const make = (worker ?? makeWorker) as () => AnyWorker | PromiseLike<AnyWorker>;
  const count = size ?? Math.min(await processors(), USUAL_MOST);
  const crew = new Crew(count, make, startTimeout);
  const reason = await crew.start();
  if (reason !== undefined) {
    crew.close();
    console.warn(`focal-loss/pool computes on the calling thread: ${reason}`);
  }
  const isStarted = reason === undefined;
  return new Workers(crew, isStarted ? count : 0, isStarted && crew.isShared) as Pool;
}
