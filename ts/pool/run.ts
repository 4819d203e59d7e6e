// A call on the workers: its chunks are handed out, and what comes back becomes one result.

import type { Task } from '../analysis/rows/pooled.js';
import { arrayLike, copyInto, kindOf, lengthOf } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { blockRows, type Job } from '../call/blocks.js';
import { type JobPart, partOf } from '../call/parts.js';
import type { Crew, Part, Sent } from './crew.js';
import {
  CHECKED,
  type DoneReply,
  type Kept,
  MARKS,
  RUNNING,
  type RunOrder,
  type RunResults,
  STOPPED,
} from './messages.js';
import { chunksOf, putBack, putRowsBack, resultsOf, sharesOf } from './parts.js';
import { computeChunk, type Tasks } from './serve.js';
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

/** The error of a worker, where the calling thread finds none. */
export class WorkerError extends Error {}

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
  readonly error: string | undefined;
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
    let error: string | undefined;
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

/** Has workers compute a job on memory that they share. Takes what it needs of it at once. */
export async function runShared(
  crew: Crew,
  stock: Stock,
  job: Job,
  wanted: Wanted,
  stopper: Stopper,
): Promise<Results> {
  const bounds = chunksOf(job, crew.size);
  const chunks = bounds.length - 1;
  const blocks = Math.ceil(job.rows / blockRows(job.width));
  const inputs = [job.logits, job.targets, job.sampleWeights, job.gradScales];
  const isDirect = wanted.buffer !== undefined && isOnShared(wanted.buffer);
  const partials = new Float64Array(blocks);
  const state = new Int32Array(MARKS + chunks);
  const values = wanted.values ? arrayLike(job.logits, job.rows) : undefined;
  const grad = wanted.grad
    ? (wanted.buffer ?? arrayLike(job.logits, lengthOf(job.logits)))
    : undefined;
  const rooms = [
    ...inputs.map((array) => (array && isOnShared(array) ? 0 : roomFor(array))),
    ...[partials, state, values, isDirect ? undefined : grad].map(roomFor),
  ];
  const staging = new Staging(stock.take(rooms.reduce((sum, room) => sum + room, 0)));
  const order: RunOrder = {
    type: 'run',
    id: calls++,
    job: sharedJob(staging, job),
    task: undefined,
    kept: undefined,
    bounds,
    partials: staging.make(partials, blocks),
    state: staging.make(state, state.length).fill(0),
    values: values && staging.make(values, job.rows),
    grad: grad && (isDirect ? staging.share(grad) : staging.make(grad, lengthOf(grad))),
    checksFirst: isDirect && !wanted.areChecked,
  };
  const end = attempts(crew, order, stopper);
  giveBackAfter(end, stock, staging);
  await endOrStop(order, end, stopper);
  copyInto(partials, order.partials, 0);
  if (values !== undefined) copyInto(values, order.values as FloatArray, 0);
  if (grad !== undefined && !isDirect) copyInto(grad, order.grad as FloatArray, 0);
  return { partials, values, grad };
}

/** A job with all of its arrays on shared memory. */
function sharedJob(staging: Staging, job: Job): Job {
  return {
    ...job,
    logits: staging.share(job.logits),
    targets: staging.share(job.targets),
    sampleWeights: staging.share(job.sampleWeights),
    gradScales: staging.share(job.gradScales),
  };
}

/** The memory is free when no worker has a part of the call, which may be long after its end. */
function giveBackAfter(end: Promise<unknown>, stock: Stock, { buffer }: Staging): void {
  void end.then(
    () => stock.giveBack(buffer),
    () => {},
  );
}

