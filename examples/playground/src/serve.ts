import type { Outcome } from './client.js';

/** Answers the requests of a page, in its worker: what `Client` is on the other side of. */
export function serve<Request, Reply>(
  answer: (request: Request, tell: (reply: Reply) => void) => Promise<void>,
): void {
  const tell = (reply: Reply | Outcome) => postMessage(reply);
  addEventListener('message', async ({ data }: MessageEvent<Request>) => {
    try {
      await answer(data, tell);
      tell({ kind: 'done' });
    } catch (error) {
      tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  });
}
