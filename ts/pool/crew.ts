// The workers of a pool: they are started when they are needed, and replaced when they end.

import type { DoneReply, Kept, Order, Reply, RunOrder } from './messages.js';
import { isDeno, later } from './runtime.js';
import { type AnyWorker, Thread } from './thread.js';

/**
 * The time in milliseconds after which workers without work go. Deno waits for them before it
 * ends a process.
 */
const idle = () => (isDeno() ? 1000 : 5000);

/** An order, and the memory that goes with it. */
export interface Sent {
  readonly order: RunOrder;
  readonly transfer: readonly ArrayBufferLike[];
}

/** The part of a call that a worker has. */
export interface Part extends Sent {
  /** The same with logits and targets that a worker is to keep, for one that does not yet. */
  readonly whole: (() => Sent) | undefined;
  /** A chunk of a task is done. */
  took(chunk: number, result: unknown): void;
  /** The worker has no more to do for it. */
  done(reply: DoneReply): void;
  /** The worker ended, or could not be reached, before that. It may never have started. */
  lost(reason: string, hadStarted: boolean): void;
}

/** A worker with the parts that it has not answered. */
class Member {
  readonly parts = new Map<number, Part>();
  /** The parts of data that it has, by their numbers. */
  readonly #kept = new Map<number, Set<string>>();
  readonly #bytes: () => Uint8Array<ArrayBuffer>;
  readonly ready: Promise<string | undefined>;
  #thread: Thread | undefined;
  #settle: (reason: string | undefined) => void = () => {};
  readonly #onEnd: (member: Member) => void;
  readonly #waiting: Part[] = [];
  readonly #probe: Int32Array | undefined;
  #isReady = false;
  #hasEnded = false;
  #reason = '';

  constructor(
    make: () => AnyWorker | PromiseLike<AnyWorker>,
    bytes: () => Uint8Array<ArrayBuffer>,
    timeout: number,
    onEnd: (member: Member) => void,
  ) {
    this.#bytes = bytes;
    this.#onEnd = onEnd;
    this.#probe = probe();
    this.ready = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const cancel = later(
      () => this.#end(`it did not start within ${timeout} milliseconds`),
      timeout,
    );
    void this.ready.then(cancel);
    void this.#start(make);
  }

  get isShared(): boolean {
    return this.#isReady && this.#probe !== undefined && this.#probe[0] === 1;
  }

  /** The number of parts that it has not answered. */
  get load(): number {
    return this.parts.size + this.#waiting.length;
  }

