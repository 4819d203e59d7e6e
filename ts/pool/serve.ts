// The worker: it starts the module that it is sent, and takes chunks of calls until there are none.

import { areValid, blockRows, runBlocks } from '../call/blocks.js';
import { give } from '../module/given.js';
import { load } from '../module/instance.js';
import {
  CHECKED,
  MARKS,
  NEXT_CHECK,
  NEXT_CHUNK,
  type Order,
  type Reply,
  RUNNING,
  type RunOrder,
  STOPPED,
  type StartOrder,
} from './messages.js';

/** The way to answer: with a message, and the memory that goes with it. */
type Answer = (reply: Reply, transfer: ArrayBufferLike[]) => void;

/** The longest wait for chunks of others, in milliseconds, before the call is looked at again. */
const PATIENCE = 50;

function start({ bytes, probe }: StartOrder, answer: Answer): void {
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

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
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

/** Checks targets, with others, until all have been checked. */
function checkAll({ job, bounds, state }: RunOrder): void {
  const chunks = bounds.length - 1;
  for (;;) {
    const k = Atomics.add(state, NEXT_CHECK, 1);
    if (k >= chunks) break;
    const goesOn = unlessStopped(state, () => {
      if (!areValid(job, bounds[k] as number, bounds[k + 1] as number))
        throw new RangeError('targets hold one that is none');
    });
    if (!goesOn) return;
    Atomics.add(state, CHECKED, 1);
    Atomics.notify(state, CHECKED);
  }
  for (;;) {
    const checked = Atomics.load(state, CHECKED);
    if (checked === chunks || Atomics.load(state, STOPPED) !== 0) return;
    Atomics.wait(state, CHECKED, checked, PATIENCE);
  }
}

/** Computes chunks, with others, until there are none. */
function computeAll({ job, bounds, partials, values, grad, state }: RunOrder): void {
  const size = blockRows(job.width);
  const first = bounds[0] as number;
  for (;;) {
    const k = Atomics.add(state, NEXT_CHUNK, 1);
    if (k >= bounds.length - 1) return;
    // Where the call was begun anew, without a worker that ended, some are done.
    if (Atomics.load(state, MARKS + k) !== 0) continue;
    const start = bounds[k] as number;
    const goesOn = unlessStopped(state, () => {
      const sums = partials.subarray(Math.floor((start - first) / size));
      runBlocks(job, start, bounds[k + 1] as number, sums, values, grad);
      Atomics.store(state, MARKS + k, 1);
    });
    if (!goesOn) return;
  }
}

function run(order: RunOrder, answer: Answer): void {
  const { id, state, partials, values, grad } = order;
  let error: string | undefined;
  try {
    if (order.checksFirst) checkAll(order);
    computeAll(order);
  } catch (thrown) {
    error = messageOf(thrown);
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

/** The answers to an order. */
export function serve(order: Order, answer: Answer): void {
  if (order.type === 'start') start(order, answer);
  else run(order, answer);
}
