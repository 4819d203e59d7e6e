// The least that a loss can be. Smoothing and soft targets ask for probabilities that are not 1,
// and the loss of the best ones is above 0.

import { said } from '../../arrays/own.js';
import {
  classGammas,
  classWeights,
  type DiagnosedCriterion,
  entryOf,
  isAsymmetric,
  isFocal,
  isSigmoid,
  type SigmoidCriterion,
  type SoftmaxCriterion,
} from '../criteria/criterion.js';
import { complementOfExponential, power, takeLogarithms } from '../elementary.js';
import { sum } from '../rows/loops.js';

/** The rows that a least loss is asked of. */
export interface FlooredRows {
  /** The number of rows of each class. */
  readonly counts: Float64Array;
  /** How many there are. */
  readonly rows: number;
  /** The number of each in the batch. */
  numbers(): Uint32Array;
  /**
   * The probability of a class that a row has for its target, by its number; of yes-or-no logits
   * that of yes, whatever the class.
   */
  shareOf(row: number, j: number): number;
  /** True where targets are probabilities; of yes-or-no logits where some are neither 0 nor 1. */
  readonly areSpread: boolean;
}

/**
 * The least that the losses of rows can add up to, whatever their logits. It is NaN where there
 * is no formula: for targets that are spread over classes under `focusOn: 'class'`, and under the
 * focus or the margin of yes-or-no logits; and for a poly-1 loss whose `epsilon` is below 0.
 */
export function leastOf(rows: FlooredRows, criterion: DiagnosedCriterion): number {
  if (rows.rows === 0) return 0;
  if (isAsymmetric(criterion)) return rows.areSpread ? NaN : 0;
  const { labelSmoothing: smoothing } = criterion;
  if (epsilonOf(criterion) < 0) return NaN;
  if (!rows.areSpread && smoothing === 0) return 0;
  if (isSigmoid(criterion)) return criterion.gamma > 0 ? NaN : leastOfElements(rows, criterion);
  return criterion.focusOn === 'class' ? NaN : leastOfRows(rows, criterion);
}

/** The coefficient of poly-1: 0 for a loss without that term. */
function epsilonOf(criterion: SoftmaxCriterion | SigmoidCriterion): number {
  return said(criterion, 'epsilon', (criterion as SoftmaxCriterion).epsilon, 0);
}

function leastOfRows(rows: FlooredRows, criterion: SoftmaxCriterion): number {
  const { counts } = rows;
  const classes = counts.length;
  const least = leastLoss(criterion, classes);
  const target = new Float64Array(classes);
  if (!rows.areSpread) {
    const leastOfClass = (j: number) => least(target.fill(0).fill(1, j, j + 1), j);
    return counts.reduce((total, count, j) => total + (count && count * leastOfClass(j)), 0);
  }
  let total = 0;
  for (const number of rows.numbers()) {
    let label = 0;
    for (let j = 0; j < classes; j++) {
      target[j] = rows.shareOf(number, j);
      if ((target[j] as number) > (target[label] as number)) label = j;
    }
    total += least(target, label);
  }
  return total;
}

function leastOfElements(rows: FlooredRows, criterion: SigmoidCriterion): number {
  const { labelSmoothing: smoothing, numClasses = 1 } = criterion;
  // The terms of no and yes: the first weighs 1.
  const terms = new Float64Array(2);
  let total = 0;
  for (const number of rows.numbers()) {
    const column = number % numClasses;
    const share = rows.shareOf(number, 1) * (1 - smoothing) + smoothing / 2;
    const alpha = criterion.alpha === null ? undefined : entryOf(criterion.alpha, column);
    const weight = alpha === undefined ? 1 : alpha * share + (1 - alpha) * (1 - share);
    terms[0] = 1 - share;
    terms[1] = share * entryOf(criterion.posWeight, column);
    total += weight * leastEntropy(terms);
  }
  return total;
}

/**
 * A function from an unsmoothed target, and the class that it is of, to the least loss that there
 * is for it.
 */
function leastLoss(
  criterion: SoftmaxCriterion,
  classes: number,
): (target: Float64Array, label: number) => number {
  const { labelSmoothing: smoothing, focusOn } = criterion;
  const weights = classWeights(criterion, classes);
  const gammas = classGammas(criterion, classes);
  const epsilon = epsilonOf(criterion);
  // Cross-entropy weighs every class by itself, focal loss the row as a whole.
  const isWhole = isFocal(criterion);
  const factors = new Float64Array(classes);
  return (target, label) => {
    const gamma = gammas[label] as number;
    // As the target's probability nears 1, its focusing factor goes to 0 faster than the
    // cross-entropy grows.
    if (focusOn === 'target' && gamma > 0) return 0;
    // The best probabilities are then a compromise of two terms.
    if (focusOn === 'target' && epsilon > 0) return NaN;
    let rowWeight = 0;
    for (let j = 0; j < classes; j++) {
      const share = target[j] as number;
      const weight = weights[j] as number;
      factors[j] = (share * (1 - smoothing) + smoothing / classes) * (isWhole ? 1 : weight);
      rowWeight += share * weight;
    }
    const entropy = leastEntropy(factors);
    if (!isWhole) return entropy;
    const unsure = complementOfExponential(-entropy);
    return rowWeight * power(unsure, gamma) * (entropy + epsilon * unsure);
  };
}

/**
 * The least of the sums of `-factors_j * log(p_j)`: where the probabilities are in proportion to
 * the factors.
 */
function leastEntropy(factors: Float64Array): number {
  const total = sum(factors);
  const logarithms = factors.map((factor) => factor / total);
  takeLogarithms(logarithms);
  let least = 0;
  for (let j = 0; j < factors.length; j++) {
    const factor = factors[j] as number;
    if (factor > 0) least -= factor * (logarithms[j] as number);
  }
  return least;
}
