import { checkAgreement } from './agreement.js';
import type { Contender } from './contender.js';
import { type Quartiles, quartiles, timeInterleaved } from './timing.js';
import { makeWorkload, type Shape } from './workload.js';

/** What one contender needed for one shape. */
export interface Result {
  readonly name: string;
  /** Per call. */
  readonly seconds: Quartiles;
  /** Its time in units of the first contender's, round by round: above 1, the first one is faster. */
  readonly ratio: Quartiles;
}

export interface ShapeResults {
  readonly shape: Shape;
  /** Of the contenders that can do this shape, in their order; the first one is the one that the ratios refer to. */
  readonly results: readonly Result[];
}

/** Times all contenders on one shape, after checking that they compute the same. */
export async function benchShape(
  shape: Shape,
  contenders: readonly Contender[],
  rounds: number,
  onRound: () => void,
): Promise<ShapeResults> {
  const workload = makeWorkload(shape);
  const runs = [];
  for (const { name, prepare } of contenders) {
    const run = await prepare(workload);
    if (run) runs.push({ name, run });
  }
  const [first, ...others] = runs;
  for (const { name, run } of others) checkAgreement(workload, name, run, first.name, first.run);

  const samples = timeInterleaved(
    runs.map(({ run }) => run.call),
    rounds,
    onRound,
  );
  const results = runs.map(({ name }, i) => ({
    name,
    seconds: quartiles(samples[i]),
    ratio: quartiles(samples[i].map((seconds, round) => seconds / samples[0][round])),
  }));
  return { shape, results };
}
