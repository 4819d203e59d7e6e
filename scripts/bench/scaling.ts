import { makeWorkload, plainCase } from './cases.js';
import type { Contender } from './contender.js';
import { collectGarbage } from './garbage.js';
import { formatNumber, table } from './report.js';
import { type Quartiles, quartiles, timeInterleaved } from './timing.js';

const CLASSES = [2, 10];
const ROWS = [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6, 3e6, 1e7];

/** The cost of a batch of some size. */
export interface ScalingPoint {
  readonly rows: number;
  readonly classes: number;
  readonly secondsPerRow: Quartiles;
  /** The memory of the WebAssembly module, in bytes, after the first call with this batch. */
  readonly wasmMemory: number;
  /**
   * By how much the first call with this batch made the process larger. Its arrays were there
   * before.
   */
  readonly rssGrowth: number;
}

export async function measureScaling(
  contender: Contender,
  rounds: number,
  onRound: () => void,
  sizes: readonly number[] = ROWS,
): Promise<ScalingPoint[]> {
  const wasmMemory = watchWasmMemory();
  const points: Omit<ScalingPoint, 'secondsPerRow'>[] = [];
  const runs = [];
  for (const classes of CLASSES) {
    for (const rows of sizes) {
      const run = await contender.prepare(makeWorkload(plainCase(rows, classes)));
      if (!run) throw new Error(`${contender.name} cannot do [${rows}, ${classes}]`);
      // The very first call compiles the module; the second one is like all others.
      if (runs.length === 0) await run.time(1);
      runs.push(run);
      collectGarbage();
      const before = process.memoryUsage.rss();
      await run.time(1);
      points.push({
        rows,
        classes,
        wasmMemory: wasmMemory(),
        rssGrowth: process.memoryUsage.rss() - before,
      });
    }
  }
  const samples = await timeInterleaved(runs, rounds, onRound);
  return points.map((point, i) => ({
    ...point,
    secondsPerRow: quartiles(samples[i].map((seconds) => seconds / point.rows)),
  }));
}

/**
 * A function that tells how many bytes all WebAssembly modules have that are started from now on.
 */
function watchWasmMemory(): () => number {
  const memories: WebAssembly.Memory[] = [];
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct(target, args) {
      const instance: WebAssembly.Instance = Reflect.construct(target, args);
      memories.push(
        ...Object.values(instance.exports).filter((value) => value instanceof WebAssembly.Memory),
      );
      return instance;
    },
  });
  return () => memories.reduce((bytes, memory) => bytes + memory.buffer.byteLength, 0);
}

export function scalingTable(points: readonly ScalingPoint[]): string {
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(2);
  return table(
    ['[rows, classes]', 'ns per row', 'quartiles', 'wasm memory, MiB', 'process grew by, MiB'],
    points.map(
      ({ rows, classes, secondsPerRow: { lower, median, upper }, wasmMemory, rssGrowth }) => [
        `[${rows}, ${classes}]`,
        formatNumber(median * 1e9),
        `${formatNumber(lower * 1e9)} – ${formatNumber(upper * 1e9)}`,
        mebibytes(wasmMemory),
        mebibytes(rssGrowth),
      ],
    ),
  );
}
