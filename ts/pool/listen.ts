// How a worker hears orders and answers, in each runtime.

import type { Order, Reply } from './messages.js';
import { copyQuickly } from './quick-copy.js';
import { isNode, threads } from './runtime.js';
import { type Abilities, serve } from './serve.js';

/** A worker of the web, as it sees itself. */
interface WebScope {
  onmessage: ((event: { data: Order }) => void) | null;
  postMessage(reply: Reply, transfer: ArrayBufferLike[]): void;
}

/** Has this thread, where it is a worker, follow orders. */
export function listen(abilities: Abilities): void {
  copyQuickly();
  if (isNode()) void listenInNode(abilities);
  else if ('WorkerGlobalScope' in globalThis || !('document' in globalThis)) listenOnWeb(abilities);
}

function listenOnWeb(abilities: Abilities): void {
  const scope = globalThis as unknown as WebScope;
  scope.onmessage = ({ data }) =>
    serve(data, abilities, (reply, transfer) => scope.postMessage(reply, transfer));
}

/** Messages wait for a listener there. */
async function listenInNode(abilities: Abilities): Promise<void> {
  const { parentPort: port } = await threads();
  port?.on('message', (order) =>
    serve(order, abilities, (reply, transfer) => port.postMessage(reply, transfer)),
  );
}
