// The worker: it starts the module that it is sent, and takes chunks of calls until there are none.

import type { Task, TaskWork } from '../analysis/rows/pooled.js';
import { blockRows, checkValid, type Job, runBlocks } from '../call/blocks.js';
import { load } from '../module/instance.js';
import {
  CHECKED,
  DONE,
  END,
  type Failure,
  MARKS,
  NEXT_CHECK,
  NEXT_CHUNK,
  type Order,
  READY,
  type Reply,
  RUNNING,
  type RunOrder,
  STOPPED,
  type StartOrder,
} from './messages.js';

/** The way to answer: with a message, and the memory that goes with it. */
type Answer = (reply: Reply, transfer: ArrayBufferLike[]) => void;

/** The functions that a worker has besides those of the losses. */
export type Tasks = Readonly<Record<Task['name'], TaskWork>>;

/** The things in which workers differ. */
export interface Abilities {
  /** Takes the bytes of the module. */
  give(bytes: Uint8Array<ArrayBuffer>): void;
  /** The functions that it has besides those of the losses, if it has any. */
  readonly tasks: () => Tasks | undefined;
}

/** The logits and targets of data that was loaded, by the number of it and the part. */
const kept = new Map<number, Map<string, Pick<Job, 'logits' | 'targets'>>>();

/** The longest wait for chunks of others, in milliseconds, before the call is looked at again. */
const PATIENCE = 50;

/** The time in milliseconds that it stays awake meanwhile: to wake it takes the others a while. */
const AWAKE = 0.1;

