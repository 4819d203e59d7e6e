// Weights of rows, at the ends of what they may be.

import {
  calibrationCurve,
  chooseThreshold,
  classificationReport,
  compareModels,
  decisionCurve,
  fitCalibration,
  precisionRecallCurve,
  rocCurve,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../../support/failure.js';
import { generator } from '../../support/random.js';

const random = generator(5);
const targets = Uint8Array.from({ length: 40 }, () => Number(random() < 0.4));
const logits = Float64Array.from(targets, (target) => 3 * random() - 2 + target);
const weights = Float64Array.from(targets, () => Math.ceil(4 * random()) / 4);

const criterion = new SigmoidFocalLoss({ numClasses: 2 });

/** Every function that takes weights; each result but for what counts rows. */
const calls: Record<string, (sampleWeights: Float64Array) => unknown> = {
  report: (sampleWeights) => {
    const { accuracy, auc, averagePrecision, logLoss, brier, mcc, kappa, macro, micro } =
      classificationReport(logits, targets, { sampleWeights });
    return [accuracy, auc, averagePrecision, logLoss, brier, mcc, kappa, macro, micro];
  },
  intervals: (sampleWeights) => {
    const intervals = { repeats: 20 };
    return classificationReport(logits, targets, { sampleWeights, intervals }).intervals;
  },
  'of labels': (sampleWeights) => {
    const half = sampleWeights.subarray(0, 20);
    const { auc, logLoss, samples } = classificationReport(logits, targets, {
      criterion,
      sampleWeights: half,
    });
    return [auc, logLoss, samples];
  },
  rocCurve: (sampleWeights) => rocCurve(logits, targets, { sampleWeights }),
  precisionRecallCurve: (sampleWeights) => precisionRecallCurve(logits, targets, { sampleWeights }),
  calibrationCurve: (sampleWeights) => {
    const { share, probability, expectedError } = calibrationCurve(logits, targets, {
      sampleWeights,
    });
    return [share, probability, expectedError];
  },
  decisionCurve: (sampleWeights) => decisionCurve(logits, targets, { sampleWeights }),
  chooseThreshold: (sampleWeights) => {
    const { threshold, curve } = chooseThreshold(logits, targets, { sampleWeights });
    return [threshold, curve];
  },
  compareModels: (sampleWeights) =>
    compareModels(
      logits,
      logits.map((x) => x * x),
      targets,
      { sampleWeights, repeats: 20 },
    ),
  temperature: (sampleWeights) => {
    const { parameters, after } = fitCalibration(logits, targets, { sampleWeights });
    return [parameters, after];
  },
  isotonic: (sampleWeights) => {
    const options = { method: 'isotonic', sampleWeights } as const;
    const { parameters, after } = fitCalibration(logits, targets, options);
    return [parameters, after];
  },
};

/** Results by their digits; numbers that differ by a rounding are alike. */
function digits(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(9));
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, digits);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, digits(entry)]));
}

describe.each(Object.entries(calls))('%s', (_, call) => {
  it('does not depend on a factor of all weights', () => {
    const expected = digits(call(weights));
    for (const power of [-190, -100, 100, 190])
      expect(digits(call(weights.map((weight) => weight * 2 ** power)))).toEqual(expected);
  });

  it('refuses weights of which no figures can be made', () => {
    for (const [weight, shown] of [
      [1e308, '1e+308'],
      [5e-324, '5e-324'],
    ] as const) {
      const sampleWeights = new Float64Array(40);
      sampleWeights[7] = weight;
      expectFailure(
        () => call(sampleWeights),
        RangeError,
        `sampleWeights[7] must be in [2 ** -200, 2 ** 200], being the largest: multiply all of them by one number, got ${shown}`,
      );
    }
  });
});

it('a weight next to nothing leaves isotonic regression its order', () => {
  const odds = Float64Array.of(-3, -2, -1, 0, 1, 2);
  const sampleWeights = Float64Array.of(1, 1e-200, 1e-200, 1e-200, 1, 1);
  const { parameters } = fitCalibration(odds, Uint8Array.of(0, 0, 0, 1, 1, 1), {
    method: 'isotonic',
    numClasses: 1,
    sampleWeights,
  });
  expect(parameters).toEqual({
    scores: [[-3, -1, 0, 2]],
    probabilities: [[0, 0, 1, 1]],
  });
});
