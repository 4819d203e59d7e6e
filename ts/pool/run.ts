// A call on the workers: its chunks are handed out, and what comes back becomes one result.

import type { Task } from '../analysis/rows/pooled.js';
import { arrayLike, kindOf, lengthOf } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { blockRows, checkValid, invalidTarget, type Job } from '../call/blocks.js';
import { type JobPart, partOf } from '../call/parts.js';
import type { Crew, Part, Sent } from './crew.js';
import {
  CHECKED,
  DONE,
  type DoneReply,
  END,
  type Failure,
  type Kept,
  MARKS,
  READY,
  RUNNING,
  type RunOrder,
  type RunResults,
} from './messages.js';
import { type Arrays, Ferry, giveTurnIfDue, isDone, stop, takePart, waitABit } from './own-part.js';
import { chunksOf, putBack, putRowsBack, resultsOf, sharesOf } from './parts.js';
import { computeChunk, failureOf, type Tasks, type Tell } from './serve.js';
import { isOnShared, roomFor, Staging, type Stock } from './staging.js';

/** The things that a call is to bring. */
export interface Wanted {
  readonly values: boolean;
  readonly grad: boolean;
  /** Where the gradient goes, if the caller says it. */
  readonly buffer: FloatArray | undefined;
  /** True where the targets have been looked at. */
  readonly areChecked: boolean;
}

/** The end of a call before its time: `undefined` where it came to its end. */
export type Stop = { readonly reason: unknown } | undefined;

/** The results of a job, on the calling thread. */
export interface Results {
  readonly partials: Float64Array;
  readonly values: FloatArray | undefined;
  readonly grad: FloatArray | undefined;
}

/** The error of a call in whose middle workers ended, more than once. */
function lostError(reason: string): Error {
  return new Error(
    `workers ended while they computed this, the last one because: ${reason}. The pool goes on with new ones`,
  );
}

/** The error that a failure has been. */
function errorOf({ message, isRangeError }: Failure): Error {
  return isRangeError ? new RangeError(message) : new Error(message);
}

/**
 * The error for what could not be computed of an order: that of the synchronous call, for the first
 * target that is none, if there is one in the rows that lie in the memory of the order.
 */
function errorIn({ job, bounds, state }: RunOrder, failure: Failure): Error {
  return invalidTarget(job, 0, bounds[state[READY] as number] as number) ?? errorOf(failure);
}

/** The times that a call is begun anew where a worker ended. */
const ATTEMPTS = 2;

/** The time in milliseconds between two looks at a call that is being stopped. */
const LOOK = 5;

let calls = 0;

/** A way for workers to end a call before its time. */
export interface Stopper {
  /** Is called once, if at all. */
  onStop(stop: () => void): void;
  /** The reason, once there is one. */
  readonly stop: Stop;
}

/** The outcome of a round of orders. */
interface Outcome {
  readonly error: Failure | undefined;
  readonly lost: string | undefined;
  /** True where no worker had started. */
  readonly hadNone: boolean;
}

/** The things that are listened to while workers have orders. */
interface Listener {
  /** A worker has no more to do for the order at a place. */
  replied(place: number, reply: DoneReply): void;
  /** A worker has ended. */
  lost(): void;
  /** A chunk of the order at a place is done. */
  took(place: number, chunk: number, result: unknown): void;
}

const NOBODY: Listener = { replied: () => {}, lost: () => {}, took: () => {} };

/** An order for any worker; where it is about data that a worker keeps, the same with these. */
type Given = Pick<Part, 'order' | 'transfer' | 'whole'>;

/** Gives each of some orders to a worker, and waits for all of them. */
function round(crew: Crew, orders: readonly Given[], listener: Listener): Promise<Outcome> {
  return new Promise((resolve) => {
    let pending = orders.length;
    let error: Failure | undefined;
    let lost: string | undefined;
    let hadNone = true;
    const settle = () => {
      if (--pending === 0) resolve({ error, lost, hadNone });
    };
    crew.give(
      orders.map(
        ({ order, transfer, whole }, place): Part => ({
          order,
          transfer,
          whole,
          took: (chunk, result) => listener.took(place, chunk, result),
          done: (reply) => {
            hadNone = false;
            error ??= reply.error;
            listener.replied(place, reply);
            settle();
          },
          lost: (reason, hadStarted) => {
            if (hadStarted) hadNone = false;
            lost ??= reason;
            listener.lost();
            settle();
          },
        }),
      ),
    );
  });
}

