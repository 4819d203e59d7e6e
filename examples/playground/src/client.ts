/** The end of each request. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string };

/** The news that there may be while a worker works. */
export interface Listener<Reply> {
  reply(reply: Reply | Outcome): void;
  /** A flag that says that something is going on. */
  busy(isBusy: boolean): void;
}

/** A worker, as the page sees it: one request at a time. */
export class Client<Request, Reply extends { readonly kind: string }> {
  readonly #listener: Listener<Reply>;
  readonly #start: () => Worker;
  #worker: Worker | undefined;
  #isBusy = false;
  /** The last request that came in the meantime. */
  #next: Request | undefined;

  constructor(listener: Listener<Reply>, start: () => Worker) {
    this.#listener = listener;
    this.#start = start;
  }

  /** Asks for something new, and forgets what is going on. */
  begin(request: Request): void {
    if (this.#isBusy) this.cancel();
    this.#send(request);
  }

  /**
   * Asks for something about what is there; while the worker is busy, the last such request waits.
   */
  follow(request: Request): void {
    if (this.#isBusy) this.#next = request;
    else if (this.#worker) this.#send(request);
  }

  /** Ends the worker, and with it what it has read. */
  cancel(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#finish();
  }

  #send(request: Request): void {
    this.#next = undefined;
    this.#worker ??= this.#open();
    this.#isBusy = true;
    this.#listener.busy(true);
    this.#worker.postMessage(request);
  }

  #open(): Worker {
    const worker = this.#start();
    worker.addEventListener('message', ({ data }: MessageEvent<Reply | Outcome>) => {
      const next = this.#next;
      if (data.kind === 'done' || data.kind === 'failed') this.#finish();
      this.#listener.reply(data);
      if (data.kind === 'done' && next) this.follow(next);
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
