import { type HeapProfiler, Session } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects garbage. */
export const collect: () => void = runInNewContext('gc');

/**
 * The bytes that a call allocates, as the median of some rounds. The rounds are too short to set
 * off a collection, which would hide what they allocate. The compiler, still at work, makes some of
 * them cost more: hence the median.
 */
export function allocatedPerCall(run: (calls: number) => void, rounds: number): number {
  const calls = 500;
  const bytes = Array.from({ length: rounds }, () => {
    collect();
    const before = process.memoryUsage().heapUsed;
    run(calls);
    return (process.memoryUsage().heapUsed - before) / calls;
  });
  return bytes.sort((a, b) => a - b)[rounds >> 1] as number;
}

/**
 * All bytes allocated while something runs, whether or not they have been collected since: by a
 * heap profile, which samples one in some thousand bytes and estimates the rest.
 */
export function profileOf(run: () => void): number {
  const session = new Session();
  session.connect();
  const settings = {
    samplingInterval: 4096,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  };
  session.post('HeapProfiler.startSampling', settings);
  run();
  let bytes = 0;
  const add = ({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode) => {
    bytes += selfSize;
    for (const child of children) add(child);
  };
  // The callback is called at once.
  session.post('HeapProfiler.stopSampling', (error, { profile }) => {
    if (error) throw error;
    add(profile.head);
  });
  session.disconnect();
  return bytes;
}
