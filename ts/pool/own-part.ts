// The part of a call that the calling thread takes: it computes chunks, too, and moves those of
// others to shared memory and back where the caller's arrays do not lie there.

import { copyInto } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { checkValid, type Job } from '../call/blocks.js';
import {
  CHECKED,
  DELIVERED,
  DONE,
  END,
  MARKS,
  NEXT_CHUNK,
  READY,
  type RunOrder,
  type RunResults,
  STOPPED,
} from './messages.js';
import { putBack, putRowsBack } from './parts.js';
import { turn } from './runtime.js';
import { checkChunks, computeChunk, computeNext, type Tasks, type Tell } from './serve.js';
import { isOnShared } from './staging.js';

/** The time in milliseconds after which others have their turn. */
const TURN = 4;

/** The time when others had it last, whatever the call. */
let lastTurn = 0;

async function giveTurn(): Promise<void> {
  await turn();
  lastTurn = performance.now();
}

/**
 * The time in milliseconds after which what is left of ordinary arrays is copied, so that it may be
 * changed, and others have their turn.
 */
const LONG_TURN = 20;

/**
 * The chunks that wait for each worker, of those that are moved: as many as it computes while this
 * thread is at one of its own, and at those that come back. With fewer it would fall asleep.
 */
const AHEAD = 3;

/** Lets others have their turn at the end of a call, unless they have just had it. */
export async function giveTurnIfDue({ isNeeded }: Ferry): Promise<void> {
  if (performance.now() - lastTurn >= (isNeeded ? LONG_TURN : TURN)) await giveTurn();
}

/** The longest wait for the last chunks of others without leaving the thread, in milliseconds. */
const SPIN = 0.2;

/** The arrays of a caller. */
export interface Arrays extends RunResults {
  readonly job: Job;
}

export const isStopped = (state: Int32Array) => Atomics.load(state, STOPPED) !== 0;

/** Stops a call: no chunk is begun any more. */
export function stop(state: Int32Array): void {
  Atomics.store(state, STOPPED, 1);
  Atomics.notify(state, CHECKED);
  Atomics.notify(state, READY);
}

/** A test whether every chunk is done. */
export function isDone(state: Int32Array): boolean {
  for (let i = MARKS; i < state.length; i++) if (Atomics.load(state, i) === 0) return false;
  return true;
}

/** Waits a moment for the last chunks of others. Returns whether all are done. */
export function waitABit(state: Int32Array): boolean {
  for (const until = performance.now() + SPIN; ; ) {
    if (isDone(state)) return true;
    if (isStopped(state) || performance.now() > until) return false;
  }
}

/** Takes part in a call, as a worker does, until no chunk is left or the call is stopped. */
export async function takePart(
  order: RunOrder,
  tasks: Tasks | undefined,
  tell: Tell,
): Promise<void> {
  const { state, bounds } = order;
  if (order.checksFirst) {
    checkChunks(order);
    while (Atomics.load(state, CHECKED) < bounds.length - 1 && !isStopped(state)) await giveTurn();
  }
  for (;;) {
    const until = performance.now() + TURN;
    do {
      if (!computeNext(order, tasks, tell)) return;
    } while (performance.now() < until);
    await giveTurn();
  }
}

/** A test whether some arrays lie where workers do not reach them. */
function areElsewhere({ job, values, grad }: Arrays): boolean {
  const { logits, targets, sampleWeights, gradScales } = job;
  const arrays = [logits, targets, sampleWeights, gradScales, values, grad];
  return arrays.some((array) => array !== undefined && !isOnShared(array));
}

/** The rows of a job that is cut into chunks, on their way between two places. */
export class Ferry {
  /** True where anything has to be moved. */
  readonly isNeeded: boolean;
  readonly #order: RunOrder;
  readonly #own: Arrays;
  readonly #tasks: Tasks | undefined;
  readonly #tell: Tell;
  /** The chunks that may have to be delivered. */
  #delivered = 0;

  /** The order is for other arrays, which lie on shared memory, or are the caller's. */
  constructor(order: RunOrder, own: Arrays, tasks: Tasks | undefined, tell: Tell) {
    this.#order = order;
    this.#own = own;
    this.isNeeded = areElsewhere(own);
    this.#tasks = tasks;
    this.#tell = tell;
  }

  /** Has workers find all chunks that they have not found yet. */
  stageAll(): void {
    const { state } = this.#order;
    const [ready, end] = [state[READY] as number, state[END] as number];
    if (this.isNeeded) for (let k = ready; k < end; k++) this.#stage(k);
    this.#open(end);
  }

