import { ownOf, remembering } from '../analysis/criteria/own-criterion.js';
import type { ClassificationReport } from '../analysis/report/result.js';
import {
  type PoolAnalysis,
  type PoolSignal,
  RUN_TASK,
  type Sharded,
} from '../analysis/rows/pooled.js';
import type { SweepTable } from '../analysis/sweep/result.js';
import { define, readOptions, said } from '../arrays/own.js';
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
import { checkInteger, checkOptionNames, checkOptions, wrongType } from '../call/checks.js';
import { evaluate } from '../call/evaluate.js';
import { BACKWARD, FORWARD, type Method, VALUE_AND_GRAD } from '../call/method.js';
import type { LossSpec } from '../call/spec.js';
import { specOf } from '../losses/criterion.js';
import { moduleBytes } from '../module/embedded.js';
import { init } from '../module/init.js';
import type { FullAnalysis } from './analysis.js';
import { Crew } from './crew.js';
import { type Held, heldBy, load } from './data.js';
import { copyQuickly } from './quick-copy.js';
import {
  type Means,
  runParted,
  runShared,
  runTaskParted,
  runTaskShared,
  type Stop,
  type Stopper,
  type Wanted,
} from './run.js';
import { importPast, processors } from './runtime.js';
import { isOnShared, Stock } from './staging.js';
import { type AnyWorker, makeWorker } from './thread.js';
import type {
  LoadOptions,
  Pool,
  PoolData,
  PooledCriterion,
  PoolForwardOptions,
  PoolGradientOptions,
  PoolOptions,
  PoolReportOptions,
  PoolSweepOptions,
  WorkerPool,
} from './types.js';
import { codeOf } from './worker-text.js';

/** The most workers that a pool has unless it is told how many. */
const USUAL_MOST = 8;

/** The most that it can be told. */
const MOST = 256;

/** The time in milliseconds that workers have to start. */
const START_TIMEOUT = 10_000;

const POOL_OPTIONS: readonly (keyof PoolOptions)[] = [
  'size',
  'worker',
  'startTimeout',
  'analysis',
  'useCallingThread',
];

/** The spec of a criterion, of whatever entry. */
const specFor = remembering((criterion: PooledCriterion): LossSpec => specOf(ownOf(criterion)));

const NO_OPTIONS: PoolForwardOptions = {};

/** A method with the option that only a pool's has. */
const pooled = (method: Method): Method => ({ ...method, options: [...method.options, 'signal'] });

const POOLED = {
  forward: pooled(FORWARD),
  backward: pooled(BACKWARD),
  valueAndGrad: pooled(VALUE_AND_GRAD),
} as const;

/** The options of a call, where it is of loaded data with what is known of that. */
function optionsFor(held: Held | undefined, options: object, method: Method): PoolForwardOptions {
  checkOptionNames(options, method.options);
  if (held === undefined) return options;
  const own: PoolForwardOptions = readOptions(options, method.options);
  const { numClasses = held.numClasses } = own;
  return { ...own, numClasses };
}

/** The options that say how the logits of a job, which is a whole batch, lie. */
function shapeOf({ spec, width, spatialSize, rowsPerWeight }: Job): PoolForwardOptions {
  const numClasses = spec.columns === 0 ? width : Math.max(spec.columns, rowsPerWeight);
  return spatialSize === 0 ? { numClasses } : { numClasses, spatialSize };
}

/** The signal among options, if there is one. */
function signalOf(options: PoolForwardOptions): PoolSignal | undefined {
  const signal = said(options, 'signal', options.signal);
  checkSignal(signal);
  return signal;
}

/** Logits below which a call is computed at once, on the calling thread. */
const SMALL = 2 ** 18;

/** The same of ordinary arrays, whose rows this thread moves for workers. */
const SMALL_MOVED = 2 ** 19;

/** The code of a worker, as scripts/build/worker-code.ts writes it. */
declare const WORKER_CODE: string;

/** Makes workers that know the analysis, or nothing but the losses. */
type MakeCrew = (analysis: FullAnalysis | undefined) => Crew;