/** Throws where a call has been stopped. */
function checkStop({ stop }: Stopper): void {
  if (stop !== undefined) throw stop.reason;
}

function throwIfAny(error: Error | undefined): void {
  if (error !== undefined) throw error;
}

/** Waits until nobody writes any more, of a call that has been stopped, or has ended. */
async function quiet(state: Int32Array, end: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  const ended = end.then(() => {
    hasEnded = true;
  });
  while (!hasEnded && Atomics.load(state, RUNNING) !== 0)
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, LOOK))]);
}

/** The memory for the results of a job. */
function resultsFor(job: Job, { values, grad, buffer }: Wanted): Results {
  const wanted = resultsOf(job, Math.ceil(job.rows / blockRows(job.width)), values, false);
  return {
    ...wanted,
    grad: grad ? (buffer ?? arrayLike(job.logits, lengthOf(job.logits))) : undefined,
  };
}

/** A call on memory that workers share. */
interface SharedCall {
  readonly job: Job;
  readonly task: Task | undefined;
  readonly bounds: readonly number[];
  readonly results: Results;
  /** True where no gradient may be written before all targets have been looked at. */
  readonly checksFirst: boolean;
}

/** An order for a call, and the memory that it has taken from the stock. No row is there yet. */
function placed(
  stock: Stock,
  { job, task, bounds, results, checksFirst }: SharedCall,
): { order: RunOrder; buffer: SharedArrayBuffer } {
  const { partials, values, grad } = results;
  const inputs = [job.logits, job.targets, job.sampleWeights, job.gradScales];
  const moved = [...inputs, partials, values, grad].filter((array) => array && !isOnShared(array));
  const staging = new Staging(stock.take(moved.reduce((sum, array) => sum + roomFor(array), 0)));
  const order: RunOrder = {
    type: 'run',
    id: calls++,
    job: {
      ...job,
      logits: staging.place(job.logits),
      targets: staging.place(job.targets),
      sampleWeights: staging.place(job.sampleWeights),
      gradScales: staging.place(job.gradScales),
    },
    task,
    kept: undefined,
    bounds,
    partials: staging.place(partials),
    values: staging.place(values),
    grad: staging.place(grad),
    // Memory of its own: workers look there when the call is over, too.
    state: newState(bounds, (length) => new SharedArrayBuffer(length)),
    checksFirst,
  };
  return { order, buffer: staging.buffer };
}

/** The state of a call that has not begun. No row of it has been moved yet. */
function newState(
  bounds: readonly number[],
  make: (bytes: number) => ArrayBufferLike,
): Int32Array<ArrayBufferLike> {
  const chunks = bounds.length - 1;
  const state = new Int32Array(make(Int32Array.BYTES_PER_ELEMENT * (MARKS + chunks)));
  state[END] = chunks;
  return state;
}

/** The things that a call on shared memory needs. */
export interface Means {
  readonly crew: Crew;
  readonly stock: Stock;
  readonly stopper: Stopper;
  /** True where the calling thread computes as well, in the place of a worker. */
  readonly takesPart: boolean;
}

/** The logits of a chunk with which the calling thread keeps others waiting too long. */
const LONG_CHUNK = 2 ** 22;

/** A test whether the calling thread takes part in chunks of a job, which takes like so many. */
function isPart({ takesPart, crew }: Means, { rows }: Job, bounds: readonly number[], all: number) {
  const chunk = (all / rows) * (bounds[1] as number);
  return takesPart && crew.size > 1 && chunk <= LONG_CHUNK;
}

/** Has workers compute a job on memory that they share. Takes what it needs of it at once. */
export async function runShared(means: Means, job: Job, wanted: Wanted): Promise<Results> {
  const bounds = chunksOf(job, means.crew.size);
  const results = resultsFor(job, wanted);
  const checksFirst = wanted.buffer !== undefined && !wanted.areChecked;
  const call = { job, task: undefined, bounds, results, checksFirst };
  const isPartner = isPart(means, job, bounds, lengthOf(job.logits));
  await inChunks(means, call, isPartner);
  return results;
}

