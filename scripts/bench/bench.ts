import { disagreement } from './agreement.js';
import { type Case, makeWorkload } from './cases.js';
import type { Contender, Run } from './contender.js';
import { type Quartiles, quartiles, timeInterleaved } from './timing.js';

/** The time of one contender for one case. */
export interface Result {
  readonly name: string;
  /** Per call. */
  readonly seconds: Quartiles;
  /**
   * Its time in units of the first contender's, round by round: above 1, the first one is faster.
   */
  readonly ratio: Quartiles;
}

export interface CaseResults {
  readonly case: Case;
  /**
   * The results of the contenders that can do this case, in their order; the first one is the one
   * that the ratios refer to.
   */
  readonly results: readonly Result[];
  /** The names of those left out because they failed, or gave other results. */
  readonly problems: readonly string[];
}

/**
 * Times all contenders on one case: those that compute the same as the first. A sample takes some
 * seconds, or as long as usual.
 */
export async function benchCase(
  of: Case,
  contenders: readonly Contender[],
  rounds: number,
  onRound: () => void,
  sampleSeconds?: number,
): Promise<CaseResults> {
  const { runs, problems } = await prepareAll(of, contenders);
  const samples = await timeInterleaved(
    runs.map(({ run }) => run),
    rounds,
    onRound,
    sampleSeconds,
  );
  for (const { run } of runs) run.dispose?.();
  const results = runs.map(({ name }, i) => ({
    name,
    seconds: quartiles(samples[i]),
    ratio: quartiles(samples[i].map((seconds, round) => seconds / samples[0][round])),
  }));
  return { case: of, results, problems };
}

async function prepareAll(of: Case, [first, ...others]: readonly Contender[]) {
  const workload = makeWorkload(of);
  const trusted = await first.prepare(workload);
  const wanted = await trusted?.outcome?.();
  if (!(trusted && wanted)) throw new Error(`${first.name} cannot do ${of.name}`);

  const runs: { name: string; run: Run }[] = [{ name: first.name, run: trusted }];
  const problems: string[] = [];
  for (const { name, prepare } of others) {
    try {
      const run = await prepare(workload);
      if (!run) continue;
      const outcome = await run.outcome?.();
      const problem = outcome && disagreement(of, outcome, wanted);
      if (problem) throw new Error(problem);
      runs.push({ name, run });
    } catch (error) {
      problems.push(`${name} at ${of.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return { runs, problems };
}
