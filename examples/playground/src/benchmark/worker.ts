// Measures beside the page, which neither disturbs it nor stands still.

import { makeContenders, type Task } from './contenders.js';
import { measure, type Times } from './measure.js';

export type BenchmarkReply =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'times'; readonly times: readonly Times[] }
  | { readonly kind: 'failed'; readonly message: string };

const ROUNDS = 15;

const tell = (reply: BenchmarkReply) => postMessage(reply);

addEventListener('message', ({ data }: MessageEvent<Task>) => {
  try {
    const onRound = (done: number) => tell({ kind: 'progress', share: done / ROUNDS });
    const times = measure(makeContenders(data), ROUNDS, () => performance.now(), onRound);
    tell({ kind: 'times', times });
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});