/** A test whether workers write to the buffer of a caller, which they must not for bad targets. */
function isWrittenByWorkers({ checksFirst, results: { grad } }: SharedCall): boolean {
  return checksFirst && grad !== undefined && isOnShared(grad);
}

/** The part of a call that this thread takes. */
interface OwnPart {
  readonly own: Arrays;
  readonly order: RunOrder;
  readonly tasks: Tasks | undefined;
  readonly tell: Tell;
}

/** Does this thread's part of a call, from the caller's arrays first. */
async function partner(
  ferry: Ferry,
  workers: number,
  { own, order, tasks, tell }: OwnPart,
  fail: (error: Error) => void,
): Promise<void> {
  try {
    if (ferry.isNeeded) ferry.run(workers);
  } catch (error) {
    // At once: the caller may change them as soon as this thread is left.
    return fail(invalidTarget(own.job, 0, own.job.rows) ?? errorOf(failureOf(error)));
  }
  try {
    await takePart(order, tasks, tell);
  } catch (error) {
    fail(errorIn(order, failureOf(error)));
  }
}

/** Has a call computed, its results where they are wanted. */
async function inChunks(
  { crew, stock, stopper }: Means,
  call: SharedCall,
  isPartner: boolean,
  doing?: Doing,
): Promise<void> {
  const own = { ...call.results, job: call.job };
  const { order: first, buffer } = placed(stock, call);
  const tell: Tell = (chunk, result) => doing?.results.add(chunk, result);
  const ferry = new Ferry(first, own, doing?.tasks, tell);
  const checksHere = call.checksFirst && ferry.isNeeded && isPartner;
  const order = { ...first, checksFirst: !checksHere && isWrittenByWorkers(call) };
  const { state } = order;
  let failure: Error | undefined;
  const isOver = () => failure !== undefined || stopper.stop !== undefined;
  if (!(ferry.isNeeded && isPartner)) ferry.stageAll();
  const stopped = new Promise<void>((resolve) => {
    stopper.onStop(() => {
      stop(state);
      resolve();
    });
  });
  const workers = isPartner ? crew.size - 1 : crew.size;
  const end = attempts(crew, workers, order, isOver, doing);
  const free = () => stock.giveBack(buffer);
  // No other attempt is made of a call that has failed here.
  const fail = (error: Error) => {
    failure = error;
    stop(state);
  };
  try {
    if (checksHere) ferry.check(workers, fail);
    if (isPartner) await partner(ferry, workers, { own, order, tasks: doing?.tasks, tell }, fail);
    // Nobody waits for workers that are late, but for the results of a task.
    const isDoneSoon = isPartner && doing === undefined && waitABit(state);
    if (isPartner) await giveTurnIfDue(ferry);
    if (!isDoneSoon && failure === undefined) await Promise.race([end, stopped]);
    if (isOver()) await quiet(state, end);
    checkStop(stopper);
    throwIfAny(failure ?? (isDoneSoon ? undefined : await end));
    ferry.deliverAll();
    free();
  } catch (error) {
    // Workers may be at it, even long after this.
    void end.then(free);
    throw error;
  }
}

/** A task for workers: what it takes, and who takes what comes back. */
export interface TaskCall {
  readonly job: Job;
  readonly task: Task;
  readonly unit: number;
  readonly entries: number;
  /** The functions with which this thread does what no worker can be had for. */
  readonly tasks: Tasks;
  take(result: unknown): void;
}

/** The results of chunks on their way to who takes them in the order of the rows. */
class InOrder {
  readonly #waiting = new Map<number, unknown>();
  readonly #take: (result: unknown) => void;
  #next = 0;

  constructor(take: (result: unknown) => void) {
    this.#take = take;
  }

  /** Marks what is there: a chunk that a worker did, and could not tell any more, is not done. */
  mark(marks: Int32Array): void {
    for (let k = 0; k < marks.length; k++) marks[k] = this.#has(k) ? DONE : 0;
  }

