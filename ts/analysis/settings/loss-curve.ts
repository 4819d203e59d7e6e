import {
  checkInteger,
  checkNotNegative,
  checkNumber,
  checkOneGamma,
  checkOptions,
  outOfRange,
  wrongType,
} from '../../call/checks.js';
import { CrossEntropyLoss } from '../../losses/cross-entropy.js';
import { FocalLoss } from '../../losses/focal.js';
import { exponential, takeLogarithms } from '../elementary.js';
import { figuresText, withText } from '../rows/table.js';

/** Options of {@link lossCurve}. Every option may be left out. */
export interface LossCurveOptions {
  /**
   * The weight of the row: what `alpha` gives its class. `null` is 1.
   *
   * @defaultValue 0.25
   */
  alpha?: number | null | undefined;
  /**
   * The exponent of the focusing factor. Several make several curves, each a call of its own.
   *
   * @defaultValue 2
   */
  gamma?: number | undefined;
  /**
   * The share of the target that is spread over all classes.
   *
   * @defaultValue 0
   */
  labelSmoothing?: number | undefined;
  /**
   * The number of classes, which matters for smoothing alone. Those that are not the target have
   * the same probability.
   *
   * @defaultValue 2
   */
  numClasses?: number | undefined;
  /**
   * The first probability, above 0.
   *
   * @defaultValue 0.01
   */
  from?: number | undefined;
  /**
   * The last probability, below 1.
   *
   * @defaultValue 0.99
   */
  to?: number | undefined;
  /**
   * The number of probabilities, evenly spaced: at least 2.
   *
   * @defaultValue 100
   */
  points?: number | undefined;
}

/** Arrays of the same length, to be plotted over `pt`. */
export interface LossCurve {
  /** The probability of the target. */
  readonly pt: Float64Array;
  /** The cross-entropy of a row, in nats. */
  readonly crossEntropy: Float64Array;
  /** The focal loss of a row. */
  readonly focal: Float64Array;
  /** The derivative of the focal loss with respect to the target's logit. */
  readonly gradient: Float64Array;
}

const NAMES = ['alpha', 'gamma', 'labelSmoothing', 'numClasses', 'from', 'to', 'points'] as const;

/**
 * The loss of a row as the probability `pt` of its class goes from wrong to right: what to plot to
 * see what gamma does.
 *
 * Without smoothing, the focal loss is `-alpha * (1 - pt) ** gamma * log(pt)` and its derivative
 * `alpha * (1 - pt) ** gamma * (gamma * pt * log(pt) + pt - 1)`. The values are those of
 * {@link FocalLoss} and {@link CrossEntropyLoss} themselves, in float64, on logits that give these
 * probabilities.
 *
 * @throws TypeError for an unknown option or one of the wrong kind, and RangeError for a value that
 *   an option cannot have.
 *
 * @example
 * ```ts
 * import { lossCurve } from 'focal-loss/analysis';
 *
 * const { pt, crossEntropy, focal, gradient } = lossCurve({
 *   alpha: 0.25, gamma: 2, from: 0.1, to: 0.9, points: 3,
 * });
 * Array.from(pt); // => [0.1, 0.5, 0.9]
 * crossEntropy[1]; // => 0.6931471805599453
 * focal[0] / crossEntropy[0]; // => 0.2025
 * focal[2] / crossEntropy[2]; // => 0.0025
 * gradient[1]; // => -0.07457169878499658
 * ```
 */
export function lossCurve(options: LossCurveOptions = {}): LossCurve {
  const {
    alpha = 0.25,
    gamma = 2,
    labelSmoothing = 0,
    numClasses = 2,
    from = 0.01,
    to = 0.99,
    points = 100,
  } = checkOptions(options, NAMES);
  for (const [name, value] of Object.entries({ alpha, gamma, labelSmoothing }))
    checkSingle(name, value);
  if (alpha !== null) checkNotNegative('alpha', alpha);
  checkOneGamma(gamma);
  checkInteger('points', 2, 2 ** 31 - 1, points);
  checkProbability('from', from);
  checkProbability('to', to);
  if (!(from < to)) throw outOfRange('to', `above from, ${from}`, to);

  const common = { labelSmoothing, numClasses, reduction: 'none' } as const;
  const crossEntropy = new CrossEntropyLoss(common);
  const focal = new FocalLoss({ ...common, gamma, alpha: null });

  // Written so that it begins with `from` and ends with `to`, without rounding.
  const between = (share: number) => from * (1 - share) + to * share;
  const pt = Float64Array.from({ length: points }, (_, i) => between(i / (points - 1)));
  const logits = new Float64Array(points * numClasses);
  const odds = pt.map((p) => (p / (1 - p)) * (numClasses - 1));
  takeLogarithms(odds);
  // The others' logits stay 0.
  pt.forEach((p, i) => {
    logits[i * numClasses] = refined(odds[i] as number, (p / (1 - p)) * (numClasses - 1));
  });
  const targets = new Uint8Array(points);
  const { value, grad } = focal.valueAndGrad(logits, targets);
  const weight = alpha ?? 1;
  const curve = {
    pt,
    crossEntropy: crossEntropy.forward(logits, targets),
    focal: value.map((loss) => weight * loss),
    gradient: pt.map((_, i) => weight * (grad[i * numClasses] as number)),
  };
  return withText(curve, figuresText);
}

/**
 * The logarithm of odds, nearly, by one step of Newton's method: losses depend on it so much that
 * its last digit shows.
 */
function refined(logarithm: number, odds: number): number {
  const step =
    logarithm > 0 ? odds * exponential(-logarithm) - 1 : 1 - exponential(logarithm) / odds;
  // Odds that are nearly 0 have fewer digits than their logarithm.
  const isSmall = Math.abs(step) < 4 * Number.EPSILON * Math.abs(logarithm);
  return isSmall ? logarithm + step : logarithm;
}

/** A curve is of one setting: several would have to be several curves. */
function checkSingle(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) {
    throw wrongType(
      name,
      `a number; several are several curves, values.map((${name}) => lossCurve({ ${name} }))`,
      value,
    );
  }
}

function checkProbability(name: string, value: number): void {
  checkNumber(name, 'a number', value);
  if (!(value > 0 && value < 1)) throw outOfRange(name, 'above 0 and below 1', value);
}
