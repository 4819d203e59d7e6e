// One worker of a pool, of whatever kind.

import { says } from '../arrays/own.js';
import type { Order, Reply } from './messages.js';
import { isDeno, isNode, type NodeWorker, threads } from './runtime.js';

/** A worker of the web, as far as it is used. */
export interface WebWorker {
  addEventListener(type: string, listener: (event: never) => void): void;
  postMessage(message: object, transfer: never[]): void;
  terminate(): unknown;
}

/** A worker of the web, or of Node. */
export type AnyWorker = WebWorker | Omit<NodeWorker, 'postMessage'>;

/** The things that a thread tells its owner. */
export interface Owner {
  hear(reply: Reply): void;
  /** The thread has ended, or failed. It tells nothing after that. */
  lose(reason: string): void;
}

/** The addresses of codes, for all workers of a page. */
const addresses = new Map<string, string>();

/** Makes a worker of a code. */
export async function makeWorker(code: string): Promise<AnyWorker> {
  if (isNode()) {
    const { Worker } = await threads();
    // The process's own options, loaders say, are not for this.
    return new Worker(code, { __proto__: null, eval: true, execArgv: [] } as object);
  }
  if (typeof Worker === 'undefined') throw new Error('this runtime has no Worker');
  const address =
    addresses.get(code) ?? URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  addresses.set(code, address);
  const options = { __proto__: null, type: isDeno() ? 'module' : 'classic' } as WorkerOptions;
  return new Worker(address, options) as unknown as WebWorker;
}

/** The thread of a worker. */
export class Thread {
  readonly #worker: AnyWorker;
  #owner: Owner | undefined;

  constructor(worker: AnyWorker, owner: Owner) {
    this.#worker = worker;
    this.#owner = owner;
    const hear = (reply: Reply) => this.#owner?.hear(reply);
    const lose = (reason: string) => {
      const lost = this.#owner;
      this.end();
      lost?.lose(reason);
    };
    if (isOfNode(worker)) {
      worker.on('message', hear);
      worker.on('messageerror', () => lose('a message could not be read'));
      worker.on('error', (error: unknown) => lose(reasonOf(error)));
      worker.on('exit', () => lose('it has ended'));
    } else {
      worker.addEventListener('message', ({ data }: { data: Reply }) => hear(data));
      worker.addEventListener('messageerror', () => lose('a message could not be read'));
      worker.addEventListener('error', (event: ErrorEvent) => {
        // The page, or the process, lives on.
        event.preventDefault();
        lose(event.message || 'its code could not be loaded');
      });
      worker.addEventListener('close', () => lose('it has ended'));
    }
  }

  post(order: Order, transfer: readonly ArrayBufferLike[]): void {
    (this.#worker as WebWorker).postMessage(order, transfer as never[]);
  }

  /** Says whether the process has to wait for it. */
  hold(isBusy: boolean): void {
    const worker = this.#worker as Partial<NodeWorker>;
    if (isBusy) worker.ref?.();
    else worker.unref?.();
  }

  end(): void {
    this.#owner = undefined;
    void this.#worker.terminate();
  }
}

function isOfNode(worker: AnyWorker): worker is Omit<NodeWorker, 'postMessage'> {
  return says(worker, 'on');
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