  #has(chunk: number): boolean {
    return chunk < this.#next || this.#waiting.has(chunk);
  }

  add(chunk: number, result: unknown): void {
    if (this.#has(chunk)) return;
    this.#waiting.set(chunk, result);
    for (; this.#waiting.has(this.#next); this.#next++) {
      this.#take(this.#waiting.get(this.#next));
      this.#waiting.delete(this.#next);
    }
  }
}

/** A task that is under way. */
interface Doing {
  readonly tasks: Tasks;
  readonly results: InOrder;
}

/** Has workers do a task on memory that they share. Takes what it needs of it at once. */
export async function runTaskShared(means: Means, call: TaskCall): Promise<void> {
  const { job, task, unit, entries, take, tasks } = call;
  const bounds = chunksOf(job, means.crew.size, unit, entries);
  const results = { partials: new Float64Array(0), values: undefined, grad: undefined };
  const doing = { tasks, results: new InOrder(take) };
  const isPartner = isPart(means, job, bounds, entries);
  await inChunks(means, { job, task, bounds, results, checksFirst: false }, isPartner, doing);
}

/** Has all chunks computed. Returns what is in the way, if something is. */
async function attempts(
  crew: Crew,
  workers: number,
  order: RunOrder,
  isOver: () => boolean,
  doing?: Doing,
): Promise<Error | undefined> {
  const { state, bounds } = order;
  const chunks = bounds.length - 1;
  let reason = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = { ...order, id: calls++ };
    const orders = Array.from({ length: Math.min(workers, chunks) }, () => ({
      order: current,
      transfer: [],
      whole: undefined,
    }));
    const { error, lost, hadNone } = await round(crew, orders, {
      ...NOBODY,
      took: (_, chunk, result) => {
        if (!isOver()) doing?.results.add(chunk, result);
      },
      lost: () => stopChecks(order),
    });
    if (error !== undefined) return errorIn(order, error);
    if (isOver()) return undefined;
    doing?.results.mark(state.subarray(MARKS));
    if (lost === undefined || isDone(state)) return undefined;
    if (hadNone) return computeHere(order, doing);
    reason = lost;
    // The next attempt takes up what this one left.
    state.subarray(0, READY).fill(0);
  }
  return lostError(reason);
}

/** Nobody may wait for what one who is gone was to check. */
function stopChecks({ state, bounds, checksFirst }: RunOrder): void {
  if (checksFirst && Atomics.load(state, CHECKED) !== bounds.length - 1) stop(state);
}

/** Computes what is left of a job, where no worker can be had. */
function computeHere(order: RunOrder, doing?: Doing): Error | undefined {
  const { job, bounds, state } = order;
  try {
    if (order.checksFirst) checkValid(job, 0, job.rows);
    for (let k = 0; k < bounds.length - 1; k++) {
      if (state[MARKS + k] !== 0) continue;
      const result = computeChunk(order, k, doing?.tasks, () => false);
      doing?.results.add(k, result);
      state[MARKS + k] = DONE;
    }
    return undefined;
  } catch (error) {
    return errorIn(order, failureOf(error));
  }
}

/** Has workers compute a job, each on a copy of its part. Takes these copies at once. */
export async function runParted(
  crew: Crew,
  job: Job,
  wanted: Wanted,
  stopper: Stopper,
  data: number | undefined,
): Promise<Results> {
  if (!wanted.areChecked) checkValid(job, 0, job.rows);
  const shares = sharesOf(job, crew.size);
  const size = blockRows(job.width);
  const results = resultsFor(job, wanted);
  const parts = partsOf(job, shares, data);
  const replies = await unlessStopped(stopper, eachPart(crew, parts, wanted));
  for (const [i, { part }] of parts.entries()) {
    const { partials, values, grad } = replies[i] as RunResults;
    results.partials.set(partials, (shares[i] as number) / size);
    if (values && results.values) putRowsBack(part, values, results.values);
    if (grad && results.grad) putBack(job, part, grad, results.grad);
  }
  return results;
}

/** The outcome, unless the call is stopped before: nobody waits for it then. */
async function unlessStopped<T>(stopper: Stopper, end: Promise<T>): Promise<T> {
  const stopped = new Promise<void>((resolve) => stopper.onStop(resolve));
  await Promise.race([end, stopped]);
  checkStop(stopper);
  return end;
}

