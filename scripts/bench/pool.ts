import { FocalLoss } from 'focal-loss';
import { createPool } from 'focal-loss/pool';
import { type Floats, makeWorkload, plainCase } from './cases.js';
import { formatRatio, formatSeconds, table } from './report.js';
import { type Quartiles, quartiles, type Timed, timeInterleaved } from './timing.js';

export const POOL_SHAPES = [
  [32, 2],
  [4096, 2],
  [65536, 2],
  [1048576, 2],
  [1048576, 10],
  [65536, 100],
  [4096, 1000],
] as const;

/** The ways to compute one shape, of which the first is what the others are compared with. */
const WAYS = ['one thread', 'the pool', 'the pool, shared arrays'] as const;

/** The time of a way to compute one shape. */
export interface PoolResult {
  readonly rows: number;
  readonly classes: number;
  readonly way: (typeof WAYS)[number];
  /** Per call. */
  readonly seconds: Quartiles;
  /** The time of one thread in units of its own, round by round. */
  readonly speedup: Quartiles;
}

/** A copy on shared memory. */
function shared<A extends Floats | Int32Array>(array: A): A {
  const Kind = array.constructor as new (buffer: SharedArrayBuffer) => A;
  const copy = new Kind(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
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

/** Value and gradient, into a buffer: by one thread, and by as many workers. */
export async function measurePool(
  size: number,
  rounds: number,
  onRound: () => void,
  shapes: readonly (readonly [number, number])[] = POOL_SHAPES,
): Promise<PoolResult[]> {
  const pool = await createPool({ size });
  const criterion = new FocalLoss();
  const results: PoolResult[] = [];
  for (const [rows, classes] of shapes) {
    const { logits, targets } = makeWorkload(plainCase(rows, classes));
    const [grad, x, y, sharedGrad] = [
      logits.slice(),
      shared(logits),
      shared(targets as Int32Array),
      shared(logits),
    ];
    const runs = [
      awaited(async () => criterion.valueAndGrad(logits, targets, { grad })),
      awaited(() => pool.valueAndGrad(criterion, logits, targets, { grad })),
      awaited(() => pool.valueAndGrad(criterion, x, y, { grad: sharedGrad })),
    ];
    const samples = await timeInterleaved(runs, rounds, onRound);
    for (const [i, way] of WAYS.entries()) {
      const speedup = quartiles(samples[i].map((seconds, round) => samples[0][round] / seconds));
      results.push({ rows, classes, way, seconds: quartiles(samples[i]), speedup });
    }
  }
  await pool.close();
  return results;
}

export function poolTable(results: readonly PoolResult[]): string {
  const [first, ...others] = WAYS;
  const shapes = results.filter(({ way }) => way === first);
  return table(
    ['[rows, classes]', ...WAYS],
    shapes.map(({ rows, classes, seconds }) => [
      `[${rows}, ${classes}]`,
      formatSeconds(seconds.median),
      ...others.map((other) =>
        formatRatio(
          results.find((one) => one.rows === rows && one.classes === classes && one.way === other)
            ?.speedup.median,
        ),
      ),
    ]),
  );
}
