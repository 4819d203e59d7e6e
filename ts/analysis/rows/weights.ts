// Weights of rows, as the figures of the analysis are made of them.

import type { FloatArray } from '../../arrays/types.js';
import { checkPerRow, checkWeights, outOfRange } from '../../call/checks.js';

/**
 * The largest weight is between these, so that products of four sums of weights, of which some
 * figures are made, are numbers.
 */
const SMALL = 2 ** -200;
const LARGE = 2 ** 200;

/** Checks that there is a weight for each row. */
export function checkRowWeights(sampleWeights: FloatArray, rows: number): void {
  checkPerRow('sampleWeights', sampleWeights, rows);
  const ends = new Float64Array(2);
  checkWeights(sampleWeights, ends);
  const largest = ends[0] as number;
  if (largest === 0 || (largest >= SMALL && largest <= LARGE)) return;
  throw outOfRange(
    `sampleWeights[${sampleWeights.indexOf(largest)}]`,
    'in [2 ** -200, 2 ** 200], being the largest: multiply all of them by one number',
    largest,
  );
}

/** The error that no row weighs anything. */
export function weighNothing(): RangeError {
  return new RangeError(
    'sampleWeights must be above 0 for a row that counts, got 0 for all of them',
  );
}
