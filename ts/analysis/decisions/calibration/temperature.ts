import { CrossEntropyLoss } from '../../../losses/cross-entropy.js';
import type { Evidence, Fit } from './evidence.js';

/** The extremes of a temperature, e^10 and e^-10, as scikit-learn has them. */
const HIGHEST = 22026.465794806718;

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
  let low = 1 / HIGHEST;
  let high = Math.min(HIGHEST, Number.MAX_VALUE / slopes.largest);
  if (slopes.at(low).slope >= 0)
    return { parameters: { temperature: 1 / low }, outcome: 'reversed' };
  if (slopes.at(high).slope <= 0)
    return { parameters: { temperature: 1 / high }, outcome: 'separable' };
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
  return { parameters: { temperature: 1 / beta }, outcome: 'fitted' };
}

/** The derivatives of the log loss by the inverse temperature. */
class Slopes {
  /** The largest size of a logit, as seen from the largest of its row. */
  readonly largest: number;
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
    this.largest = largest;
    this.#scaled = new Float64Array(pairs.length);
    this.#grad = new Float64Array(pairs.length);
    this.#criterion = new CrossEntropyLoss({ reduction: 'sum', numClasses: classes });
  }

  /** True where the logits of each row are all the same, so that no temperature matters. */
  get areFlat(): boolean {
    return this.largest === 0;
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
