import type { Floats, Loss } from '../../cases.js';
import { focus } from './focus.js';

type FocalLoss = Extract<Loss, { kind: 'focal' }>;

/** The focal loss of any number of classes; the gradient goes to `grad` where there is one. */
export function focal(
  logits: Floats,
  targets: Int32Array | Floats,
  classes: number,
  { alpha, gamma, labelSmoothing }: FocalLoss,
  grad: Floats | undefined,
): number {
  const scale = 1 / targets.length;
  const floor = labelSmoothing / classes;
  let total = 0;
  for (let row = 0, start = 0; row < targets.length; row++, start += classes) {
    const end = start + classes;
    const at = start + targets[row];

    const max = maximum(logits, start, end);
    const sum = exponentials(logits, start, end, max, grad);

    let loss = Math.log(sum) + max - logits[at];
    let pt: number;
    if (labelSmoothing === 0) {
      pt = (grad ? grad[at] : Math.exp(logits[at] - max)) / sum;
    } else {
      loss += labelSmoothing * (logits[at] - sumOf(logits, start, end) / classes);
      pt = Math.exp(-loss);
    }
    const miss = 1 - pt;
    const weight = targets[row] === 1 ? alpha : 1 - alpha;
    const power = focus(miss, gamma - 1);
    total += weight * power * miss * loss;
    if (!grad) continue;

    const slope = scale * weight * power * (miss + gamma * pt * loss);
    const share = slope / sum;
    const shift = slope * floor;
    for (let i = start; i < end; i++) grad[i] = grad[i] * share - shift;
    grad[at] -= slope * (1 - labelSmoothing);
  }
  return total * scale;
}

/**
 * The focal loss of two classes, unsmoothed: only their gap counts, so one exponential and one
 * logarithm do.
 */
export function focalOfTwo(
  logits: Floats,
  targets: Int32Array | Floats,
  { alpha, gamma }: FocalLoss,
  grad: Floats | undefined,
): number {
  const scale = 1 / targets.length;
  let total = 0;
  for (let row = 0; row < targets.length; row++) {
    const target = targets[row];
    const at = 2 * row + target;
    const other = 2 * row + 1 - target;

    const gap = logits[other] - logits[at];
    const exponential = Math.exp(-Math.abs(gap));
    const larger = 1 / (1 + exponential);
    const smaller = exponential * larger;
    const wrong = gap > 0;
    const loss = Math.log1p(exponential) + (wrong ? gap : 0);
    const pt = wrong ? smaller : larger;
    const miss = wrong ? larger : smaller;

    const weight = (target === 1 ? alpha : 1 - alpha) * focus(miss, gamma);
    total += weight * loss;
    if (!grad) continue;
    const slope = scale * weight * (miss + gamma * pt * loss);
    grad[other] = slope;
    grad[at] = -slope;
  }
  return total * scale;
}

export function crossEntropy(
  logits: Floats,
  targets: Int32Array | Floats,
  classes: number,
  grad: Floats | undefined,
): number {
  const scale = 1 / targets.length;
  let total = 0;
  for (let row = 0, start = 0; row < targets.length; row++, start += classes) {
    const end = start + classes;
    const at = start + targets[row];

    const max = maximum(logits, start, end);
    const sum = exponentials(logits, start, end, max, grad);
    total += Math.log(sum) + max - logits[at];
    if (!grad) continue;

    const share = scale / sum;
    for (let i = start; i < end; i++) grad[i] *= share;
    grad[at] -= scale;
  }
  return total * scale;
}

/** The focal loss of class probabilities, which add up to 1. */
export function softFocal(
  logits: Floats,
  probabilities: Int32Array | Floats,
  classes: number,
  gamma: number,
  grad: Floats | undefined,
): number {
  const rows = logits.length / classes;
  const scale = 1 / rows;
  let total = 0;
  for (let row = 0, start = 0; row < rows; row++, start += classes) {
    const end = start + classes;

    const max = maximum(logits, start, end);
    const sum = exponentials(logits, start, end, max, grad);
    const logSum = Math.log(sum) + max;
    let loss = 0;
    for (let i = start; i < end; i++) loss += probabilities[i] * (logSum - logits[i]);
    const pt = Math.exp(-loss);
    const miss = 1 - pt;
    const power = focus(miss, gamma - 1);
    total += power * miss * loss;
    if (!grad) continue;

    const slope = scale * power * (miss + gamma * pt * loss);
    const share = slope / sum;
    for (let i = start; i < end; i++) grad[i] = grad[i] * share - slope * probabilities[i];
  }
  return total * scale;
}

function maximum(logits: Floats, start: number, end: number): number {
  let max = logits[start];
  for (let i = start + 1; i < end; i++) max = Math.max(max, logits[i]);
  return max;
}

/** The sum of the exponentials; they themselves go to `grad` where there is one. */
function exponentials(
  logits: Floats,
  start: number,
  end: number,
  max: number,
  grad: Floats | undefined,
): number {
  let sum = 0;
  for (let i = start; i < end; i++) {
    const exponential = Math.exp(logits[i] - max);
    if (grad) grad[i] = exponential;
    sum += exponential;
  }
  return sum;
}

function sumOf(logits: Floats, start: number, end: number): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += logits[i];
  return sum;
}
