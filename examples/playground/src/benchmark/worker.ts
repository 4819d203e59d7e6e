// Measures beside the page, which neither disturbs it nor stands still.

import { timed, timeInterleaved } from '../../../../scripts/bench/timing.js';
import { makeContenders, type Task } from './contenders.js';

/** The times of a contender, in seconds a call, one figure a round. */
export interface Times {
  readonly name: string;
  readonly seconds: readonly number[];
}

export type BenchmarkReply =
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'times'; readonly times: readonly Times[] }
  | { readonly kind: 'failed'; readonly message: string };

const ROUNDS = 15;

/** The length of a sample, in seconds: the clocks of browsers are coarse. */
const SAMPLE_SECONDS = 0.02;

const tell = (reply: BenchmarkReply) => postMessage(reply);

addEventListener('message', async ({ data }: MessageEvent<Task>) => {
  try {
    const contenders = makeContenders(data);
    const runs = contenders.map(({ call }) => timed(call));
    const onRound = (done: number) => tell({ kind: 'progress', share: done / ROUNDS });
    const samples = await timeInterleaved(runs, ROUNDS, onRound, SAMPLE_SECONDS);
    // A slow contender leaves rounds out, which are holes in its samples.
    const times = contenders.map(({ name }, i) => ({
      name,
      seconds: samples[i].filter(() => true),
    }));
    tell({ kind: 'times', times });
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
});
