import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Collects garbage. */
export const collect: () => void = runInNewContext('gc');

/**
 * The bytes that a call allocates, as the median of some rounds. The rounds are too short to set off a collection, which would
 * hide what they allocate. The compiler, still at work, makes some of them cost more: hence the median.
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
