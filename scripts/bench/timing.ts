/** Seconds a sample should last at least: far above the clock's resolution. */
const SAMPLE_SECONDS = 0.01;
/** Before anything is measured: enough for the engine to settle on its fastest code. */
const WARM_UP_SECONDS = 0.1;

export interface Quartiles {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/**
 * Seconds per call of every function, `samples[function][round]`. In every round each function has its turn, so that a
 * machine that slows down for a while slows all of them; ratios are to be taken within a round.
 */
export function timeInterleaved(calls: readonly (() => unknown)[], rounds: number, onRound: () => void): number[][] {
  for (const call of calls) warmUp(call);
  const repeats = calls.map(calibrate);
  const samples = calls.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < calls.length; turn++) {
      // Another one begins in every round: what a function leaves in the caches is not always the same one's to bear.
      const i = (round + turn) % calls.length;
      samples[i].push(timeCalls(calls[i], repeats[i]) / repeats[i]);
    }
    onRound();
  }
  return samples;
}

function warmUp(call: () => unknown): void {
  const end = performance.now() + 1000 * WARM_UP_SECONDS;
  while (performance.now() < end) call();
}

/** How many calls make a sample. */
function calibrate(call: () => unknown): number {
  let repeats = 1;
  while (timeCalls(call, repeats) < SAMPLE_SECONDS) repeats *= 2;
  return repeats;
}

function timeCalls(call: () => unknown, repeats: number): number {
  const start = performance.now();
  for (let i = 0; i < repeats; i++) call();
  return (performance.now() - start) / 1000;
}

export function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const position = share * (sorted.length - 1);
    const below = Math.floor(position);
    const above = Math.ceil(position);
    return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
  };
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) };
}
