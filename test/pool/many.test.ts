import { existsSync, readFileSync } from 'node:fs';
import { FocalLoss, poolAnalysis } from 'focal-loss/analysis';
import { createPool } from 'focal-loss/pool';
import { expect, it } from 'vitest';
import { collect } from '../support/heap.js';
import { IS_SAMPLE } from '../support/sample.js';
import { MANY } from './pools.js';

// Pools that are made and closed leave nothing behind.

const POOLS = IS_SAMPLE ? 40 : 1000;

/** One in so many of them computes. */
const BUSY = 8;

const STATUS = '/proc/self/status';

/** The threads of this process, where the system tells. */
function threads(): number {
  if (!existsSync(STATUS)) return 0;
  return Number(/^Threads:\s*(\d+)/m.exec(readFileSync(STATUS, 'utf8'))?.[1]);
}

/** Lets threads that have been told to end do so. */
async function settle(most: number): Promise<void> {
  for (let i = 0; i < 500 && threads() > most; i++)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

const criterion = new FocalLoss();
const logits = new Float32Array(2 * MANY);
const targets = new Uint8Array(MANY);

async function makePools(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const pool = await createPool({ size: 1 + (i % 2), analysis: poolAnalysis });
    if (i % BUSY === 0) {
      const data = await pool.load(logits, targets);
      await pool.forward(criterion, data);
      await pool.sweep(data, { gamma: [0, 2] });
    }
    // Some are closed while they compute.
    const call = i % BUSY === 1 ? pool.forward(criterion, logits, targets) : undefined;
    const outcome = call?.catch(() => {});
    await pool.close();
    await outcome;
  }
}

/** The bytes that objects and arrays take, once nothing is left that can be collected. */
async function bytes(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it(`${POOLS} pools leave no thread, and no memory`, { timeout: 1_800_000 }, async () => {
  // All share what the first ones leave.
  await makePools(2 * BUSY);
  await settle(0);
  const threadsBefore = threads();
  const before = await bytes();
  await makePools(POOLS);
  await settle(threadsBefore);
  expect(threads()).toBeLessThanOrEqual(threadsBefore);
  // A single worker's module would be more.
  expect(await bytes()).toBeLessThan(before + 256 * 1024 + 2000 * POOLS);
});
