// Long work that lets others have their turn: written once, as a generator, and done at one go or
// in turns.

import { wrongType } from '../../call/checks.js';

/** Entries that are looked at before others get their turn: a hundredth of a second or so. */
export const TURN = 2 ** 19;

/**
 * Work that can be interrupted wherever it yields, which is how many entries it has looked at
 * since.
 */
export type Work<T> = Generator<number, T, void>;

/** An `AbortSignal` as far as it is used here, of which not every runtime's types know. */
export interface Signal {
  /** Throws its reason once it has been aborted. */
  throwIfAborted(): void;
}

/** Options of functions whose work is done in turns. */
export interface TurnOptions {
  /** Aborts the work: the promise is rejected with the reason of the `AbortSignal`. */
  signal?: Signal | undefined;
  /** Told how far the work is, in rows of the batch, each time some of it is done. */
  onProgress?: ((done: number, rows: number) => void) | undefined;
}

export const TURN_OPTIONS: readonly (keyof TurnOptions)[] = ['signal', 'onProgress'];

export function checkFunction(name: string, value: unknown, expected: string): void {
  if (value !== undefined && typeof value !== 'function') throw wrongType(name, expected, value);
}

export function checkTurnOptions({ signal, onProgress }: TurnOptions): void {
  checkFunction('onProgress', onProgress, 'a function');
  const isSignal =
    typeof (signal as Partial<Signal> | null | undefined)?.throwIfAborted === 'function';
  if (signal !== undefined && !isSignal) throw wrongType('signal', 'an AbortSignal', signal);
}

/** Does work at one go. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

/** Does work in turns. It looks at so many entries in all, which stand for the rows of a batch. */
export async function inTurns<T>(
  work: Work<T>,
  entries: number,
  rows: number,
  options: TurnOptions,
): Promise<T> {
  checkTurnOptions(options);
  const { signal, onProgress } = options;
  signal?.throwIfAborted();
  let looked = 0;
  let waiting = 0;
  for (;;) {
    const step = work.next();
    if (!step.done) {
      looked += step.value;
      waiting += step.value;
      if (waiting < TURN) continue;
      waiting = 0;
    }
    onProgress?.(step.done ? rows : Math.floor(rows * Math.min(looked / entries, 1)), rows);
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    if (step.done) return step.value;
  }
}

/**
 * Has work done on 0, 1, 2, … in parts that take about a turn, where each takes so many entries.
 */
export function* eachPart(
  count: number,
  entriesEach: number,
  work: (start: number, end: number) => void,
): Work<void> {
  const step = Math.max(1, Math.floor(TURN / Math.max(entriesEach, 1)));
  for (let start = 0; start < count; start += step) {
    const end = Math.min(start + step, count);
    work(start, end);
    yield (end - start) * entriesEach;
  }
}
