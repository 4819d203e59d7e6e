import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FocalLoss } from 'focal-loss';
import { createPool } from 'focal-loss/pool';
import { benchCase, type CaseResults } from './bench.js';
import { makeWorkload, plainCase } from './cases.js';
import type { Contender } from './contender.js';
import { shared } from './contenders/shared.js';
import { formatRatio, formatSeconds, table } from './report.js';
import { type Quartiles, quartiles } from './timing.js';

export const POOL_SHAPES = [
  [32, 2],
  [4096, 2],
  [65536, 2],
  [1048576, 2],
  [1048576, 10],
  [65536, 100],
  [4096, 1000],
] as const;

/**
 * The length of a sample in seconds: calls in a row. The threads have slept before the first one,
 * while others were timed; how long that takes is for {@link measurePaused} to say.
 */
const SAMPLE_SECONDS = 0.1;

/** Value and gradient, into a buffer: by one thread, the first contender, and by others. */
export async function measurePool(
  contenders: readonly Contender[],
  rounds: number,
  onRound: () => void,
  shapes: readonly (readonly [number, number])[] = POOL_SHAPES,
): Promise<CaseResults[]> {
  const results: CaseResults[] = [];
  for (const [rows, classes] of shapes)
    results.push(
      await benchCase(plainCase(rows, classes), contenders, rounds, onRound, SAMPLE_SECONDS),
    );
  return results;
}

/** The milliseconds that all threads sleep before a call that comes after a pause. */
const PAUSE = 10;

export const PAUSED_SHAPES = [
  [262144, 2],
  [1048576, 2],
  [4096, 1000],
] as const;

/** How many times as fast as one thread a pool is where each call comes after a pause. */
export interface PausedResult {
  readonly rows: number;
  readonly classes: number;
  /** The seconds of one thread. */
  readonly seconds: Quartiles;
  readonly ordinary: Quartiles;
  readonly shared: Quartiles;
}

/** Value and gradient into a buffer, after a pause; each round is four calls. */
export async function measurePaused(
  size: number,
  rounds: number,
  onRound: () => void,
  shapes: readonly (readonly [number, number])[] = PAUSED_SHAPES,
): Promise<PausedResult[]> {
  const criterion = new FocalLoss({ gamma: 2, alpha: 0.25 });
  const pool = await createPool({ size });
  const results: PausedResult[] = [];
  for (const [rows, classes] of shapes) {
    const { logits: x, targets } = makeWorkload(plainCase(rows, classes));
    const y = targets as Int32Array;
    const grad = x.slice();
    const there = { x: shared(x), y: shared(y), grad: shared(grad) };
    const calls = [
      () => criterion.valueAndGrad(x, y, { grad }),
      () => pool.valueAndGrad(criterion, x, y, { grad }),
      () => pool.valueAndGrad(criterion, there.x, there.y, { grad: there.grad }),
    ];
    const samples = calls.map(() => [] as number[]);
    for (let turn = 0; turn < 4 * rounds; turn++) {
      for (let i = 0; i < calls.length; i++) {
        const which = (turn + i) % calls.length;
        await sleep(PAUSE);
        const start = performance.now();
        await calls[which]();
        samples[which].push((performance.now() - start) / 1000);
      }
      if (turn % 4 === 3) onRound();
    }
    const [first] = samples;
    const [ordinary, onShared] = samples
      .slice(1)
      .map((other) => quartiles(other.map((seconds, turn) => first[turn] / seconds)));
    results.push({ rows, classes, seconds: quartiles(first), ordinary, shared: onShared });
  }
  await pool.close();
  return results;
}

export function pausedTable(results: readonly PausedResult[]): string {
  return table(
    ['[rows, classes]', 'one\nthread', 'pool,\nordinary\narrays', 'pool,\nshared\narrays'],
    results.map(({ rows, classes, seconds, ordinary, shared }) => [
      `[${rows}, ${classes}]`,
      formatSeconds(seconds.median),
      formatRatio(ordinary.median),
      formatRatio(shared.median),
    ]),
  );
}

/** The milliseconds after which a call is aborted. */
const ABORTED_AFTER = 3;

/** The seconds that a call takes besides its computations. */
export interface Handling {
  /** From the call until it has returned its promise, where the calling thread takes no part. */
  readonly dispatch: Quartiles;
  /** To post an empty message to a thread that sleeps: the least for each worker. */
  readonly message: Quartiles;
  /** From the time when it is to be aborted until its promise is rejected, and the same alone. */
  readonly abort: Quartiles;
  readonly abortOnWorkers: Quartiles;
}

/** The time to hand a call over, and to be rid of it, on shared arrays of [1048576, 10]. */
export async function measureHandling(size: number, rounds: number): Promise<Handling> {
  const { logits, targets } = makeWorkload(plainCase(1048576, 10));
  const [x, y] = [shared(logits), shared(targets)];
  const criterion = new FocalLoss({ gamma: 1.3, labelSmoothing: 0.1 });
  const pool = await createPool({ size });
  const alone = await createPool({ size, useCallingThread: false });
  const sleeper = new Worker("require('node:worker_threads').parentPort.on('message', () => {})", {
    eval: true,
  });
  const dispatch: number[] = [];
  const message: number[] = [];
  const abort: number[] = [];
  const abortOnWorkers: number[] = [];
  for (let round = 0; round < 3 * rounds; round++) {
    const start = performance.now();
    const call = alone.forward(criterion, x, y);
    dispatch.push((performance.now() - start) / 1000);
    await call;
    const asleep = performance.now();
    sleeper.postMessage({});
    message.push((performance.now() - asleep) / 1000);
    for (const [one, seconds] of [[pool, abort] as const, [alone, abortOnWorkers] as const]) {
      const begun = performance.now();
      const controller = new AbortController();
      setTimeout(() => controller.abort(), ABORTED_AFTER);
      const { signal } = controller;
      const isRejected = await one.forward(criterion, x, y, { signal }).then(
        () => false,
        () => true,
      );
      if (isRejected) seconds.push((performance.now() - begun - ABORTED_AFTER) / 1000);
    }
  }
  await Promise.all([pool.close(), alone.close(), sleeper.terminate()]);
  return {
    dispatch: quartiles(dispatch),
    message: quartiles(message),
    abort: quartiles(abort),
    abortOnWorkers: quartiles(abortOnWorkers),
  };
}

export function handlingText({ dispatch, message, abort, abortOnWorkers }: Handling): string {
  return [
    `To hand a call over to workers takes ${formatSeconds(dispatch.median)}; an empty message to a`,
    `thread that sleeps takes ${formatSeconds(message.median)}. To abort a call of`,
    `[1048576, 10] takes ${formatSeconds(abort.median)} (three of four times no more than`,
    `${formatSeconds(abort.upper)}), on workers alone ${formatSeconds(abortOnWorkers.median)}.`,
  ].join('\n');
}

/** A line per shape: the first contender's time, and how many times as fast the others are. */
export function poolTable(results: readonly CaseResults[], names: readonly string[]): string {
  const [, ...others] = names;
  return table(
    ['[rows, classes]', 'one\nthread', ...others.map((name) => name.replaceAll(' ', '\n'))],
    results.map(({ case: { name }, results: [first, ...rest] }) => [
      name,
      formatSeconds(first.seconds.median),
      ...others.map((other) => {
        const ratio = rest.find((one) => one.name === other)?.ratio.median;
        return formatRatio(ratio && 1 / ratio);
      }),
    ]),
  );
}
