import { makeWorkload, plainCase } from './cases.js';
import type { Contender } from './contender.js';
import { allocatedBytes } from './garbage.js';
import { table } from './report.js';

const CALLS = 1e6;

export interface Allocations {
  readonly name: string;
  readonly bytesPerCall: number;
}

/** The garbage of small calls with a buffer for the gradient, per call. */
export async function measureAllocations(
  contenders: readonly Contender[],
  onStep: (name: string) => void,
  calls = CALLS,
): Promise<Allocations[]> {
  const workload = makeWorkload(plainCase(32, 2));
  const results: Allocations[] = [];
  for (const gradient of [true, false]) {
    for (const { name: contender, prepare } of contenders) {
      const run = await prepare({ ...workload, gradient });
      if (!run) continue;
      const name = `${contender}, ${gradient ? 'value and gradient' : 'value'}`;
      onStep(name);
      // The compiler allocates as well, until it has settled.
      await run.time(calls / 5);
      results.push({ name, bytesPerCall: (await allocatedBytes(() => run.time(calls))) / calls });
    }
  }
  return results;
}

export function allocationsTable(results: readonly Allocations[]): string {
  return table(
    ['a call at [32, 2]', 'bytes'],
    results.map(({ name, bytesPerCall }) => [name, bytesPerCall.toFixed(1)]),
  );
}
