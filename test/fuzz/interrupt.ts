// Two ways in which a call ends where nothing of it expects to end: the engine's stack, which it
// runs out of, and a script's time, after which `vm` stops it, also past `catch` and `finally`.

import { Script } from 'node:vm';

/**
 * Arguments of one call, of which engines take no more than 65535: many, a thousand, and fewer than
 * that.
 */
const MANY = new Array<number>(60_000).fill(0);
const THOUSAND = MANY.slice(0, 1000);
const FEW = THOUSAND.map((_, length) => THOUSAND.slice(0, length));

/** More words than the stack has room for. */
const WORDS = 2 ** 20;

/**
 * Makes a call with so much less of the stack: arguments that nobody looks at take a word of 8
 * bytes each.
 */
function below(words: number, call: () => void): void {
  const padding = [MANY, THOUSAND].find(({ length }) => length <= words);
  if (padding === undefined) call.apply(undefined, FEW[words] as []);
  else (() => below(words - padding.length, call)).apply(undefined, padding as []);
}

const nothing = () => {};

/** With how many words less a call can still begin. */
function mostWords(): number {
  // Code that has never run has to be compiled, which takes stack itself.
  below(MANY.length + THOUSAND.length, nothing);
  let [low, high] = [0, WORDS];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    try {
      below(middle, nothing);
      low = middle;
    } catch {
      high = middle;
    }
  }
  return low;
}

/** By so many words the stack grows from call to call: frames are larger. */
const STEP = 3;

/**
 * So many words more than there is room for are tried as well: engines compile functions anew while
 * they run.
 */
const MARGIN = 300;

/**
 * So many calls that come to their end, one after the other, have seen the last place at which they
 * do not.
 */
const ENDED = 40;

/**
 * Makes a call with ever more of the engine's stack, from so little that it hardly begins to so
 * much that it comes to its end. Runs `check` after each that did not. Returns what these threw.
 *
 * @param offset - Which of the words it begins with, of those of a step.
 */
export function exhaust(call: () => void, check: () => void, offset: number): unknown[] {
  const errors: unknown[] = [];
  let began = false;
  const begin = () => {
    began = true;
    call();
  };
  // Code that has never run has to be compiled, which takes stack itself.
  begin();
  let words = mostWords() + MARGIN - (offset % STEP);
  for (let ended = 0; ended < ENDED && words > 0; words -= STEP) {
    began = false;
    try {
      below(words, begin);
      ended++;
    } catch (error) {
      if (!began) continue;
      ended = 0;
      errors.push(error);
      check();
    }
  }
  return errors;
}

const forever = new Script('for (;;) focalLossCall()');

/**
 * Makes a call over and over, until it is stopped after a millisecond or more, and then runs
 * `check`.
 */
export function stop(call: () => void, check: () => void, milliseconds: number): void {
  const scope = globalThis as { focalLossCall?: (() => void) | undefined };
  scope.focalLossCall = call;
  try {
    forever.runInThisContext({ timeout: milliseconds });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
  } finally {
    scope.focalLossCall = undefined;
  }
  check();
}
