// The least that a loss can be. Smoothing and soft targets ask for probabilities that are not 1, and the loss of the best ones
// is above 0.

import { classGammas, classWeights, isFocal, type SoftmaxCriterion } from './criterion.js';
import { sum } from './loops.js';
import type { Rows } from './rows.js';

/**
 * The least that the average loss of these rows can be, whatever their logits; NaN without rows, and for `focusOn: 'class'` with
 * targets that are spread over classes, for which there is no formula.
 */
export function lossFloor(rows: Rows, criterion: SoftmaxCriterion): number {
  const { labels, classes, soft, stride } = rows;
  const { labelSmoothing: smoothing, focusOn } = criterion;
  if (labels.length === 0) return NaN;
  if (soft === undefined && smoothing === 0) return 0;
  if (focusOn === 'class') return NaN;
  const least = leastLoss(criterion, classes);
  const target = new Float64Array(classes);
  const floors = new Float64Array(classes).fill(NaN);
  let total = 0;
  for (let k = 0; k < labels.length; k++) {
    const label = labels[k] as number;
    if (soft !== undefined) {
      const start = rows.start(k);
      for (let j = 0; j < classes; j++) target[j] = soft[start + j * stride] as number;
      total += least(target, label);
      continue;
    }
    // That of a class is computed where the first row is of it.
    if (Number.isNaN(floors[label])) floors[label] = least(target.fill(0).fill(1, label, label + 1), label);
    total += floors[label] as number;
  }
  return total / labels.length;
}

/** A function from an unsmoothed target, and the class that it is of, to the least loss that there is for it. */
function leastLoss(criterion: SoftmaxCriterion, classes: number): (target: Float64Array, label: number) => number {
  const { labelSmoothing: smoothing, focusOn } = criterion;
  const weights = classWeights(criterion, classes);
  const gammas = classGammas(criterion, classes);
  // Cross-entropy weighs every class by itself, focal loss the row as a whole.
  const isWhole = isFocal(criterion);
  const factors = new Float64Array(classes);
  return (target, label) => {
    const gamma = gammas[label] as number;
    // As the target's probability nears 1, its focusing factor goes to 0 faster than the cross-entropy grows.
    if (focusOn === 'target' && gamma > 0) return 0;
    let rowWeight = 0;
    for (let j = 0; j < classes; j++) {
      const share = target[j] as number;
      const weight = weights[j] as number;
      factors[j] = (share * (1 - smoothing) + smoothing / classes) * (isWhole ? 1 : weight);
      rowWeight += share * weight;
    }
    const entropy = leastEntropy(factors);
    return isWhole ? rowWeight * (-Math.expm1(-entropy)) ** gamma * entropy : entropy;
  };
}

/** The least of the sums of `-factors_j * log(p_j)`: where the probabilities are in proportion to the factors. */
function leastEntropy(factors: Float64Array): number {
  const total = sum(factors);
  let least = 0;
  for (let j = 0; j < factors.length; j++) {
    const factor = factors[j] as number;
    if (factor > 0) least -= factor * Math.log(factor / total);
  }
  return least;
}
