import { FocalLoss } from 'focal-loss';
import { LossMeter, poolAnalysis, ReportMeter, sweep } from 'focal-loss/analysis';
import { createPool, type Pool, type PoolData } from 'focal-loss/pool';
import { GRID } from './analysis.js';
import { makeWorkload, plainCase } from './cases.js';
import { shared } from './contenders/shared.js';
import { formatRatio, formatSeconds, table } from './report.js';
import { type Quartiles, quartiles, type Timed, timeInterleaved } from './timing.js';

export const POOL_ANALYSIS_SHAPES = [
  [1048576, 2],
  [65536, 100],
] as const;

/** The ways to do it, of which the first is what the others are compared with. */
const WAYS = ['one thread', 'the pool', 'as many pools of one'] as const;

/** The time of a way to do something with one shape. */
export interface PoolAnalysisResult {
  readonly rows: number;
  readonly classes: number;
  readonly name: string;
  readonly way: (typeof WAYS)[number];
  /** Per call. */
  readonly seconds: Quartiles;
  /** The work done in a time, in units of one thread's, round by round. */
  readonly speedup: Quartiles;
}

interface Batch {
  readonly logits: Float32Array;
  readonly targets: Int32Array;
}

/** A call whose promise is waited for. */
function awaited(call: () => Promise<unknown>): Timed {
  return {
    time: async (calls) => {
      const start = performance.now();
      for (let i = 0; i < calls; i++) await call();
      return (performance.now() - start) / 1000;
    },
  };
}

/** The things that are timed: on the calling thread, and on workers. */
const CALLS: Readonly<
  Record<
    string,
    {
      here(batch: Batch): unknown;
      there(pool: Pool, batch: Batch, data: PoolData): Promise<unknown>;
    }
  >
> = {
  'sweep, 48 settings, of loaded data': {
    here: ({ logits, targets }) => sweep(logits, targets, GRID),
    there: (pool, _, data) => pool.sweep(data, GRID),
  },
  'LossMeter, shared arrays': {
    here: ({ logits, targets }) => new LossMeter(new FocalLoss()).update(logits, targets),
    there: (pool, { logits, targets }) =>
      new LossMeter(new FocalLoss()).update(logits, targets, { pool }),
  },
  'report without areas, of loaded data': {
    here: ({ logits, targets }) => new ReportMeter({ auc: false }).update(logits, targets).result(),
    there: (pool, _, data) => pool.report(data, { auc: false }),
  },
};

/**
 * The gain of one pool, and what the machine can give, which is what as many pools of one worker
 * gain that each do all of it.
 */
export async function measurePoolAnalysis(
  size: number,
  rounds: number,
  onRound: () => void,
  shapes: readonly (readonly [number, number])[] = POOL_ANALYSIS_SHAPES,
): Promise<PoolAnalysisResult[]> {
  const options = { analysis: poolAnalysis };
  const pool = await createPool({ ...options, size });
  const singles = await Promise.all(
    Array.from({ length: size }, () => createPool({ ...options, size: 1 })),
  );
  const results: PoolAnalysisResult[] = [];
  for (const [rows, classes] of shapes) {
    const workload = makeWorkload(plainCase(rows, classes));
    const batch = {
      logits: shared(workload.logits as Float32Array),
      targets: shared(workload.targets as Int32Array),
    };
    const load = (one: Pool) => one.load(batch.logits, batch.targets);
    const data = await load(pool);
    const copies = await Promise.all(singles.map(load));
    for (const [name, { here, there }] of Object.entries(CALLS)) {
      const runs: Timed[] = [
        awaited(async () => here(batch)),
        awaited(() => there(pool, batch, data)),
        awaited(() =>
          Promise.all(singles.map((one, i) => there(one, batch, copies[i] as PoolData))),
        ),
      ];
      const samples = await timeInterleaved(runs, rounds, onRound);
      for (const [i, way] of WAYS.entries()) {
        const work = i === 2 ? size : 1;
        const speedup = quartiles(
          samples[i].map((seconds, round) => (work * samples[0][round]) / seconds),
        );
        results.push({ rows, classes, name, way, seconds: quartiles(samples[i]), speedup });
      }
    }
  }
  await Promise.all([pool, ...singles].map((one) => one.close()));
  return results;
}

export function poolAnalysisTable(results: readonly PoolAnalysisResult[]): string {
  const [first, ...others] = WAYS;
  return table(
    ['', '[rows, classes]', ...WAYS],
    results
      .filter(({ way }) => way === first)
      .map(({ name, rows, classes, seconds }) => [
        name,
        `[${rows}, ${classes}]`,
        formatSeconds(seconds.median),
        ...others.map((other) =>
          formatRatio(
            results.find(
              (one) =>
                one.rows === rows &&
                one.classes === classes &&
                one.name === name &&
                one.way === other,
            )?.speedup.median,
          ),
        ),
      ]),
  );
}