  give(part: Part): void {
    if (this.#hasEnded) part.lost(this.#reason, this.#isReady);
    else if (this.#thread === undefined || !this.#isReady) this.#waiting.push(part);
    else this.#give(part, this.#thread);
  }

  /** Lets go of data. */
  free(data: number): void {
    if (this.#kept.delete(data) && !this.#hasEnded) this.#thread?.post({ type: 'free', data }, []);
  }

  end(): void {
    this.#end('the pool has been closed');
  }

  async #start(make: () => AnyWorker | PromiseLike<AnyWorker>): Promise<void> {
    try {
      // In a later job, so that nothing ends before it is a member.
      const worker = await Promise.resolve().then(make);
      const thread = new Thread(worker, {
        hear: (reply) => this.#hear(reply),
        lose: (reason) => this.#end(reason),
      });
      if (this.#hasEnded) return thread.end();
      this.#thread = thread;
      postStart(thread, this.#bytes(), this.#probe);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  #hear(reply: Reply): void {
    if (reply.type === 'chunk') {
      this.parts.get(reply.id)?.took(reply.chunk, reply.result);
    } else if (reply.type === 'done') {
      const part = this.parts.get(reply.id);
      this.parts.delete(reply.id);
      if (this.parts.size === 0) this.#thread?.hold(false);
      part?.done(reply);
    } else if (reply.error !== undefined) {
      this.#end(reply.error);
    } else {
      this.#isReady = true;
      this.#thread?.hold(false);
      for (const part of this.#waiting.splice(0)) this.#give(part, this.#thread as Thread);
      this.#settle(undefined);
    }
  }

  #give(part: Part, thread: Thread): void {
    this.parts.set(part.order.id, part);
    thread.hold(true);
    try {
      const { kept } = part.order;
      const { order, transfer } = this.#has(kept) ? part : (part.whole?.() ?? part);
      thread.post(order, transfer);
      if (kept !== undefined) this.#keep(kept);
    } catch (error) {
      this.parts.delete(part.order.id);
      part.lost(error instanceof Error ? error.message : String(error), true);
    }
  }

  #has(kept: Kept | undefined): boolean {
    return kept !== undefined && this.#kept.get(kept.data)?.has(kept.part) === true;
  }

  #keep({ data, part }: Kept): void {
    const parts = this.#kept.get(data) ?? new Set();
    this.#kept.set(data, parts.add(part));
  }

  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#reason = reason;
    this.#thread?.end();
    this.#onEnd(this);
    this.#settle(reason);
    for (const part of [...this.parts.values(), ...this.#waiting]) part.lost(reason, this.#isReady);
  }
}

/** A number in shared memory, where there may be such. */
function probe(): Int32Array | undefined {
  return typeof SharedArrayBuffer === 'undefined'
    ? undefined
    : new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

function postStart(
  thread: Thread,
  bytes: Uint8Array<ArrayBuffer>,
  probe: Int32Array | undefined,
): void {
  const order = (shared: Int32Array | undefined): Order => ({
    type: 'start',
    bytes,
    probe: shared,
  });
  try {
    thread.post(order(probe), []);
  } catch {
    // Pages that are not isolated may have shared memory, but may not send it.
    thread.post(order(undefined), []);
  }
}

/** Up to `size` workers. */
export class Crew {
  readonly size: number;
  readonly #make: () => AnyWorker | PromiseLike<AnyWorker>;
  readonly #bytes: () => Uint8Array<ArrayBuffer>;
  readonly #timeout: number;
  #members: readonly Member[] = [];
  #cancelIdle: () => void = () => {};
  #calls = 0;

  constructor(
    size: number,
    make: () => AnyWorker | PromiseLike<AnyWorker>,
    bytes: () => Uint8Array<ArrayBuffer>,
    timeout: number,
  ) {
    this.size = size;
    this.#make = make;
    this.#bytes = bytes;
    this.#timeout = timeout;
  }

  /** Starts workers until there are all. Returns why one did not start, if one did not. */
  async start(): Promise<string | undefined> {
    const reasons = await Promise.all(this.#full().map(({ ready }) => ready));
    this.#rest();
    return reasons.find((reason) => reason !== undefined);
  }

  /** A test whether all workers have shown that they share memory. */
  get isShared(): boolean {
    return this.#members.every(({ isShared }) => isShared);
  }

  /** Gives a part of a call to each of so many workers. */
  give(parts: readonly Part[]): void {
    // Those first that have the least to do.
    const members = [...this.#full()].sort((a, b) => a.load - b.load);
    for (const [i, part] of parts.entries()) (members[i % members.length] as Member).give(part);
  }

  /** Lets go of data that workers keep. */
  free(data: number): void {
    for (const member of this.#members) member.free(data);
  }

  /** A call begins. */
  enter(): void {
    this.#calls++;
    this.#cancelIdle();
  }

  /** A call has ended: where it was the last, workers go when nothing follows. */
  leave(): void {
    this.#calls--;
    this.#rest();
  }

  close(): void {
    this.#cancelIdle();
    for (const member of this.#members) member.end();
  }

  #rest(): void {
    this.#cancelIdle();
    if (this.#calls === 0) this.#cancelIdle = later(() => this.close(), idle());
  }

  #full(): readonly Member[] {
    const forget = (member: Member) => {
      this.#members = this.#members.filter((other) => other !== member);
    };
    const missing = Array.from(
      { length: this.size - this.#members.length },
      () => new Member(this.#make, this.#bytes, this.#timeout, forget),
    );
    this.#members = [...this.#members, ...missing];
    return this.#members;
  }
}
