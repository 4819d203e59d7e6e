import type { FloatArray } from '../../../arrays/types.js';
import { checkNumber, checkOptions, outOfRange, wrongType } from '../../../call/checks.js';
import { figuresText, withText } from '../../rows/table.js';
import type { Logits, Targets } from '../../rows/tensors.js';
import {
  type Column,
  CURVE_OPTIONS,
  type CurveOptions,
  ofColumns,
  type PerClass,
} from './columns.js';
import { probabilitiesOf, rankingOf } from './ranking.js';

/** Options of {@link decisionCurve}. */
export interface DecisionCurveOptions<P extends number | 'each' = number | 'each'>
  extends CurveOptions<P> {
  /**
   * The threshold probabilities, in [0, 1).
   *
   * @defaultValue 0.01, 0.02, … 0.99
   */
  thresholds?: FloatArray | readonly number[] | undefined;
}

const OPTIONS: readonly (keyof DecisionCurveOptions)[] = [...CURVE_OPTIONS, 'thresholds'];

/** A decision curve: entries of the same place in the arrays belong together. */
export interface DecisionCurve {
  /** The class that is looked for. */
  readonly positive: number;
  /** The threshold probabilities. */
  readonly thresholds: Float64Array;
  /** The net benefit of treating the rows whose probability is not below the threshold. */
  readonly netBenefit: Float64Array;
  /** The net benefit of treating all rows. That of treating none is 0. */
  readonly treatAll: Float64Array;
  /**
   * A warning to look at first: that the logits look like probabilities, which makes all of it
   * meaningless.
   */
  readonly warning: string | undefined;
  /** The curve in a few lines, as `console.log` prints it in Node.js, Deno and Bun. */
  toString(): string;
}

/**
 * The net benefit of acting on a model's probabilities (Vickers and Elkin, Decision curve analysis,
 * 2006): `TP / n - FP / n * p / (1 - p)` at each threshold probability p, where treating a row of
 * the class does (1 - p) / p times as much good as treating another does harm. A model is of use
 * where it is above both treating all and treating none, given that its probabilities can be
 * trusted: see `fitCalibration`.
 *
 * @param logits - As `rocCurve` takes them.
 * @param targets - As `rocCurve` takes them.
 * @throws TypeError and RangeError as `rocCurve` does.
 *
 * @example
 * ```ts
 * import { decisionCurve } from 'focal-loss/analysis';
 *
 * const odds = new Float64Array([-3, -1, 1, 2]); // one logit per row
 * const options = { numClasses: 1, thresholds: [0.2] };
 * const { netBenefit, treatAll } = decisionCurve(odds, new Uint8Array([0, 0, 0, 1]), options);
 * netBenefit[0]; // => 0.125
 * treatAll[0]; // => 0.0625
 * ```
 */
export function decisionCurve<P extends number | 'each' = number>(
  logits: Logits,
  targets: Targets,
  options: DecisionCurveOptions<P> = {},
): PerClass<P, DecisionCurve> {
  const given = checkOptions(options, OPTIONS);
  const thresholds = checkThresholds(given.thresholds ?? GRID);
  const make = (column: Column) => curveOf(column, thresholds);
  return ofColumns(logits, targets, given, make) as PerClass<P, DecisionCurve>;
}

const GRID: readonly number[] = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);

function checkThresholds(given: FloatArray | readonly number[]): Float64Array {
  if (typeof given !== 'object' || given === null || typeof given.length !== 'number') {
    throw wrongType('thresholds', 'an array of numbers', given);
  }
  return Float64Array.from(given, (threshold, i) => {
    checkNumber(`thresholds[${i}]`, 'a number', threshold);
    if (!(threshold >= 0 && threshold < 1))
      throw outOfRange(`thresholds[${i}]`, 'in [0, 1)', threshold);
    return threshold;
  });
}

function curveOf(column: Column, thresholds: Float64Array): DecisionCurve {
  const { scores, truePositives, falsePositives, positives, negatives } = rankingOf(column);
  const p = probabilitiesOf(scores, column.areOdds);
  const all = positives + negatives;
  const benefit = (found: number, wrong: number, threshold: number) =>
    (found - (wrong * threshold) / (1 - threshold)) / all;
  const curve = {
    positive: column.positive,
    thresholds: thresholds.slice(),
    netBenefit: thresholds.map((threshold) => {
      const count = countNotBelow(p, threshold);
      return count === 0
        ? 0
        : benefit(
            truePositives[count - 1] as number,
            falsePositives[count - 1] as number,
            threshold,
          );
    }),
    treatAll: thresholds.map((threshold) => benefit(positives, negatives, threshold)),
    warning: column.warning,
  };
  return withText(curve, figuresText);
}

/** The number of falling entries that are not below a number. */
function countNotBelow(entries: Float64Array, least: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as number) >= least) low = middle + 1;
    else high = middle;
  }
  return low;
}
