import { fileURLToPath } from 'node:url';
import type { FocalLoss } from 'focal-loss';
import type { Pool } from 'focal-loss/pool';
import type { Contender } from '../contender.js';
import { startChild } from './child.js';
import { makeCriterion } from './focal-loss.js';
import { shared } from './shared.js';

/** The losses on workers: from and to ordinary arrays, or shared ones. */
export function pooled(pool: Pool, isShared: boolean): Contender {
  const arrays = `${isShared ? 'shared' : 'ordinary'} arrays`;
  const copies = `${arrays}, which are copied for each worker, as on pages that are not isolated`;
  return {
    name: pool.isShared ? `pool, ${arrays}` : 'pool without shared memory',
    about: `focal-loss/pool, ${pool.size} workers, from and to ${pool.isShared ? arrays : copies}`,
    async prepare({ logits, targets, loss }) {
      const criterion = makeCriterion(loss) as FocalLoss;
      const [x, y, grad] = isShared
        ? [shared(logits), shared(targets), shared(logits)]
        : [logits, targets, logits.slice()];
      const call = () => pool.valueAndGrad(criterion, x, y, { grad });
      return {
        outcome: async () => ({ value: (await call()).value, grad }),
        time: async (calls) => {
          const start = performance.now();
          for (let i = 0; i < calls; i++) await call();
          return (performance.now() - start) / 1000;
        },
      };
    },
  };
}

/**
 * The limit of a machine: processes that share nothing but it, each of which makes calls of its
 * own, all at the same time. The time of a call is that of all of them by their number.
 */
export async function startProcesses(count: number): Promise<Contender> {
  const name = `${count} processes`;
  const program = fileURLToPath(new URL('focal-loss-child.ts', import.meta.url));
  // The flags of the benchmark's own process.
  const args = ['--single-threaded-gc', '--import', import.meta.resolve('tsx'), program];
  const children = await Promise.all(
    Array.from({ length: count }, () => startChild({ name, command: process.execPath, args })),
  );
  return {
    name,
    about: `${count} processes that share nothing, each with calls of its own at the same time`,
    async prepare(workload) {
      const runs = await Promise.all(children.map((child) => child.prepare(workload)));
      const [first] = runs;
      return {
        ...first,
        time: async (calls) => {
          const seconds = await Promise.all(runs.map((run) => run?.time(calls)));
          return Math.max(...seconds.map((one) => one ?? NaN)) / count;
        },
      };
    },
    close() {
      for (const { close } of children) close?.();
    },
  };
}
