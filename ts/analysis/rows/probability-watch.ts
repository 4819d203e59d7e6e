// Logits that look like probabilities: the loss would apply the activation a second time, and every
// figure be confident and wrong.

import type { Rows } from './rows.js';

/** From how many values in [0, 1] on chance is no explanation. */
const MANY = 32;

/** The most that the sum of probabilities may be off which a softmax has just computed. */
const TOLERANCE = 1e-3;

/** The most that the sum of rounded ones may be off, as `probabilitiesToLogits` takes them. */
const MOST = 0.05;

/** The units, by their number to 1, in which files hold rounded probabilities. */
const UNITS = [1e2, 1e3, 1e4];

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

/** A test whether so many values are in [0, 1] and add up to 1, nearly if they may be rounded. */
function isDistribution(
  values: ArrayLike<number>,
  [start, stride, columns]: readonly [number, number, number],
  mayBeRounded: boolean,
): boolean {
  let sum = 0;
  for (let j = 0; j < columns; j++) {
    const value = values[start + j * stride] as number;
    if (!isShare(value)) return false;
    sum += value;
  }
  const off = Math.abs(sum - 1);
  if (off <= TOLERANCE) return true;
  if (!mayBeRounded || off > MOST) return false;
  return UNITS.some((unit) => {
    if (off > TOLERANCE + columns / (2 * unit)) return false;
    for (let j = 0; j < columns; j++)
      if (!isMultiple(values[start + j * stride] as number, unit)) return false;
    return true;
  });
}

/** A test whether a value is a number of these units, of which there are so many to 1. */
function isMultiple(value: number, unit: number): boolean {
  const count = value * unit;
  // Half a unit in the last place of float32 is 6e-8.
  return Math.abs(count - Math.round(count)) <= 1e-7 * unit;
}

/** A test whether these are many values, all of them in [0, 1], as a sigmoid gives them. */
export function lookLikeSigmoid(values: ArrayLike<number>): boolean {
  if (values.length < MANY) return false;
  for (let i = 0; i < values.length; i++) if (!isShare(values[i] as number)) return false;
  return true;
}

/**
 * A test whether each row of so many values is in [0, 1] and adds up to 1, as a softmax gives them.
 */
export function lookLikeSoftmax(values: ArrayLike<number>, columns: number): boolean {
  for (let start = 0; start < values.length; start += columns) {
    if (!isDistribution(values, [start, 1, columns], false)) return false;
  }
  return values.length > 0;
}

/** Rows as far as they are looked at here. */
type WatchedRows = Pick<Rows, 'logits' | 'classes' | 'stride' | 'isPaired' | 'start'> & {
  readonly labels: { readonly length: number };
};

/**
 * A test whether all rows that count could be probabilities, also rounded ones, and if there are
 * none.
 */
export function mayBeProbabilities(
  { logits, labels, classes, stride, isPaired, start }: WatchedRows,
  counts: (k: number) => boolean = () => true,
): boolean {
  for (let k = 0; k < labels.length; k++) {
    if (!counts(k)) continue;
    const first = start(k);
    const is = isPaired
      ? isShare(logits[first + 1] as number)
      : isDistribution(logits, [first, stride, classes], true);
    if (!is) return false;
  }
  return true;
}

/**
 * The number of rows that have to be like that for it to be said: of single numbers in [0, 1] there
 * must be many.
 */
export function leastSuspicious(isPaired: boolean): number {
  return isPaired ? MANY : 1;
}

/** A test whether the logits of rows look like probabilities. */
export function lookLikeProbabilities(rows: WatchedRows): boolean {
  return rows.labels.length >= leastSuspicious(rows.isPaired) && mayBeProbabilities(rows);
}

/** The warning about rows that look like probabilities, if they do. */
export function warningOf(rows: Rows): string | undefined {
  return lookLikeProbabilities(rows) ? PROBABILITIES_NOTICE : undefined;
}

/** The warning that is given then. */
export const PROBABILITIES_NOTICE =
  'The logits look like probabilities: all are in [0, 1], and where there are several in a row they add up to 1. All figures take ' +
  'them for logits: leave the last activation out, or use probabilitiesToLogits.';