/** Waits for the end of a call, or until it is stopped. Throws what is in its way. */
async function endOrStop(
  { state }: RunOrder,
  end: Promise<Error | undefined>,
  stopper: Stopper,
): Promise<void> {
  const stopped = new Promise<void>((resolve) => {
    stopper.onStop(() => {
      Atomics.store(state, STOPPED, 1);
      Atomics.notify(state, CHECKED);
      resolve();
    });
  });
  await Promise.race([end, stopped]);
  if (stopper.stop !== undefined) await quiet(state, end);
  checkStop(stopper);
  throwIfAny(await end);
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
    for (let k = 0; k < marks.length; k++) marks[k] = this.#has(k) ? 1 : 0;
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
export async function runTaskShared(
  crew: Crew,
  stock: Stock,
  call: TaskCall,
  stopper: Stopper,
): Promise<void> {
  const { job, task, unit, entries, take, tasks } = call;
  const bounds = chunksOf(job, crew.size, unit, entries);
  const state = new Int32Array(MARKS + bounds.length - 1);
  const inputs = [job.logits, job.targets, job.sampleWeights];
  const rooms = [
    ...inputs.map((array) => (array && isOnShared(array) ? 0 : roomFor(array))),
    roomFor(state),
  ];
  const staging = new Staging(stock.take(rooms.reduce((sum, room) => sum + room, 0)));
  const order: RunOrder = {
    type: 'run',
    id: calls++,
    job: sharedJob(staging, job),
    task,
    kept: undefined,
    bounds,
    state: staging.make(state, state.length).fill(0),
    partials: staging.make(new Float64Array(0), 0),
    values: undefined,
    grad: undefined,
    checksFirst: false,
  };
  const end = attempts(crew, order, stopper, { tasks, results: new InOrder(take) });
  giveBackAfter(end, stock, staging);
  await endOrStop(order, end, stopper);
}

/** Has all chunks computed. Returns what is in the way, if something is. */
async function attempts(
  crew: Crew,
  order: RunOrder,
  stopper: Stopper,
  doing?: Doing,
): Promise<Error | undefined> {
  const { state, bounds } = order;
  const chunks = bounds.length - 1;
  let reason = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = { ...order, id: calls++ };
    const orders = Array.from({ length: Math.min(crew.size, chunks) }, () => ({
      order: current,
      transfer: [],
      whole: undefined,
    }));
    const { error, lost, hadNone } = await round(crew, orders, {
      ...NOBODY,
      took: (_, chunk, result) => {
        if (stopper.stop === undefined) doing?.results.add(chunk, result);
      },
      lost: () => stopChecks(order),
    });
    if (error !== undefined) return new WorkerError(error);
    if (stopper.stop !== undefined) return undefined;
    doing?.results.mark(state.subarray(MARKS));
    if (lost === undefined || state.subarray(MARKS).every((mark) => mark === 1)) return undefined;
    if (hadNone) return computeHere(order, doing);
    reason = lost;
    // The next attempt takes up what this one left.
    state.subarray(0, MARKS).fill(0);
  }
  return lostError(reason);
}

/** Nobody may wait for what one who is gone was to check. */
function stopChecks({ state, bounds, checksFirst }: RunOrder): void {
  if (!checksFirst || Atomics.load(state, CHECKED) === bounds.length - 1) return;
  Atomics.store(state, STOPPED, 1);
  Atomics.notify(state, CHECKED);
}

/** Computes what is left of a job, where no worker can be had. */
function computeHere(order: RunOrder, doing?: Doing): Error | undefined {
  const { bounds, state } = order;
  try {
    for (let k = 0; k < bounds.length - 1; k++) {
      if (state[MARKS + k] === 1) continue;
      const result = computeChunk(order, k, doing?.tasks, () => false);
      doing?.results.add(k, result);
    }
    return undefined;
  } catch (error) {
    return new WorkerError(error instanceof Error ? error.message : String(error));
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
  const shares = sharesOf(job, crew.size);
  const size = blockRows(job.width);
  const results: Results = {
    partials: new Float64Array(Math.ceil(job.rows / size)),
    values: wanted.values ? arrayLike(job.logits, job.rows) : undefined,
    grad: wanted.grad ? (wanted.buffer ?? arrayLike(job.logits, lengthOf(job.logits))) : undefined,
  };
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
  const order: RunOrder = {
    type: 'run',
    id: calls++,
    job: part.job,
    task,
    kept,
    bounds: [part.start, part.end],
    ...results,
    state: new Int32Array(MARKS + 1),
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
  if (error !== undefined) throw new WorkerError(error);
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
  if (error !== undefined) throw new WorkerError(error);
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
