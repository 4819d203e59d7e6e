import type { LossSettings } from './analyse.js';
import type { Reply, Request } from './protocol.js';

/** The news that there may be while the worker works. */
export interface Listener {
  reply(reply: Reply): void;
  /** A flag that says that something is going on. */
  busy(isBusy: boolean): void;
}

/** The worker, as the page sees it: one request at a time. */
export class Client {
  readonly #listener: Listener;
  #worker: Worker | undefined;
  #isBusy = false;
  /** The loss that has been set in the meantime. */
  #next: LossSettings | undefined;

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** Asks for something new, and forgets what is going on. */
  begin(request: Request): void {
    if (this.#isBusy) this.cancel();
    this.#send(request);
  }

  /**
   * Asks for the analysis of what is there; while the worker is busy, the last loss that was set
   * waits.
   */
  analyse(loss: LossSettings): void {
    if (this.#isBusy) this.#next = loss;
    else if (this.#worker) this.#send({ kind: 'analyse', loss });
  }

  /** Ends the worker, and with it what it has read. */
  cancel(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#finish();
  }

  #send(request: Request): void {
    this.#next = undefined;
    this.#worker ??= this.#start();
    this.#isBusy = true;
    this.#listener.busy(true);
    this.#worker.postMessage(request);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      const next = this.#next;
      if (data.kind === 'done' || data.kind === 'failed') this.#finish();
      this.#listener.reply(data);
      if (data.kind === 'done' && next) this.analyse(next);
    });
    // It did not start, or ran out of memory.
    worker.addEventListener('error', ({ message }) => {
      this.cancel();
      this.#listener.reply({ kind: 'failed', message: message || 'The worker did not start' });
    });
    return worker;
  }

  #finish(): void {
    this.#next = undefined;
    this.#isBusy = false;
    this.#listener.busy(false);
  }
}