/** The last arguments of a method, of which the first stands for two where it is loaded data. */
interface Batch {
  readonly logits: Logits;
  readonly targets: Targets;
  readonly options: object | undefined;
  readonly held: Held | undefined;
}

/** The result of a call of the analysis. */
type Analysed<N extends 'sweep' | 'report'> = Awaited<ReturnType<FullAnalysis[N]>>;

/** Everything that {@link WorkerPool} names. */
class Workers implements WorkerPool {
  readonly #makeCrew: MakeCrew;
  #crew: Crew;
  /** Those before it, whose last calls may be under way. */
  #others: readonly Crew[] = [];
  /** The analysis, as far as the crew knows it. */
  #analysis: FullAnalysis | undefined;
  readonly #stock = new Stock();
  readonly #size: number;
  readonly #isShared: boolean;
  readonly #takesPart: boolean;
  #isClosed = false;
  readonly #stops = new Set<(reason: unknown) => void>();
  /** The data that was loaded here, by its logits. */
  #loaded = new WeakMap<object, Held>();

  constructor(
    makeCrew: MakeCrew,
    crew: Crew,
    analysis: FullAnalysis | undefined,
    size: number,
    isShared: boolean,
    takesPart: boolean,
  ) {
    this.#makeCrew = makeCrew;
    this.#crew = crew;
    this.#analysis = analysis;
    this.#size = size;
    this.#isShared = isShared;
    this.#takesPart = takesPart;
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
    logits: L | PoolData,
    targets?: Targets | PoolForwardOptions,
    options?: PoolForwardOptions,
  ): Promise<LossValue<R, L>> {
    const { value } = await this.#evaluate(criterion, POOLED.forward, logits, targets, options);
    return value as LossValue<R, L>;
  }

  async backward<R extends Reduction, L extends Logits, G extends SameKind<L> = Fresh<L>>(
    criterion: PooledCriterion<R>,
    logits: L | PoolData,
    targets?: Targets | PoolGradientOptions<G, R>,
    options?: PoolGradientOptions<G, R>,
  ): Promise<G> {
    const { grad } = await this.#evaluate(criterion, POOLED.backward, logits, targets, options);
    return grad as G;
  }

  valueAndGrad<R extends Reduction, L extends Logits, G extends SameKind<L> = Fresh<L>>(
    criterion: PooledCriterion<R>,
    logits: L | PoolData,
    targets?: Targets | PoolGradientOptions<G, R>,
    options?: PoolGradientOptions<G, R>,
  ): Promise<ValueAndGrad<R, L, G>> {
    const result = this.#evaluate(criterion, POOLED.valueAndGrad, logits, targets, options);
    return result as Promise<ValueAndGrad<R, L, G>>;
  }

