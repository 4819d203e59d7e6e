import { CrossEntropyLoss, FocalLoss } from 'focal-loss';
import { type LossCurveOptions, lossCurve } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';

/** The largest relative difference of two arrays. */
function difference(
  actual: Float64Array,
  expected: (pt: number) => number,
  pt: Float64Array,
): number {
  expect(actual).toHaveLength(pt.length);
  return Math.max(...Array.from(pt, (p, i) => Math.abs(actual[i] / expected(p) - 1)));
}

describe("the page's plots", () => {
  it('focal loss and cross-entropy over 100 probabilities from 0.01 to 0.99', () => {
    const { pt, crossEntropy, focal } = lossCurve({ alpha: 0.25, gamma: 2 });
    expect([pt.length, pt[0], pt[99]]).toEqual([100, 0.01, 0.99]);
    pt.forEach((p, i) => {
      expect(p).toBeCloseTo(0.01 + (i * 0.98) / 99, 15);
    });
    // Where pt is high, focal loss is much lower; where it is low, it is alpha times the
    // cross-entropy, nearly.
    expect(focal[99] / crossEntropy[99]).toBeLessThan(1e-4);
    expect(focal[0] / crossEntropy[0]).toBeGreaterThan(0.24);
  });

  it.each([0, 1, 2, 5])('gamma %i, as the formula has it', (gamma) => {
    const { pt, crossEntropy, focal, gradient } = lossCurve({ gamma });
    const worst = Math.max(
      difference(crossEntropy, (p) => -Math.log(p), pt),
      difference(focal, (p) => -0.25 * (1 - p) ** gamma * Math.log(p), pt),
      difference(gradient, (p) => 0.25 * (1 - p) ** gamma * (gamma * p * Math.log(p) + p - 1), pt),
    );
    console.log(`loss curve, gamma ${gamma}: worst relative difference ${worst}`);
    // Worst: 2.0e-15, for gamma 5.
    expect(worst).toBeLessThan(2.5e-15);
  });

  it('falls as gamma rises, everywhere', () => {
    const curves = [0, 1, 2, 5].map((gamma) => lossCurve({ gamma }).focal);
    for (let i = 0; i < 100; i++) {
      for (let k = 1; k < 4; k++) expect(curves[k][i]).toBeLessThan(curves[k - 1][i]);
    }
  });
});

it.each<LossCurveOptions>([
  { labelSmoothing: 0.1 },
  { labelSmoothing: 0.1, numClasses: 7, gamma: 1.5, alpha: 3 },
  { labelSmoothing: 1, numClasses: 3, gamma: 0.5, alpha: null },
  { from: 1e-12, to: 1 - 1e-12, points: 1001 },
])('is what the losses give for such probabilities: %j', (options) => {
  const { alpha = 0.25, gamma = 2, labelSmoothing = 0, numClasses = 2 } = options;
  const { pt, crossEntropy, focal, gradient } = lossCurve(options);
  const common = { labelSmoothing, reduction: 'none' } as const;
  // The target among the other classes, and all logits shifted.
  const target = numClasses - 1;
  const logits = Float64Array.from(pt, (p) => Math.log((1 - p) / (numClasses - 1))).reduce<
    number[]
  >((all, other, i) => all.concat(Array(target).fill(other), Math.log(pt[i])), []);
  const targets = new Uint8Array(pt.length).fill(target);
  const criterion = new FocalLoss({ ...common, gamma, alpha: Array(numClasses).fill(alpha ?? 1) });
  const { value, grad } = criterion.valueAndGrad(Float64Array.from(logits), targets);
  const entropies = new CrossEntropyLoss(common).forward(Float64Array.from(logits), targets);
  // The logarithms' rounding is relative to logits of up to 28.
  const near = (actual: number, expected: number) =>
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-13 * Math.abs(expected) + 1e-16);
  pt.forEach((_, i) => {
    near(crossEntropy[i], entropies[i]);
    near(focal[i], value[i]);
    near(gradient[i], grad[i * numClasses + target]);
  });
});

it.each<[LossCurveOptions, ErrorConstructor, string]>([
  [{ from: 0 }, RangeError, 'from must be above 0 and below 1, got 0'],
  [{ to: 1 }, RangeError, 'to must be above 0 and below 1, got 1'],
  [{ from: 0.5, to: 0.5 }, RangeError, 'to must be above from, 0.5, got 0.5'],
  [{ points: 1 }, RangeError, 'points must be an integer in [2, 2147483647], got 1'],
  [{ alpha: -1 }, RangeError, 'alpha must be finite and not negative, got -1'],
  [
    { gamma: [1, 2] } as never,
    TypeError,
    'gamma must be a number; several are several curves, values.map((gamma) => lossCurve({ gamma })), got an Array',
  ],
  [
    { alpha: Float64Array.of(0.25) } as never,
    TypeError,
    'alpha must be a number; several are several curves, values.map((alpha) => lossCurve({ alpha })), got a Float64Array',
  ],
  [
    { labelSmoothing: [0.1] } as never,
    TypeError,
    'labelSmoothing must be a number; several are several curves, values.map((labelSmoothing) => lossCurve({ labelSmoothing })), got an Array',
  ],
  [{ gamma: '2' } as never, TypeError, 'gamma must be a number, got "2"'],
  [{ gamma: null } as never, TypeError, 'gamma must be a number, got null'],
  [{ gamma: -1 }, RangeError, 'gamma must be finite and not negative, got -1'],
  [{ labelSmoothing: 2 }, RangeError, 'labelSmoothing must be in [0, 1], got 2'],
  [{ numClasses: 1 }, RangeError, 'numClasses must be an integer in [2, 2147483647], got 1'],
  [
    { beta: 1 } as LossCurveOptions,
    TypeError,
    'unknown option "beta"; known are alpha, gamma, labelSmoothing, numClasses, from, to, points',
  ],
])('refuses %j', (options, kind, message) => {
  expectFailure(() => lossCurve(options), kind, message);
});
