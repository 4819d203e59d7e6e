import { FocalLoss, LossMeter, poolAnalysis, ReportMeter, sweepAsync } from 'focal-loss/analysis';
import { createPool } from 'focal-loss/pool';
import { expect, it } from 'vitest';
import { shared } from './pools.js';

// Workers look whether a call has been stopped within a chunk, too.

type Work = (
  job: object,
  start: number,
  end: number,
  data: unknown,
  stop: () => boolean,
) => unknown;

const ROWS = 200_000;
const logits = Float64Array.from({ length: 4 * ROWS }, (_, i) => 4 * Math.sin(i));
const targets = Uint8Array.from({ length: ROWS }, (_, i) => i % 4);

it.each([
  [
    'a sweep',
    (pool: object) => sweepAsync(logits, targets, { gamma: [0, 1.3], pool: pool as never }),
  ],
  [
    'a meter of losses',
    (pool: object) =>
      new LossMeter(new FocalLoss()).update(logits, targets, { pool: pool as never }),
  ],
  [
    'a report',
    (pool: object) => new ReportMeter().update(logits, targets, { pool: pool as never }),
  ],
])('%s', async (_, call) => {
  const { tasks } = poolAnalysis as unknown as { tasks: Record<string, Work> };
  let looks = 0;
  const results: unknown[] = [];
  const runTask = async ({ job, task }: { job: { rows: number }; task: Task }) => {
    const work = tasks[task.name] as Work;
    const part = (stop: () => boolean) => results.push(work(job, 0, job.rows, task.data, stop));
    part(() => ++looks < 0);
    part(() => --looks === 1);
    return false;
  };
  await call({ [Symbol.for('focal-loss.runTask')]: runTask });
  expect(results[0]).not.toBe(undefined);
  expect(results[1]).toBe(undefined);
  expect(looks).toBe(1);
});

interface Task {
  readonly name: string;
  readonly data: unknown;
}

/** The logits of a block, and of a chunk; the last chunks are of a block each. */
const BLOCK = 4 * 4096;
const CHUNK = 4 * BLOCK;
const WHOLE_CHUNKS = 10 * CHUNK;

it('a loss', { timeout: 300_000 }, async () => {
  await using pool = await createPool({ size: 1 });
  const criterion = new FocalLoss({ gamma: 2.3, labelSmoothing: 0.1 });
  const x = shared(logits);
  // Some blocks of a chunk are done, and some are not.
  const seen = new Set<number>();
  for (let attempt = 0; attempt < 200 && seen.size === 0; attempt++) {
    const grad = shared(new Float64Array(logits.length));
    const controller = new AbortController();
    const call = pool.valueAndGrad(criterion, x, targets, { grad, signal: controller.signal });
    const outcome = call.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 1 + (attempt % 20)));
    controller.abort();
    await outcome;
    const done = grad.indexOf(0);
    if (done > 0 && done < WHOLE_CHUNKS && done % CHUNK !== 0) seen.add(done);
  }
  expect(seen.size).toBe(1);
  // Blocks are whole.
  for (const done of seen) expect(done % BLOCK).toBe(0);
});