  async load<L extends Logits>(
    logits: L,
    targets: Targets,
    options: LoadOptions = {},
  ): Promise<PoolData<Fresh<L>>> {
    if (this.#isClosed) throw closed();
    const { data, held } = load(logits, targets, options, this.#isShared, (freed) => {
      this.#loaded.delete(freed.logits);
      for (const crew of [this.#crew, ...this.#others]) crew.free(freed.id);
    });
    this.#loaded.set(held.logits, held);
    return data as PoolData<Fresh<L>>;
  }

  async sweep(
    logits: Logits | PoolData,
    targets?: Targets | PoolSweepOptions,
    options?: PoolSweepOptions,
  ): Promise<SweepTable> {
    return this.#analyse('sweep', logits, targets, options);
  }

  async report(
    logits: Logits | PoolData,
    targets?: Targets | PoolReportOptions,
    options?: PoolReportOptions,
  ): Promise<ClassificationReport> {
    return this.#analyse('report', logits, targets, options);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop(closed());
    for (const crew of [this.#crew, ...this.#others]) crew.close();
    this.#stock.clear();
    this.#loaded = new WeakMap();
  }

  /** For what focal-loss/analysis has workers do. */
  async [RUN_TASK](sharded: Sharded, signal: PoolSignal | undefined): Promise<boolean> {
    if (this.#isClosed) throw closed();
    checkSignal(signal);
    if (signal?.aborted) throw signal.reason;
    if (this.#size === 0 || sharded.entries < SMALL) return false;
    const { tasks } = await this.#learn();
    const { job } = sharded;
    await this.#during(signal, (crew, stopper, stop) => {
      // It may call a function of the caller's, which may throw.
      const take = (result: unknown) => {
        try {
          sharded.take(result);
        } catch (error) {
          stop(error);
        }
      };
      const call = { ...sharded, tasks, take };
      return this.#isShared
        ? runTaskShared(this.#means(crew, stopper), call)
        : runTaskParted(crew, call, stopper, this.#loaded.get(job.logits)?.id);
    });
    return true;
  }

  /** A call that only the analysis knows. */
  async #analyse<N extends 'sweep' | 'report'>(
    name: N,
    givenLogits: Logits | PoolData,
    givenTargets: unknown,
    givenOptions: object | undefined,
  ): Promise<Analysed<N>> {
    const batch = this.#batchOf(givenLogits, givenTargets, givenOptions);
    const { logits, targets, options = {}, held } = batch;
    const { [name]: call } = await this.#learn();
    return call(this, logits, targets, options, held?.numClasses) as Analysed<N>;
  }

  /** Has workers know the analysis, if they do not yet. */
  async #learn(): Promise<FullAnalysis> {
    if (this.#isClosed) throw closed();
    if (this.#analysis !== undefined) return this.#analysis;
    const analysis = await findAnalysis();
    if (this.#isClosed) throw closed();
    if (this.#analysis === undefined) {
      this.#analysis = analysis;
      // The ones before go when they are done.
      this.#others = [...this.#others, this.#crew];
      this.#crew = this.#makeCrew(analysis);
    }
    return this.#analysis;
  }

  #batchOf(logits: Logits | PoolData, targets: unknown, options: object | undefined): Batch {
    const held = heldBy(logits);
    if (held === undefined)
      return { logits: logits as Logits, targets: targets as Targets, options, held };
    if (held === 'disposed') throw new Error('data has been disposed of');
    if (options !== undefined)
      throw new TypeError('options must be the argument after data, which has targets of its own');
    if (this.#loaded.get(held.logits) !== held && !this.#isClosed)
      throw new TypeError('data must have been loaded by this pool');
    return { ...held, options: targets as object | undefined, held };
  }

  /** A test whether logits are too few for workers to gain anything. */
  #isSmall(logits: FloatArray): boolean {
    const length = lengthOf(logits);
    if (length >= SMALL_MOVED) return false;
    return length < SMALL || (this.#isShared && this.#takesPart && !isOnShared(logits));
  }

  async #evaluate(
    criterion: PooledCriterion,
    method: Method,
    givenLogits: Logits | PoolData,
    givenTargets: unknown,
    givenOptions: PoolForwardOptions | undefined,
  ): Promise<{ value: FloatArray | number | undefined; grad: FloatArray | undefined }> {
    const batch = this.#batchOf(givenLogits, givenTargets, givenOptions);
    const { logits, targets, held, options = NO_OPTIONS } = batch;
    if (this.#isClosed) throw closed();
    const spec = specFor(criterion);
    const given = optionsFor(held, options, method);
    const signal = signalOf(given);
    if (signal?.aborted) throw signal.reason;
    const isArray = kindOf(logits) !== undefined;
    // The quickest way, since it is that of the smallest calls.
    if (this.#size === 0 || (isArray && this.#isSmall(logits as FloatArray)))
      return evaluate(spec, method, logits, targets, given);
    // What is not one may turn out to be small, and is not read twice.
    const own = isArray ? given : readOptions(given, method.options);
    const { job, areChecked, buffer } = plan(spec, method, logits, targets, own);
    if (this.#isSmall(job.logits))
      return evaluate(spec, method, job.logits, job.targets as Targets, {
        ...own,
        ...shapeOf(job),
      });
    const wanted: Wanted = {
      values: method.wantsValue && spec.reduction === 'none',
      grad: method.wantsGrad,
      buffer,
      areChecked,
    };
    const { partials, values, grad } = await this.#during(signal, (crew, stopper) =>
      this.#isShared
        ? runShared(this.#means(crew, stopper), job, wanted)
        : runParted(crew, job, wanted, stopper, held?.id),
    );
    const total = method.wantsValue ? reduce(partials, job.denominator) : undefined;
    return { value: values ?? total, grad };
  }

  #means(crew: Crew, stopper: Stopper): Means {
    return { crew, stopper, stock: this.#stock, takesPart: this.#takesPart };
  }

  /** A call on the workers, while which they are kept, and may be stopped. */
  async #during<T>(
    signal: PoolSignal | undefined,
    run: (crew: Crew, stopper: Stopper, stop: (reason: unknown) => void) => Promise<T>,
  ): Promise<T> {
    // Reading arguments can run code of the caller's, and finding the analysis takes a while.
    if (signal?.aborted) throw signal.reason;
    const { stopper, stop } = makeStopper();
    const abort = () => stop(signal?.reason);
    signal?.addEventListener('abort', abort);
    this.#stops.add(stop);
    const crew = this.#crew;
    crew.enter();
    try {
      return await run(crew, stopper, stop);
    } finally {
      crew.leave();
      this.#stops.delete(stop);
      signal?.removeEventListener('abort', abort);
    }
  }
}

/** The analysis of the package beside this bundle, if the runtime finds it by its name. */
async function findAnalysis(): Promise<FullAnalysis> {
  let found: { readonly poolAnalysis?: PoolAnalysis };
  try {
    found = (await importPast('focal-loss/analysis')) as typeof found;
  } catch (cause) {
    throw new Error(
      'createPool needs the option analysis here: poolAnalysis, of focal-loss/analysis',
      { cause },
    );
  }
  return found.poolAnalysis as FullAnalysis;
}

function checkAnalysis(analysis: PoolAnalysis): FullAnalysis {
  const { code } = (analysis ?? {}) as Partial<FullAnalysis>;
  if (typeof code !== 'function')
    throw wrongType('analysis', 'poolAnalysis of focal-loss/analysis', analysis);
  return analysis as FullAnalysis;
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
      typeof signal.addEventListener === 'function' &&
      typeof signal.removeEventListener === 'function');
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
 *   that it cannot be; ModuleError where the engine does not start the WebAssembly module, or
 *   `analysis` is that of a slim entry.
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
  const given = checkOptions(options, POOL_OPTIONS);
  const { size, worker, startTimeout = START_TIMEOUT, useCallingThread = true } = given;
  if (size !== undefined) checkInteger('size', 1, MOST, size);
  checkInteger('startTimeout', 1, 2 ** 31 - 1, startTimeout);
  if (worker !== undefined && typeof worker !== 'function')
    throw wrongType('worker', 'a function that makes a worker', worker);
  if (typeof useCallingThread !== 'boolean')
    throw wrongType('useCallingThread', 'a boolean', useCallingThread);
  const analysis = given.analysis === undefined ? undefined : checkAnalysis(given.analysis);
  analysis?.moduleBytes();
  copyQuickly();
  // What is small is computed here.
  await init();
  const count = size ?? Math.min(await processors(), USUAL_MOST);
  const makeCrew: MakeCrew = (known) => {
    const code = () => known?.code() ?? codeOf(WORKER_CODE);
    const make = (worker ?? (() => makeWorker(code()))) as () => AnyWorker;
    return new Crew(count, make, known?.moduleBytes ?? moduleBytes, startTimeout);
  };
  const crew = makeCrew(analysis);
  const reason = await crew.start();
  if (reason !== undefined) {
    crew.close();
    console.warn(`focal-loss/pool computes on the calling thread: ${reason}`);
  }
  const isStarted = reason === undefined;
  const isShared = isStarted && crew.isShared;
  return new Workers(
    makeCrew,
    crew,
    analysis,
    isStarted ? count : 0,
    isShared,
    useCallingThread,
  ) as unknown as Pool;
}
