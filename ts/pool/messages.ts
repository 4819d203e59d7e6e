// What the calling thread and its workers tell each other.

import type { Task } from '../analysis/rows/pooled.js';
import type { FloatArray } from '../arrays/types.js';
import type { Job } from '../call/blocks.js';

/** The first thing that a worker is told. */
export interface StartOrder {
  readonly type: 'start';
  /** The WebAssembly module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A number that the worker sets, where memory can be shared. */
  readonly probe: Int32Array | undefined;
}

/** Logits and targets that a worker keeps, of data that was loaded. */
export interface Kept {
  /** The number of the data. */
  readonly data: number;
  /** The rows of it: what they are of. */
  readonly part: string;
}

/** A call, or a part of one, for a worker to take part in. */
export interface RunOrder {
  readonly type: 'run';
  /** The call's own number. */
  readonly id: number;
  readonly job: Job;
  /** Where something else than the loss is to be computed. */
  readonly task: Task | undefined;
  /** The name under which the worker has logits and targets, or where it keeps those of the job. */
  readonly kept: Kept | undefined;
  /** The rows at which chunks begin, and where the last one ends. Each begins with a block. */
  readonly bounds: readonly number[];
  /** Room for the sum of each block from the first bound on. */
  readonly partials: Float64Array;
  /** Room for a value of each row, where there is to be one. */
  readonly values: FloatArray | undefined;
  readonly grad: FloatArray | undefined;
  /** How far the call is: the numbers below, and behind them one for each chunk. */
  readonly state: Int32Array;
  /** True where nothing may be written before all targets have been looked at. */
  readonly checksFirst: boolean;
}

/** Data that will not be needed any more. */
export interface FreeOrder {
  readonly type: 'free';
  /** The number of the data. */
  readonly data: number;
}

export type Order = StartOrder | RunOrder | FreeOrder;

/** The module has been started, or could not be. */
export interface ReadyReply {
  readonly type: 'ready';
  readonly error: string | undefined;
}

/** The result of a task for a chunk. */
export interface ChunkReply {
  readonly type: 'chunk';
  readonly id: number;
  readonly chunk: number;
  readonly result: unknown;
}

/** The error of a worker. */
export interface Failure {
  readonly message: string;
  readonly isRangeError: boolean;
}

/** A worker has no more to do for a call. */
export interface DoneReply {
  readonly type: 'done';
  readonly id: number;
  readonly error: Failure | undefined;
  /** The results, where memory is not shared. */
  readonly results: RunResults | undefined;
}

/** The arrays that a worker filled. */
export interface RunResults {
  readonly partials: Float64Array;
  readonly values: FloatArray | undefined;
  readonly grad: FloatArray | undefined;
}

export type Reply = ReadyReply | ChunkReply | DoneReply;

// Places in the state of a call.

/** Not 0 where no chunk is to be begun any more. */
export const STOPPED = 0;
/** The number of workers that are at a chunk. */
export const RUNNING = 1;
/** The next chunk whose targets are to be checked. */
export const NEXT_CHECK = 2;
/** The number of chunks whose targets have been checked. */
export const CHECKED = 3;
/** The next chunk to be computed. */
export const NEXT_CHUNK = 4;
/** The number of chunks, from the first on, whose rows lie in the memory of the order. */
export const READY = 5;
/** The number of chunks that are for workers. Those behind are computed elsewhere. */
export const END = 6;
/** Where the marks of chunks begin: 0 is for one that is not done. */
export const MARKS = 7;

// Marks of chunks that are done.

/** The results are in the memory of the order. */
export const DONE = 1;
/** The results are where the caller wants them. */
export const DELIVERED = 2;
