// A call on the workers: its chunks are handed out, and what comes back becomes one result.

import { arrayLike, copyInto, lengthOf } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { blockRows, type Job, runBlocks } from '../call/blocks.js';
import type { Crew, Part } from './crew.js';
import {
  CHECKED,
  type DoneReply,
  MARKS,
  RUNNING,
  type RunOrder,
  type RunResults,
  STOPPED,
} from './messages.js';
import {
  chunksOf,
  type JobPart,
  partOf,
  putBack,
  putRowsBack,
  resultsOf,
  sharesOf,
} from './parts.js';
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

/** Gives each of some orders to a worker, and waits for all of them. */
function round(
  crew: Crew,
  orders: readonly { order: RunOrder; transfer: readonly ArrayBufferLike[] }[],
  onReply: (place: number, reply: DoneReply) => void,
  onLost: () => void,
): Promise<Outcome> {
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
        ({ order, transfer }, place): Part => ({
          order,
          transfer,
          done: (reply) => {
            hadNone = false;
            error ??= reply.error;
            onReply(place, reply);
            settle();
          },
          lost: (reason, hadStarted) => {
            if (hadStarted) hadNone = false;
            lost ??= reason;
            onLost();
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
    job: {
      ...job,
      logits: staging.share(job.logits),
      targets: staging.share(job.targets),
      sampleWeights: staging.share(job.sampleWeights),
      gradScales: staging.share(job.gradScales),
    },
    bounds,
    partials: staging.make(partials, blocks),
    state: staging.make(state, state.length).fill(0),
    values: values && staging.make(values, job.rows),
    grad: grad && (isDirect ? staging.share(grad) : staging.make(grad, lengthOf(grad))),
    checksFirst: isDirect && !wanted.areChecked,
  };
  const end = attempts(crew, order, stopper);
  // The memory is free when no worker has a part of the call, which may be long after its end.
  void end.then(
    () => stock.giveBack(staging.buffer),
    () => {},
  );
  const stopped = new Promise<void>((resolve) => {
    stopper.onStop(() => {
      Atomics.store(order.state, STOPPED, 1);
      Atomics.notify(order.state, CHECKED);
      resolve();
    });
  });
  await Promise.race([end, stopped]);
  if (stopper.stop !== undefined) await quiet(order.state, end);
  checkStop(stopper);
  throwIfAny(await end);
  copyInto(partials, order.partials, 0);
  if (values !== undefined) copyInto(values, order.values as FloatArray, 0);
  if (grad !== undefined && !isDirect) copyInto(grad, order.grad as FloatArray, 0);
  return { partials, values, grad };
}

/** Has all chunks computed. Returns what is in the way, if something is. */
async function attempts(crew: Crew, order: RunOrder, stopper: Stopper): Promise<Error | undefined> {
  const { state, bounds } = order;
  const chunks = bounds.length - 1;
  let reason = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const current = { ...order, id: calls++ };
    const orders = Array.from({ length: Math.min(crew.size, chunks) }, () => ({
      order: current,
      transfer: [],
    }));
    const { error, lost, hadNone } = await round(
      crew,
      orders,
      () => {},
      () => {
        // Nobody may wait for what one who is gone was to check.
        if (!order.checksFirst || Atomics.load(state, CHECKED) === chunks) return;
        Atomics.store(state, STOPPED, 1);
        Atomics.notify(state, CHECKED);
      },
    );
    if (error !== undefined) return new WorkerError(error);
    if (stopper.stop !== undefined) return undefined;
    if (lost === undefined || state.subarray(MARKS).every((mark) => mark === 1)) return undefined;
    if (hadNone) return computeHere(order);
    reason = lost;
    // The next attempt takes up what this one left.
    state.subarray(0, MARKS).fill(0);
  }
  return lostError(reason);
}

/** Computes what is left of a job, where no worker can be had. */
function computeHere({ job, bounds, partials, values, grad, state }: RunOrder): Error | undefined {
  const size = blockRows(job.width);
  const first = bounds[0] as number;
  try {
    for (let k = 0; k < bounds.length - 1; k++) {
      if (state[MARKS + k] === 1) continue;
      const start = bounds[k] as number;
      const sums = partials.subarray((start - first) / size);
      runBlocks(job, start, bounds[k + 1] as number, sums, values, grad);
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
): Promise<Results> {
  const shares = sharesOf(job, crew.size);
  const size = blockRows(job.width);
  const results: Results = {
    partials: new Float64Array(Math.ceil(job.rows / size)),
    values: wanted.values ? arrayLike(job.logits, job.rows) : undefined,
    grad: wanted.grad ? (wanted.buffer ?? arrayLike(job.logits, lengthOf(job.logits))) : undefined,
  };
  const parts = shares.slice(0, -1).map((start, i) => partOf(job, start, shares[i + 1] as number));
  const end = eachPart(crew, parts, wanted);
  const stopped = new Promise<void>((resolve) => stopper.onStop(resolve));
  await Promise.race([end, stopped]);
  checkStop(stopper);
  const replies = await end;
  for (const [i, part] of parts.entries()) {
    const { partials, values, grad } = replies[i] as RunResults;
    results.partials.set(partials, (shares[i] as number) / size);
    if (values && results.values) putRowsBack(part, values, results.values);
    if (grad && results.grad) putBack(job, part, grad, results.grad);
  }
  return results;
}

/** The results of all parts. One whose worker ended is lost with what it was sent. */
async function eachPart(
  crew: Crew,
  parts: readonly JobPart[],
  wanted: Wanted,
): Promise<RunResults[]> {
  const replies: RunResults[] = [];
  const orders = parts.map(({ job, start, end }) => {
    const blocks = Math.ceil((end - start) / blockRows(job.width));
    const order: RunOrder = {
      type: 'run',
      id: calls++,
      job,
      bounds: [start, end],
      ...resultsOf(job, blocks, wanted.values, wanted.grad),
      state: new Int32Array(MARKS + 1),
      checksFirst: false,
    };
    const arrays = [
      job.logits,
      job.targets,
      job.sampleWeights,
      job.gradScales,
      order.partials,
      order.values,
      order.grad,
    ];
    return { order, transfer: arrays.flatMap((array) => array?.buffer ?? []) };
  });
  const { error, lost, hadNone } = await round(
    crew,
    orders,
    (place, reply) => {
      if (reply.results !== undefined) replies[place] = reply.results;
    },
    () => {},
  );
  if (hadNone) {
    // Nothing has been sent.
    for (const { order } of orders) throwIfAny(computeHere(order));
    return orders.map(({ order }) => order);
  }
  if (error !== undefined) throw new WorkerError(error);
  if (lost !== undefined) throw lostError(lost);
  return replies;
}
