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

/** A logit per row, a target and a weight. */
interface Batch {
  logits: Float64Array;
  targets: Uint8Array;
  sampleWeights: Float64Array;
}

/** Every function that takes weights; each result but for what counts rows. */
const calls: Record<string, (batch: Batch) => unknown> = {
  report: ({ logits, targets, sampleWeights }) => {
    const {
      accuracy,
      auc,
      averagePrecision,
      logLoss,
      brier,
      mcc,
      kappa,
      macro,
      micro,
      calibration,
    } = classificationReport(logits, targets, { sampleWeights });
    const { expectedError } = calibration;
    return [
      ...[accuracy, auc, averagePrecision, logLoss, brier, mcc, kappa, expectedError],
      macro,
      micro,
    ];
  },
  'of three classes': ({ logits, targets, sampleWeights }) => {
    const rows = Array.from(logits, (x) => [x, -x / 2, x / 3 + 0.1]).flat();
    const { accuracy, auc, averagePrecision, logLoss, brier, topKAccuracy } = classificationReport(
      Float64Array.from(rows),
      targets,
      { numClasses: 3, sampleWeights },
    );
    return [accuracy, auc, averagePrecision, logLoss, brier, topKAccuracy];
  },
  intervals: ({ logits, targets, sampleWeights }) =>
    classificationReport(logits, targets, { sampleWeights, intervals: { repeats: 20 } }).intervals,
  'intervals of groups': ({ logits, targets, sampleWeights }) => {
    // Whoever weighs something is of the same group, whoever does not beside.
    let counted = 0;
    const groups = Array.from(sampleWeights, (weight) => (weight > 0 ? counted++ : counted) % 15);
    const intervals = { repeats: 20, groups };
    return classificationReport(logits, targets, { sampleWeights, intervals }).intervals;
  },
  'of labels': ({ logits, targets, sampleWeights }) => {
    const { auc, logLoss, samples, intervals } = classificationReport(logits, targets, {
      criterion,
      sampleWeights: sampleWeights.filter((_, i) => i % 2 === 1),
      intervals: { repeats: 20 },
    });
    return [auc, logLoss, samples, intervals];
  },
  rocCurve: ({ logits, targets, sampleWeights }) => rocCurve(logits, targets, { sampleWeights }),
  precisionRecallCurve: ({ logits, targets, sampleWeights }) =>
    precisionRecallCurve(logits, targets, { sampleWeights }),
  calibrationCurve: ({ logits, targets, sampleWeights }) => {
    const { share, probability, expectedError } = calibrationCurve(logits, targets, {
      sampleWeights,
    });
    return [share, probability, expectedError];
  },
  decisionCurve: ({ logits, targets, sampleWeights }) =>
    decisionCurve(logits, targets, { sampleWeights }),
  chooseThreshold: ({ logits, targets, sampleWeights }) => {
    const { threshold, curve } = chooseThreshold(logits, targets, { sampleWeights });
    return [threshold, curve];
  },
  compareModels: ({ logits, targets, sampleWeights }) => {
    const squares = logits.map((x) => x * x);
    const options = { sampleWeights, repeats: 20 };
    const { rows, ...figures } = compareModels(logits, squares, targets, options);
    return figures;
  },
  'compareModels of labels': ({ logits, targets, sampleWeights }) => {
    const squares = logits.map((x) => x * x);
    const { rows, ...figures } = compareModels(logits, squares, targets, {
      criterion,
      sampleWeights: sampleWeights.filter((_, i) => i % 2 === 1),
      repeats: 20,
    });
    return figures;
  },
  temperature: ({ logits, targets, sampleWeights }) => {
    const { parameters, after } = fitCalibration(logits, targets, { sampleWeights });
    return [parameters, after];
  },
  isotonic: ({ logits, targets, sampleWeights }) => {
    const options = { method: 'isotonic', sampleWeights } as const;
    const { parameters, after } = fitCalibration(logits, targets, options);
    return [parameters, after];
  },
};

/** A batch with two rows more at a place, which weigh nothing. */
function withRows(place: number, values: readonly number[], target: number): Batch {
  const inserted = (array: ArrayLike<number>, more: readonly number[]) => {
    const all = Array.from(array);
    all.splice(place, 0, ...more);
    return all;
  };
  return {
    logits: Float64Array.from(inserted(logits, values)),
    targets: Uint8Array.from(inserted(targets, [target, 1 - target])),
    sampleWeights: Float64Array.from(inserted(weights, [0, 0])),
  };
}

/** Results by their digits; numbers that differ by a rounding are alike. */
function digits(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(9));
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, digits);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, digits(entry)]));
}

describe.each(Object.entries(calls))('%s', (name, call) => {
  it('does not depend on a factor of all weights', () => {
    const given = { logits, targets };
    const expected = digits(call({ ...given, sampleWeights: weights }));
    for (const power of [-190, -100, 100, 190]) {
      const sampleWeights = weights.map((weight) => weight * 2 ** power);
      expect(digits(call({ ...given, sampleWeights }))).toEqual(expected);
    }
  });

  it('leaves out rows that weigh nothing, whatever they hold', () => {
    const expected = call({ logits, targets, sampleWeights: weights });
    for (const place of [0, 18, 40]) {
      for (const values of [
        [3, -5],
        [NaN, NaN],
        [Infinity, -Infinity],
        [0.1, NaN],
      ]) {
        expect(call(withRows(place, values, 0))).toEqual(expected);
        expect(call(withRows(place, values, 1))).toEqual(expected);
      }
    }
  });

  it('refuses weights of which no figures can be made', () => {
    for (const [weight, shown] of [
      [1e308, '1e+308'],
      [5e-324, '5e-324'],
    ] as const) {
      const sampleWeights = new Float64Array(40);
      sampleWeights[7] = weight;
      expectFailure(
        () => call({ logits, targets, sampleWeights }),
        RangeError,
        `sampleWeights[${name.endsWith('of labels') ? 3 : 7}] must be in [2 ** -200, 2 ** 200], being the largest: multiply all of them by one number, got ${shown}`,
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
