import { type HeapProfiler, Session } from 'node:inspector';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects garbage. */
export const collect: () => void = runInNewContext('gc');

/** A copy of the package of its own, which the engine has not compiled anything of yet. */
export async function freshCopy(attempt: number): Promise<typeof import('focal-loss')> {
  return import(`${import.meta.resolve('focal-loss')}?attempt=${attempt}`);
}

/**
 * The bytes that a call allocates when it has been compiled, as the lower quartile of some rounds:
 * what calls allocate, every round does. The engine itself, still at work on the last collection,
 * adds up to 300 KB to a round, and on a busy machine to most of them. The rounds are too short to
 * set off a collection, which would hide what they allocate. Above `most` it is measured again, on
 * what `make` makes for that attempt: the engine does not put functions together in the same way
 * each time, and passes more numbers between them in some.
 */
export async function allocatedPerCall(
  make: (attempt: number) => Promise<(calls: number) => void>,
  most: number,
): Promise<number> {
  let quartile = Infinity;
  for (let attempt = 0; quartile > most && attempt < 4; attempt++) {
    const run = await make(attempt);
    run(60_000);
    const bytes = Array.from({ length: 21 }, () => {
      collect();
      const before = process.memoryUsage().heapUsed;
      run(2000);
      return (process.memoryUsage().heapUsed - before) / 2000;
    });
    quartile = bytes.sort((a, b) => a - b)[5] as number;
  }
  return quartile;
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
