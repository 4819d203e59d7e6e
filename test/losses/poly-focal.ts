import fc from 'fast-check';
import { PolyFocalLoss } from 'focal-loss';
import { focalCall } from '../property/calls.js';
import { focal, softmax } from '../property/draws.js';
import { type FamilyResult, type FocalRow, focalOracle } from '../support/family-oracle.js';
import { lossTests } from './loss-tests.js';

/** The sum of all numbers but one. */
function sumWithout(numbers: number[], left: number): number {
  return numbers.reduce((sum, x, j) => (j === left ? sum : sum + x), 0);
}

/** The focal loss and, by the definition, the term that poly-1 adds. */
function polyOracle(row: FocalRow, epsilon: number): FamilyResult {
  const { logits, q, weights, labelSmoothing = 0, gamma, focusOn } = row;
  const focal = focalOracle(row);
  const [x, given] = [Array.from(logits), Array.from(q)];
  const max = Math.max(...x);
  const exps = x.map((logit) => Math.exp(logit - max));
  const total = sumWithout(exps, -1);
  const p = exps.map((e) => e / total);
  const others = exps.map((_, j) => sumWithout(exps, j) / total);
  const aims = given.map((share) => share * (1 - labelSmoothing) + labelSmoothing / x.length);
  const weight = given.reduce((sum, share, j) => sum + share * (weights?.[j] ?? 1), 0);
  const t = given.indexOf(1);
  const hard = labelSmoothing === 0 && given.every((share, j) => share === (j === t ? 1 : 0));
  let value = 0;
  let grad: number[];
  if (focusOn === 'class' && !hard) {
    const factors = aims.map((aim, j) => (weights?.[j] ?? 1) * aim * epsilon * others[j] ** gamma);
    value = sumWithout(
      factors.map((factor, j) => factor * others[j]),
      -1,
    );
    const pulls = factors.map((factor, j) => factor * (gamma + 1) * p[j]);
    grad = p.map((pj, j) => pj * sumWithout(pulls, j) - pulls[j] * others[j]);
  } else {
    const terms = aims.map((aim, j) => (aim === 0 ? 0 : aim * (Math.log(total) + (max - x[j]))));
    const onTarget = hard || focusOn === 'target';
    const nll = sumWithout(terms, -1);
    const [pt, u] = onTarget ? [p[t], others[t]] : [Math.exp(-nll), -Math.expm1(-nll)];
    const factor = weight * epsilon * u ** gamma;
    value = factor * u;
    const aimed = onTarget ? given : aims;
    const mass = sumWithout(aimed, -1);
    // The same difference, in terms of which only one can cancel.
    const differences = p.map((pj, j) => pj * (mass - aimed[j]) - aimed[j] * others[j]);
    grad = differences.map((difference) => factor * (gamma + 1) * pt * difference);
  }
  const largest = hard ? 0 : Math.max(...grad.map(Math.abs));
  return {
    value: focal.value + value,
    grad: focal.grad.map((entry, j) => entry + grad[j]),
    scales: focal.scales.map((scale, j) => scale + Math.max(Math.abs(grad[j]), largest)),
  };
}

export const polyFocalLoss = lossTests({
  name: 'PolyFocalLoss',
  Loss: PolyFocalLoss,
  defaults: {
    epsilon: 1,
    alpha: 0.25,
    gamma: 2,
    focusOn: 'smoothed',
    labelSmoothing: 0,
    layout: 'channels-last',
  },
  others: {
    epsilon: -2,
    alpha: [0.5, 0.75],
    gamma: [1, 3],
    labelSmoothing: 0.1,
    ignoreIndex: 7,
    focusOn: 'target',
    numClasses: 2,
  },
  refused: [
    [
      'name',
      { weight: [1, 2] },
      TypeError,
      'unknown option "weight"; known are epsilon, alpha, gamma, focusOn, labelSmoothing, layout, reduction, normalizer, ignoreIndex, numClasses',
    ],
    [
      'focusOn',
      { focusOn: 'pt' },
      TypeError,
      "focusOn must be 'smoothed', 'target' or 'class', got \"pt\"",
    ],
    ['epsilon', { epsilon: NaN }, RangeError, 'epsilon must be finite, got NaN'],
    ['epsilon', { epsilon: -Infinity }, RangeError, 'epsilon must be finite, got -Infinity'],
    ['epsilon', { epsilon: '1' }, TypeError, 'epsilon must be a number, got "1"'],
    ['epsilon', { epsilon: null }, TypeError, 'epsilon must be a number, got null'],
    ['epsilon', { epsilon: [1, 2] }, TypeError, 'epsilon must be a number, got an Array'],
  ],
  forms: (perClass) => [
    { name: 'poly-1', options: {} },
    {
      name: 'poly-1, smoothed',
      options: { epsilon: 3, labelSmoothing: 0.1, alpha: perClass, gamma: 0.5 },
    },
    { name: 'poly-1 on the target', options: { labelSmoothing: 0.1, focusOn: 'target', gamma: 3 } },
    {
      name: 'poly-1 on each class',
      options: { epsilon: 2, labelSmoothing: 0.1, focusOn: 'class' },
    },
    {
      name: 'poly-1, a gamma for each class',
      options: { gamma: perClass.map((_, j) => (j % 7) / 2) },
    },
    { name: 'poly-1, below 0', options: { epsilon: -0.5, gamma: 1.5 } },
    { name: 'poly-1, soft', options: { alpha: perClass }, isSoft: true },
    {
      name: 'poly-1 on each class, soft',
      options: { focusOn: 'class', alpha: perClass },
      isSoft: true,
    },
  ],
  golden: { 'poly-focal': 32 },
  calls: { ...softmax, epsilon: fc.constantFrom(1, 0, 0.25, 4), ...focal },
  makeCall: (dtype, { epsilon, ...drawn }) =>
    focalCall(
      dtype,
      drawn,
      (settings) => new PolyFocalLoss({ ...settings, epsilon }),
      (row) => polyOracle(row, epsilon),
    ),
});