/** A part of a job, and how a worker gets it. */
interface PartedJob {
  readonly part: JobPart;
  readonly kept: Kept | undefined;
  /** The same with logits and targets. */
  whole(): Job;
}

/** The parts of a job. Of data that workers keep they are without it, at first. */
function partsOf(job: Job, shares: readonly number[], data: number | undefined): PartedJob[] {
  return shares.slice(0, -1).map((start, i) => {
    const end = shares[i + 1] as number;
    const part = partOf(job, start, end, data === undefined);
    const { width, form, targets } = job;
    const [from, to] = [part.first * width, (part.first + part.job.rows) * width];
    const name = [from, to, form, kindOf(targets), part.job.spatialSize].join();
    return {
      part,
      kept: data === undefined ? undefined : { data, part: name },
      whole: () => (data === undefined ? part.job : partOf(job, start, end).job),
    };
  });
}

/** The order for a part, without what a worker keeps, and with it. */
function ordersFor(
  { part, kept, whole }: PartedJob,
  results: Pick<RunOrder, 'partials' | 'values' | 'grad'>,
  task: Task | undefined,
): Given {
  const bounds = [part.start, part.end];
  const state = newState(bounds, (length) => new ArrayBuffer(length));
  state[READY] = 1;
  const order: RunOrder = {
    type: 'run',
    id: calls++,
    job: part.job,
    task,
    kept,
    bounds,
    ...results,
    state,
    checksFirst: false,
  };
  const sent = (job: Job): Sent => {
    const arrays = [
      job.logits,
      job.targets,
      job.sampleWeights,
      job.gradScales,
      order.partials,
      order.values,
      order.grad,
    ];
    return { order: { ...order, job }, transfer: arrays.flatMap((array) => array?.buffer ?? []) };
  };
  const ofData = () => sent(whole());
  return { ...sent(part.job), whole: kept === undefined ? undefined : ofData };
}

/** The results of all parts. One whose worker ended is lost with what it was sent. */
async function eachPart(
  crew: Crew,
  parts: readonly PartedJob[],
  wanted: Wanted,
): Promise<RunResults[]> {
  const replies: RunResults[] = [];
  const orders = parts.map((parted) => {
    const { job, start, end } = parted.part;
    const blocks = Math.ceil((end - start) / blockRows(job.width));
    const results = resultsOf(job, blocks, wanted.values, wanted.grad);
    return ordersFor(parted, results, undefined);
  });
  const { error, lost, hadNone } = await round(crew, orders, {
    ...NOBODY,
    replied: (place, reply) => {
      if (reply.results !== undefined) replies[place] = reply.results;
    },
  });
  if (hadNone) {
    // Nothing has been sent.
    for (const given of orders) throwIfAny(computeHere((given.whole?.() ?? given).order));
    return orders.map(({ order }) => order);
  }
  if (error !== undefined) throw errorOf(error);
  if (lost !== undefined) throw lostError(lost);
  return replies;
}

/** Has workers do a task, each on a copy of its part. Takes these copies at once. */
export async function runTaskParted(
  crew: Crew,
  { job, task, unit, take, tasks }: TaskCall,
  stopper: Stopper,
  data: number | undefined,
): Promise<void> {
  checkValid(job, 0, job.rows);
  const results = new InOrder(take);
  const nothing = () => ({ partials: new Float64Array(0), values: undefined, grad: undefined });
  const orders = partsOf(job, sharesOf(job, crew.size, unit), data).map((parted) =>
    ordersFor(parted, nothing(), task),
  );
  const end = round(crew, orders, {
    ...NOBODY,
    took: (place, _, result) => {
      if (stopper.stop === undefined) results.add(place, result);
    },
  });
  const { error, lost, hadNone } = await unlessStopped(stopper, end);
  if (error !== undefined) throw errorOf(error);
  if (hadNone) {
    for (const [place, given] of orders.entries()) {
      const { order } = given.whole?.() ?? given;
      throwIfAny(
        computeHere(order, { tasks, results: new InOrder((one) => results.add(place, one)) }),
      );
    }
    checkStop(stopper);
  } else if (lost !== undefined) throw lostError(lost);
}
