import { GCProfiler, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

export const collectGarbage: () => void = runInNewContext('gc');

/**
 * The bytes that something allocates on the JavaScript heap: by how much that grows, and all that
 * is collected meanwhile.
 */
export async function allocatedBytes(run: () => unknown): Promise<number> {
  collectGarbage();
  const profiler = new GCProfiler();
  profiler.start();
  const before = process.memoryUsage().heapUsed;
  await run();
  const grown = process.memoryUsage().heapUsed - before;
  const { statistics } = profiler.stop();
  const collected = statistics.map(
    ({ beforeGC, afterGC }) =>
      beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize,
  );
  return collected.reduce((sum, bytes) => sum + bytes, grown);
}
