/** Something that is timed. */
export interface Timed {
  /** The seconds that this many calls take, one after the other. */
  time(calls: number): number | Promise<number>;
}

/** A call of this process that is timed. */
export function timed(call: () => unknown): Timed & { time(calls: number): number } {
  return {
    time: (calls) => {
      const start = performance.now();
      for (let i = 0; i < calls; i++) call();
      return (performance.now() - start) / 1000;
    },
  };
}

/** Seconds that a sample should last at least: far above the clock's resolution. */
const SAMPLE_SECONDS = 0.01;
/** Before anything is measured: enough for an engine to settle on its fastest code. */
const WARM_UP_SECONDS = 0.1;
/**
 * The time that all samples of one run may take together; a slow one gives fewer of them, but never
 * fewer than FEWEST_SAMPLES.
 */
const RUN_SECONDS = 2;
const FEWEST_SAMPLES = 3;

export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/**
 * Seconds per call of every run, `samples[run][round]`. In every round each run has its turn, so
 * that a machine that slows down for a while slows all of them; ratios are to be taken within a
 * round. Slow runs leave rounds out: holes in the array.
 */
export async function timeInterleaved(
  runs: readonly Timed[],
  rounds: number,
  onRound: (done: number) => void,
  sampleSeconds = SAMPLE_SECONDS,
): Promise<number[][]> {
  const plans: Plan[] = [];
  for (const run of runs) plans.push(await calibrate(run, rounds, sampleSeconds));
  // The first run, which ratios refer to, has to be there in every round.
  plans[0] = { ...plans[0], samples: rounds };
  const samples = runs.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < runs.length; turn++) {
      // Another one begins in every round: what a run leaves in the caches is not always the same
      // one's to bear.
      const i = (round + turn) % runs.length;
      const { calls, samples: wanted } = plans[i];
      // Spread evenly, beginning with the first round.
      const due = Math.ceil(((round + 1) * wanted) / rounds) > Math.ceil((round * wanted) / rounds);
      if (!due) continue;
      // The others have driven its data out of the caches, and itself out of a processor that slept
      // meanwhile.
      await runs[i].time(1);
      samples[i][round] = (await runs[i].time(calls)) / calls;
    }
    onRound(round + 1);
  }
  return samples;
}

interface Plan {
  /** In a sample. */
  readonly calls: number;
  readonly samples: number;
}

async function calibrate(run: Timed, rounds: number, sampleSeconds: number): Promise<Plan> {
  let calls = 1;
  let seconds = await run.time(calls);
  for (let spent = seconds; spent < WARM_UP_SECONDS; spent += seconds) {
    // Towards the length of a sample, and there it stays.
    if (seconds < sampleSeconds / 2) calls *= 2;
    seconds = await run.time(calls);
  }
  calls = Math.ceil((calls * sampleSeconds) / seconds);
  const affordable = Math.floor(RUN_SECONDS / Math.max(seconds, sampleSeconds));
  return { calls, samples: Math.min(rounds, Math.max(FEWEST_SAMPLES, affordable)) };
}

/** Holes in the array don't count. */
export function quartiles(values: readonly number[]): Quartiles {
  const sorted = values.filter(() => true).sort((a, b) => a - b);
  const at = (share: number) => {
    const position = share * (sorted.length - 1);
    const below = Math.floor(position);
    const above = Math.ceil(position);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  };
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) };
}