  /**
   * Computes chunks, the last one first, while workers compute those that it moves for them, the
   * first one first. It comes to an end when none is left, or, after some time, when all have been
   * moved.
   */
  run(workers: number): void {
    const until = performance.now() + LONG_TURN;
    this.#split(workers, until);
    this.#help(until);
  }

  /**
   * Checks all targets, before the caller may change them.
   * @param fail is called before the error is thrown, that of the synchronous call
   */
  check(workers: number, fail: (error: Error) => void): void {
    const { job, grad } = this.#own;
    // Workers have what to begin with, if what they write is not the caller's.
    if (grad !== undefined && !isOnShared(grad)) for (let k = 0; k < workers; k++) this.#openNext();
    try {
      checkValid(job, 0, job.rows);
    } catch (error) {
      fail(error as Error);
      throw error;
    }
  }

  /** Moves chunks for workers, and computes others, until none is left. */
  #split(workers: number, until: number): void {
    const { state } = this.#order;
    while (!isStopped(state)) {
      this.deliver();
      const [ready, end] = [state[READY] as number, state[END] as number];
      if (ready === end) break;
      if (performance.now() > until) this.stageAll();
      else if (ready - Atomics.load(state, NEXT_CHUNK) < AHEAD * workers) this.#openNext();
      else {
        Atomics.store(state, END, end - 1);
        this.#compute(end - 1);
      }
    }
    // Nobody waits for what will not come.
    Atomics.notify(state, READY);
  }

  /** Computes chunks that have been moved for workers, but that none has. */
  #help(until: number): void {
    const { state } = this.#order;
    while (performance.now() <= until && !isStopped(state)) {
      const k = Atomics.add(state, NEXT_CHUNK, 1);
      if (k >= (state[END] as number)) return;
      this.#compute(k);
      this.deliver();
    }
  }

  /** Moves results to where the caller wants them, as far as they are there. */
  deliver(): void {
    const { state } = this.#order;
    for (; this.#delivered < (state[READY] as number); this.#delivered++) {
      const mark = Atomics.load(state, MARKS + this.#delivered);
      if (mark === 0) return;
      if (mark === DONE) this.#deliver(this.#delivered);
    }
  }

  /** Moves all results, once they are there. */
  deliverAll(): void {
    this.deliver();
    copyInto(this.#own.partials, this.#order.partials, 0);
  }

  #openNext(): void {
    const { state } = this.#order;
    const ready = state[READY] as number;
    if (ready === state[END]) return;
    this.#stage(ready);
    this.#open(ready + 1);
  }

  #open(ready: number): void {
    const { state } = this.#order;
    Atomics.store(state, READY, ready);
    Atomics.notify(state, READY);
  }

  #compute(k: number): void {
    const { state, partials, bounds, task } = this.#order;
    if (state[MARKS + k] !== 0) return;
    const own = { ...this.#own, partials, bounds, task };
    const result = computeChunk(own, k, this.#tasks, () => isStopped(state));
    if (isStopped(state)) return;
    if (task !== undefined) this.#tell(k, result);
    Atomics.store(state, MARKS + k, DELIVERED);
  }

  #rows(k: number): readonly [number, number] {
    const { bounds } = this.#order;
    return [bounds[k] as number, bounds[k + 1] as number];
  }

  #stage(k: number): void {
    const { job } = this.#own;
    const to = this.#order.job;
    const rows = this.#rows(k);
    const isEach = job.form === 'probabilities';
    move(job, job.logits, to.logits, rows, true);
    move(job, job.targets as FloatArray, to.targets as FloatArray, rows, isEach);
    move(job, job.gradScales, to.gradScales, rows, false);
    const { rowsPerWeight } = job;
    const weighted = [
      Math.floor(rows[0] / rowsPerWeight),
      Math.ceil(rows[1] / rowsPerWeight),
    ] as const;
    move(job, job.sampleWeights, to.sampleWeights, weighted, false);
  }

  #deliver(k: number): void {
    const { values, grad } = this.#order;
    const own = this.#own;
    move(own.job, values, own.values, this.#rows(k), false);
    move(own.job, grad, own.grad, this.#rows(k), true);
  }
}

/** Copies rows of an array to another that lies like it, unless both are on shared memory. */
function move(
  job: Job,
  from: FloatArray | undefined,
  to: FloatArray | undefined,
  [start, end]: readonly [number, number],
  isPerLogit: boolean,
): void {
  if (from === undefined || to === undefined || (isOnShared(from) && isOnShared(to))) return;
  const part = { job, first: 0, start, end };
  if (isPerLogit) putBack(job, part, from, to);
  else putRowsBack(part, from, to);
}
