// How long calls take. The clocks of browsers are coarse, so many calls are timed together.

/** What is timed. */
export interface Contender {
  readonly name: string;
  call(): void;
}

/** How long the calls of a contender took, in seconds a call, one figure per round. */
export interface Times {
  readonly name: string;
  readonly seconds: readonly number[];
}

/** Where the middle half of some figures lies. */
export interface Spread {
  readonly lower: number;
  readonly median: number;
  readonly upper: number;
}

/** A turn of a contender takes at least so many milliseconds. */
const TURN = 20;

/**
 * Lets contenders take turns.
 *
 * @param clock - Milliseconds.
 */
export function measure(
  contenders: readonly Contender[],
  rounds: number,
  clock: () => number,
  onRound: (done: number) => void,
): Times[] {
  const calls = contenders.map((contender) => findCalls(contender, clock));
  const times = contenders.map(({ name }) => ({ name, seconds: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      times[i].seconds.push(timeCalls(contender, calls[i], clock) / calls[i] / 1000);
    }
    onRound(round + 1);
  }
  return times;
}

function timeCalls(contender: Contender, calls: number, clock: () => number): number {
  const start = clock();
  for (let i = 0; i < calls; i++) contender.call();
  return clock() - start;
}

/** How many calls make a turn. It also warms up. */
function findCalls(contender: Contender, clock: () => number): number {
  let calls = 1;
  while (timeCalls(contender, calls, clock) < TURN) calls *= 2;
  return calls;
}

/** Quartiles, between figures where need be. */
export function spreadOf(figures: readonly number[]): Spread {
  const sorted = Float64Array.from(figures).sort();
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return { lower: at(0.25), median: at(0.5), upper: at(0.75) };
}
