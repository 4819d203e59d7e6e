import { checkChoice, checkInteger, checkOptions } from '../../../call/checks.js';
import { figuresText, withText } from '../../rows/table.js';
import type { Logits, Targets } from '../../rows/tensors.js';
import {
  type Column,
  CURVE_OPTIONS,
  type CurveOptions,
  ofColumns,
  type PerClass,
} from './columns.js';
import { probabilitiesOf } from './ranking.js';

/** Options of {@link calibrationCurve}. */
export interface CalibrationCurveOptions<P extends number | 'each' = number | 'each'>
  extends CurveOptions<P> {
  /**
   * The number of bins. Those without rows are left out.
   *
   * @defaultValue 10
   */
  bins?: number | undefined;
  /**
   * Bins of the same width, `'uniform'`, or between the quantiles of the probabilities,
   * `'quantile'`, so that about as many rows are in each.
   *
   * @defaultValue 'uniform'
   */
  strategy?: 'uniform' | 'quantile' | undefined;
}

const OPTIONS: readonly (keyof CalibrationCurveOptions)[] = [...CURVE_OPTIONS, 'bins', 'strategy'];

/** A reliability diagram: entries of the same place in the arrays are of a bin that has rows. */
export interface CalibrationCurve {
  /** The class that is looked for. */
  readonly positive: number;
  /** The average probability of the class. */
  readonly probability: Float64Array;
  /** The share of rows that is of the class. */
  readonly share: Float64Array;
  /** The rows; with `sampleWeights`, what they weigh. */
  readonly rows: Float64Array;
  /** The lower edge, which all probabilities but those of the first bin are above. */
  readonly from: Float64Array;
  /** The upper edge, which none is above. */
  readonly to: Float64Array;
  /** The average distance between probability and share, weighed by rows. */
  readonly expectedError: number;
  /**
   * A warning to look at first: that the logits look like probabilities, which makes all of it
   * meaningless.
   */
  readonly warning: string | undefined;
  /** The curve in a few lines, as `console.log` prints it in Node.js, Deno and Bun. */
  toString(): string;
}

/**
 * A reliability diagram: of the rows that are given some probability of a class, the share that is
 * of it. As scikit-learn's `calibration_curve`. The `calibration` of a report is about something
 * else, the probability of whatever class is predicted.
 *
 * @param logits - As `rocCurve` takes them.
 * @param targets - As `rocCurve` takes them.
 * @throws TypeError and RangeError as `rocCurve` does.
 *
 * @example
 * ```ts
 * import { calibrationCurve } from 'focal-loss/analysis';
 *
 * const odds = new Float64Array([-2, -2, -2, -2, 2, 2, 2, 2]); // one logit per row
 * const targets = new Uint8Array([0, 0, 0, 1, 1, 1, 1, 1]);
 * const { probability, share } = calibrationCurve(odds, targets, { numClasses: 1, bins: 2 });
 * share; // => Float64Array.of(0.25, 1)
 * probability[0]; // => 0.11920292202211755
 * ```
 */
export function calibrationCurve<P extends number | 'each' = number>(
  logits: Logits,
  targets: Targets,
  options: CalibrationCurveOptions<P> = {},
): PerClass<P, CalibrationCurve> {
  const given = checkOptions(options, OPTIONS);
  const bins = checkInteger('bins', 1, 10_000, given.bins ?? 10);
  const strategy = checkChoice('strategy', ['uniform', 'quantile'], given.strategy ?? 'uniform');
  const make = (column: Column) => curveOf(column, bins, strategy === 'quantile');
  return ofColumns(logits, targets, given, make) as PerClass<P, CalibrationCurve>;
}

function curveOf(column: Column, bins: number, byQuantiles: boolean): CalibrationCurve {
  const { members, weights, positive } = column;
  const p = probabilitiesOf(column.scores, column.areOdds);
  const edges = byQuantiles
    ? quantilesOf(p, bins)
    : Float64Array.from({ length: bins + 1 }, (_, i) => i / bins);
  const rows = new Float64Array(bins);
  const sums = new Float64Array(bins);
  const found = new Float64Array(bins);
  for (let k = 0; k < p.length; k++) {
    const weight = weights === undefined ? 1 : (weights[k] as number);
    const bin = binOf(edges, p[k] as number);
    rows[bin] = (rows[bin] as number) + weight;
    sums[bin] = (sums[bin] as number) + weight * (p[k] as number);
    if (members[k] === 1) found[bin] = (found[bin] as number) + weight;
  }
  const isFilled = (_: number, bin: number) => (rows[bin] as number) > 0;
  const filled = rows.filter(isFilled);
  const share = found.filter(isFilled).map((count, i) => count / (filled[i] as number));
  const probability = sums.filter(isFilled).map((total, i) => total / (filled[i] as number));
  let distance = 0;
  let all = 0;
  filled.forEach((weight, i) => {
    distance += weight * Math.abs((probability[i] as number) - (share[i] as number));
    all += weight;
  });
  const from = edges.subarray(0, bins).filter(isFilled);
  const to = edges.subarray(1).filter(isFilled);
  const expectedError = distance / all;
  const { warning } = column;
  return withText(
    { positive, probability, share, rows: filled, from, to, expectedError, warning },
    figuresText,
  );
}

/** The bin whose upper edge is the first that is not below a probability. */
function binOf(edges: Float64Array, p: number): number {
  let low = 1;
  let high = edges.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] as number) < p) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Quantiles that cut numbers into so many parts, on the straight line between neighbours. */
function quantilesOf(numbers: Float64Array, parts: number): Float64Array {
  const sorted = numbers.slice().sort();
  const last = sorted.length - 1;
  return Float64Array.from({ length: parts + 1 }, (_, i) => {
    const place = (last * i) / parts;
    const below = sorted[Math.floor(place)] as number;
    const above = sorted[Math.ceil(place)] as number;
    return below + (above - below) * (place - Math.floor(place));
  });
}
