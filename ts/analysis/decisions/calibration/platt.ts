import { SigmoidFocalLoss } from '../../../losses/sigmoid-focal.js';
import { logarithm } from '../../elementary.js';
import type { CalibrationOutcome } from './evidence.js';

/**
 * The parameters of Platt scaling: one entry for two classes, that of class 1; else one per class.
 */
export interface PlattParameters {
  /** The factor of a class's log-odds. */
  readonly slopes: readonly number[];
  /** The number that is added to that. */
  readonly intercepts: readonly number[];
}

/** The parameters of one class. */
export interface Line {
  readonly slope: number;
  readonly intercept: number;
  readonly outcome: CalibrationOutcome;
}

const STEPS = 100;

/** Halvings at most until a step gains something. */
const HALVINGS = 40;

/** By how much of itself rounding may make a loss larger. */
const ROUNDING = 1e-13;

/**
 * The slope and the intercept of log-odds with the least log loss, where targets are moved away
 * from 0 and 1 as by one more row of each class (Platt, Probabilistic Outputs for Support Vector
 * Machines, 1999). So there is a least one also of classes that can be told apart. Newton's method
 * with halved steps, as Lin, Lin and Weng have it (A note on Platt's probabilistic outputs, 2007).
 */
export function fitLine(
  odds: Float64Array,
  members: Float64Array,
  weights: Float64Array | undefined,
): Line {
  const positives = weigh(members, weights);
  const negatives = weigh(
    members.map((share) => 1 - share),
    weights,
  );
  const yes = (positives + 1) / (positives + 2);
  const no = 1 / (negatives + 2);
  const flat = logarithm((positives + 1) / (negatives + 1));
  const { middle, spread } = extentOf(odds);
  if (spread === 0) return { slope: 0, intercept: flat, outcome: 'constant' };
  if (positives === 0 || negatives === 0)
    return { slope: 0, intercept: flat, outcome: 'one-class' };
  const scores = odds.map((score) => (score - middle) / spread);
  const targets = members.map((share) => share * yes + (1 - share) * no);
  const found = search(new LineLoss(scores, targets, weights), flat);
  const slope = found.slope / spread;
  const intercept = found.intercept - slope * middle;
  // Scores that differ by next to nothing would take a slope that is no number.
  if (!(Number.isFinite(slope) && Number.isFinite(intercept)))
    return { slope: 0, intercept: flat, outcome: 'constant' };
  if (slope < 0) return { slope, intercept, outcome: 'reversed' };
  return { slope, intercept, outcome: isSeparable(odds, members) ? 'separable' : 'fitted' };
}

/** The sum of shares of rows that have weights. */
function weigh(shares: Float64Array, weights: Float64Array | undefined): number {
  let total = 0;
  for (let k = 0; k < shares.length; k++) total += (weights?.[k] ?? 1) * (shares[k] as number);
  return total;
}

/** The best line, from that on which scores say nothing. */
function search(losses: LineLoss, intercept: number): Pair {
  let point = losses.at(0, intercept);
  for (let i = 0; i < STEPS; i++) {
    const next = follow(losses, point);
    if (next === undefined) break;
    const moved = Math.abs(next.slope - point.slope) + Math.abs(next.intercept - point.intercept);
    point = next;
    if (moved <= 4 * Number.EPSILON * (Math.abs(point.slope) + Math.abs(point.intercept))) break;
  }
  return point;
}

/** A point of the search: the loss there, and the step that Newton's method takes from it. */
interface Point extends Pair {
  readonly loss: number;
  readonly step: Pair;
}

interface Pair {
  readonly slope: number;
  readonly intercept: number;
}

/** The loss of a line, and its derivatives. */
class LineLoss {
  readonly #scores: Float64Array;
  readonly #targets: Float64Array;
  readonly #weights: Float64Array | undefined;
  readonly #logits: Float64Array;
  readonly #grad: Float64Array;
  readonly #criterion = new SigmoidFocalLoss({ alpha: null, gamma: 0, reduction: 'sum' });

  constructor(scores: Float64Array, targets: Float64Array, weights: Float64Array | undefined) {
    this.#scores = scores;
    this.#targets = targets;
    this.#weights = weights;
    this.#logits = new Float64Array(scores.length);
    this.#grad = new Float64Array(scores.length);
  }

  at(slope: number, intercept: number): Point {
    const scores = this.#scores;
    const targets = this.#targets;
    const weights = this.#weights;
    const grad = this.#grad;
    for (let k = 0; k < scores.length; k++)
      this.#logits[k] = slope * (scores[k] as number) + intercept;
    const options = { grad, sampleWeights: weights };
    const { value: loss } = this.#criterion.valueAndGrad(this.#logits, targets, options);
    let [first, second] = [0, 0];
    let [squares, mixed, plain] = [0, 0, 0];
    for (let k = 0; k < scores.length; k++) {
      const x = scores[k] as number;
      const g = grad[k] as number;
      const weight = weights === undefined ? 1 : (weights[k] as number);
      const p = g / weight + (targets[k] as number);
      const curvature = weight * Math.max(p * (1 - p), Number.MIN_VALUE);
      first += g * x;
      second += g;
      squares += curvature * x * x;
      mixed += curvature * x;
      plain += curvature;
    }
    const determinant = squares * plain - mixed * mixed;
    const step = {
      slope: (mixed * second - plain * first) / determinant,
      intercept: (mixed * first - squares * second) / determinant,
    };
    return { slope, intercept, loss, step };
  }
}

/** The next point, or none where no part of the step gains anything. */
function follow(losses: LineLoss, { slope, intercept, loss, step }: Point): Point | undefined {
  for (let i = 0, share = 1; i < HALVINGS; i++, share /= 2) {
    const next = losses.at(slope + share * step.slope, intercept + share * step.intercept);
    if (next.loss <= loss + ROUNDING * loss) return next;
  }
  return undefined;
}

/** The place of scores: the middle between the extremes, and how far these are from it. */
function extentOf(scores: Float64Array): { middle: number; spread: number } {
  let [least, most] = [Infinity, -Infinity];
  for (const score of scores) {
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  const middle = least / 2 + most / 2;
  return { middle, spread: most / 2 - least / 2 };
}

/** True where all rows of a class are above all others. */
function isSeparable(odds: Float64Array, members: Float64Array): boolean {
  let [highestNo, lowestYes] = [-Infinity, Infinity];
  for (let k = 0; k < odds.length; k++) {
    if ((members[k] as number) < 1) highestNo = Math.max(highestNo, odds[k] as number);
    if ((members[k] as number) > 0) lowestYes = Math.min(lowestYes, odds[k] as number);
  }
  return lowestYes > highestNo;
}
