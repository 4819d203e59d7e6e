import { CrossEntropyLoss } from '../../../losses/cross-entropy.js';
import type { CalibrationOutcome, Evidence, Fit } from './evidence.js';

/** The extremes of a temperature, e^10 and e^-10, as scikit-learn has them. */
const HIGHEST = 22026.465794806718;

/** The largest logits of a usual size; others are counted in units. */
const USUAL = { least: 1, most: 1024 };

/** Steps at most. Each halves the range at least; doubles have no more to halve. */
const STEPS = 200;

/** The parameter of temperature scaling. */
export interface TemperatureParameters {
  /** The number that all logits are divided by. */
  readonly temperature: number;
}

/**
 * The temperature with the least log loss (Guo et al., On Calibration of Modern Neural Networks,
 * 2017). The loss is convex in its inverse β: the root of the derivative is found by Newton's
 * method within a bracket, which is halved where a step would leave it.
 */
export function fitTemperature(evidence: Evidence): Fit<TemperatureParameters> {
  const slopes = new Slopes(evidence);
  if (slopes.areFlat) return { parameters: { temperature: 1 }, outcome: 'constant' };
  const endAt = (beta: number, outcome: CalibrationOutcome) => {
    const temperature = slopes.unit / beta;
    const inRange = Math.min(Math.max(temperature, Number.MIN_VALUE), Number.MAX_VALUE);
    return { parameters: { temperature: inRange }, outcome };
  };
  const [low, high] = [1 / HIGHEST, HIGHEST];
  // The slope of no logits at all tells whether they are of any use.
  if (slopes.at(low).slope >= 0) return endAt(low, slopes.at(0).slope >= 0 ? 'reversed' : 'fitted');
  if (slopes.at(high).slope <= 0) return endAt(high, slopes.areRight ? 'separable' : 'fitted');
  return endAt(rootOf(slopes, low, high), 'fitted');
}

/** The inverse temperature between two at which the derivative is 0. */
function rootOf(slopes: Slopes, least: number, most: number): number {
  let [low, high] = [least, most];
  let beta = Math.min(Math.max(1, low), high);
  for (let i = 0; i < STEPS; i++) {
    const { slope, curvature } = slopes.at(beta);
    if (slope === 0) break;
    if (slope < 0) low = beta;
    else high = beta;
    const next = beta - slope / curvature;
    // In the middle of the logarithms, as far as square roots have it.
    const step = next > low && next < high ? next : Math.sqrt(low) * Math.sqrt(high);
    if (Math.abs(step - beta) <= 4 * Number.EPSILON * beta) break;
    beta = step;
  }
  return beta;
}

/** The derivatives of the log loss by the inverse temperature. */
class Slopes {
  /** The number that the logits are multiples of: their largest size, unless that is usual. */
  readonly unit: number;
  /** True where the logits of each row are all the same, so that no temperature matters. */
  readonly areFlat: boolean;
  readonly #evidence: Evidence;
  /** The logits, less the largest of each row: exact where they are near it. */
  readonly #logits: Float64Array;
  readonly #scaled: Float64Array;
  readonly #grad: Float64Array;
  readonly #criterion: CrossEntropyLoss<'sum'>;

  constructor(evidence: Evidence) {
    const { pairs, classes, rows } = evidence;
    this.#evidence = evidence;
    this.#logits = new Float64Array(pairs.length);
    let largest = 0;
    for (let row = 0; row < rows; row++) {
      let most = -Infinity;
      for (let k = row * classes; k < (row + 1) * classes; k++)
        most = Math.max(most, pairs[k] as number);
      for (let k = row * classes; k < (row + 1) * classes; k++) {
        this.#logits[k] = Math.max((pairs[k] as number) - most, -Number.MAX_VALUE);
        largest = Math.max(largest, -(this.#logits[k] as number));
      }
    }
    this.areFlat = largest === 0;
    const isUsual = largest >= USUAL.least && largest <= USUAL.most;
    this.unit = isUsual || this.areFlat ? 1 : largest;
    for (let k = 0; k < pairs.length; k++)
      this.#logits[k] = (this.#logits[k] as number) / this.unit;
    this.#scaled = new Float64Array(pairs.length);
    this.#grad = new Float64Array(pairs.length);
    this.#criterion = new CrossEntropyLoss({ reduction: 'sum', numClasses: classes });
  }

  /** True where no row has a target that is not the likeliest, so that none is wrong. */
  get areRight(): boolean {
    const { classes, targets, shares } = this.#evidence;
    return this.#logits.every((logit, k) => {
      const [row, j] = [Math.floor(k / classes), k % classes];
      const isTarget = shares === undefined ? targets[row] === j : (shares[k] as number) > 0;
      return !isTarget || logit === 0;
    });
  }

  /** The first and the second derivative at an inverse temperature. */
  at(beta: number): { slope: number; curvature: number } {
    const logits = this.#logits;
    const grad = this.#grad;
    const { classes, rows, targets, shares, weights } = this.#evidence;
    for (let k = 0; k < logits.length; k++) this.#scaled[k] = (logits[k] as number) * beta;
    this.#criterion.valueAndGrad(this.#scaled, shares ?? targets, { grad, sampleWeights: weights });
    let slope = 0;
    let curvature = 0;
    for (let row = 0; row < rows; row++) {
      const weight = weights === undefined ? 1 : (weights[row] as number);
      const target = targets[row] as number;
      let mean = 0;
      let square = 0;
      for (let j = 0; j < classes; j++) {
        const k = row * classes + j;
        const x = logits[k] as number;
        const g = grad[k] as number;
        const share = shares === undefined ? Number(j === target) : (shares[k] as number);
        const p = g / weight + share;
        slope += g * x;
        mean += p * x;
        square += p * x * x;
      }
      curvature += weight * Math.max(square - mean * mean, 0);
    }
    return { slope, curvature };
  }
}