function start({ bytes, probe }: StartOrder, { give }: Abilities, answer: Answer): void {
  let error: string | undefined;
  try {
    give(bytes);
    load();
    if (probe !== undefined) Atomics.store(probe, 0, 1);
  } catch (thrown) {
    error = messageOf(thrown);
  }
  answer({ type: 'ready', error }, []);
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The failure that an error is, as data. */
export function failureOf(thrown: unknown): Failure {
  return { message: messageOf(thrown), isRangeError: thrown instanceof RangeError };
}

/** Does some work, unless the call has been stopped. Returns whether it did. */
function unlessStopped(state: Int32Array, work: () => void): boolean {
  // In this order: who stops the call knows from the number whether somebody still writes.
  Atomics.add(state, RUNNING, 1);
  try {
    if (Atomics.load(state, STOPPED) !== 0) return false;
    work();
    return true;
  } finally {
    Atomics.sub(state, RUNNING, 1);
  }
}

/** Checks the targets of chunks, with others, until there are none, or the call is stopped. */
export function checkChunks({ job, bounds, state }: RunOrder): void {
  for (;;) {
    const k = Atomics.add(state, NEXT_CHECK, 1);
    if (k >= bounds.length - 1) return;
    const goesOn = unlessStopped(state, () =>
      checkValid(job, bounds[k] as number, bounds[k + 1] as number),
    );
    if (!goesOn) return;
    Atomics.add(state, CHECKED, 1);
    Atomics.notify(state, CHECKED);
  }
}

/** Checks targets, with others, until all have been checked. */
function checkAll(order: RunOrder): void {
  const { state, bounds } = order;
  checkChunks(order);
  for (;;) {
    const checked = Atomics.load(state, CHECKED);
    if (checked === bounds.length - 1 || Atomics.load(state, STOPPED) !== 0) return;
    Atomics.wait(state, CHECKED, checked, PATIENCE);
  }
}

/** Is told what a task gives for a chunk. */
export type Tell = (chunk: number, result: unknown) => void;

/** The next chunk that nobody has, once its rows are there; -1 where there will be none. */
function nextChunk(state: Int32Array): number {
  const k = Atomics.add(state, NEXT_CHUNK, 1);
  for (let until: number | undefined; ; ) {
    const ready = Atomics.load(state, READY);
    if (k < ready) return k;
    if (k >= Atomics.load(state, END) || Atomics.load(state, STOPPED) !== 0) return -1;
    until ??= performance.now() + AWAKE;
    if (performance.now() > until) Atomics.wait(state, READY, ready, PATIENCE);
  }
}

/**
 * Computes a chunk that nobody has, and tells what a task gives. Returns false where there is none,
 * or the call is stopped. It waits only where not all chunks are ready.
 */
export function computeNext(order: RunOrder, tasks: Tasks | undefined, tell: Tell): boolean {
  const { state } = order;
  const isStopped = () => Atomics.load(state, STOPPED) !== 0;
  const k = nextChunk(state);
  if (k === -1) return false;
  // Where the call was begun anew, without a worker that ended, some are done.
  if (Atomics.load(state, MARKS + k) !== 0) return true;
  return unlessStopped(state, () => {
    const result = computeChunk(order, k, tasks, isStopped);
    if (isStopped()) return;
    if (order.task !== undefined) tell(k, result);
    Atomics.store(state, MARKS + k, DONE);
  });
}

/** Computes chunks, with others, until there are none. */
function computeAll(order: RunOrder, tasks: Tasks | undefined, answer: Answer): void {
  const { id } = order;
  const tell = (chunk: number, result: unknown) =>
    answer({ type: 'chunk', id, chunk, result }, [...new Set(buffersIn(result))]);
  while (computeNext(order, tasks, tell));
}

/** The part of an order that says what is to be computed. */
type Computed = Pick<RunOrder, 'job' | 'task' | 'bounds' | 'partials' | 'values' | 'grad'>;

/** Computes a chunk, unless it is stopped. Returns what a task gives. */
export function computeChunk(
  { job, task, bounds, partials, values, grad }: Computed,
  k: number,
  tasks: Tasks | undefined,
  isStopped: () => boolean,
): unknown {
  const [start, end] = [bounds[k] as number, bounds[k + 1] as number];
  if (task === undefined) {
    const place = Math.floor((start - (bounds[0] as number)) / blockRows(job.width));
    runBlocks(job, start, end, partials.subarray(place), values, grad, isStopped);
    return undefined;
  }
  if (tasks === undefined) throw new Error(WRONG_WORKER);
  return tasks[task.name](job, start, end, task.data as never, isStopped);
}

/** The memory of all arrays in a result. */
function buffersIn(result: unknown): ArrayBufferLike[] {
  if (ArrayBuffer.isView(result)) return [result.buffer];
  if (typeof result !== 'object' || result === null) return [];
  return Object.values(result).flatMap(buffersIn);
}

const WRONG_WORKER =
  'the worker runs focal-loss/worker alone, which knows no analysis: see poolAnalysis.provide()';

function run(given: RunOrder, { tasks }: Abilities, answer: Answer): void {
  const { id, state, partials, values, grad } = given;
  let error: Failure | undefined;
  try {
    const order = { ...given, job: withKept(given) };
    if (order.checksFirst) checkAll(order);
    computeAll(order, tasks(), answer);
  } catch (thrown) {
    error = failureOf(thrown);
    Atomics.store(state, STOPPED, 1);
    Atomics.notify(state, CHECKED);
  }
  const buffers = [partials, values, grad].flatMap((array) => array?.buffer ?? []);
  const isOwn = buffers[0] instanceof ArrayBuffer;
  answer(
    { type: 'done', id, error, results: isOwn ? { partials, values, grad } : undefined },
    isOwn ? buffers : [],
  );
}

/** The job with logits and targets that are kept here, or will be from now on. */
function withKept({ job, kept: name }: RunOrder): Job {
  if (name === undefined) return job;
  const { data, part } = name;
  const parts = kept.get(data) ?? new Map<string, Pick<Job, 'logits' | 'targets'>>();
  kept.set(data, parts);
  const known = parts.get(part) ?? { logits: job.logits, targets: job.targets };
  parts.set(part, known);
  return { ...job, ...known };
}

/** The answers to an order. */
export function serve(order: Order, abilities: Abilities, answer: Answer): void {
  if (order.type === 'start') start(order, abilities, answer);
  else if (order.type === 'free') kept.delete(order.data);
  else run(order, abilities, answer);
}
