// The least that a loss can be. Smoothing and soft targets ask for probabilities that are not 1,
// and the loss of the best ones is above 0.

import { said } from '../../arrays/own.js';
import {
  classGammas,
  classWeights,
  type DiagnosedCriterion,
  entryOf,
  isFocal,
  isSigmoid,
  type SigmoidCriterion,
  type SoftmaxCriterion,
} from '../criteria/criterion.js';
import { sum } from '../rows/loops.js';
import type { Rows } from '../rows/rows.js';

/**
 * A function from rows, the first of which has a number in the batch, to the least that their
 * losses can add up to, whatever their logits. It is NaN where there is no formula: for targets
 * that are spread over classes under `focusOn: 'class'`, and under the focus of yes-or-no logits;
 * and for a poly-1 loss whose `epsilon` is below 0.
 */
export function leastLosses(criterion: DiagnosedCriterion): (rows: Rows, first: number) => number {
  const { labelSmoothing: smoothing } = criterion;
  return (rows, first) => {
    if (rows.labels.length === 0) return 0;
    if (epsilonOf(criterion) < 0) return NaN;
    if (rows.soft === undefined && smoothing === 0) return 0;
    if (isSigmoid(criterion))
      return criterion.gamma > 0 ? NaN : leastOfElements(rows, criterion, first);
    return criterion.focusOn === 'class' ? NaN : leastOfRows(rows, criterion);
  };
}

/** The coefficient of poly-1: 0 for a loss without that term. */
function epsilonOf(criterion: DiagnosedCriterion): number {
  return said(criterion, 'epsilon', (criterion as SoftmaxCriterion).epsilon, 0);
}

function leastOfRows(rows: Rows, criterion: SoftmaxCriterion): number {
  const { labels, classes, soft, stride } = rows;
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
    if (Number.isNaN(floors[label]))
      floors[label] = least(target.fill(0).fill(1, label, label + 1), label);
    total += floors[label] as number;
  }
  return total;
}

function leastOfElements(
  { labels, numbers, soft, start }: Rows,
  criterion: SigmoidCriterion,
  first: number,
): number {
  const { labelSmoothing: smoothing, numClasses = 1 } = criterion;
  // The terms of no and yes: the first weighs 1.
  const terms = new Float64Array(2);
  let total = 0;
  for (let k = 0; k < labels.length; k++) {
    const column = (first + (numbers[k] as number)) % numClasses;
    const target = soft === undefined ? (labels[k] as number) : (soft[start(k) + 1] as number);
    const share = target * (1 - smoothing) + smoothing / 2;
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
    const unsure = -Math.expm1(-entropy);
    return isWhole ? rowWeight * unsure ** gamma * (entropy + epsilon * unsure) : entropy;
  };
}

/**
 * The least of the sums of `-factors_j * log(p_j)`: where the probabilities are in proportion to
 * the factors.
 */
function leastEntropy(factors: Float64Array): number {
  const total = sum(factors);
  let least = 0;
  for (let j = 0; j < factors.length; j++) {
    const factor = factors[j] as number;
    if (factor > 0) least -= factor * Math.log(factor / total);
  }
  return least;
}
