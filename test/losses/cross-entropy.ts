import { CrossEntropyLoss } from 'focal-loss';
import { Numbers, softmaxCall } from '../property/calls.js';
import { softmax } from '../property/draws.js';
import { anyFactor } from '../property/numbers.js';
import { crossEntropyOracle } from '../support/family-oracle.js';
import { lossTests } from './loss-tests.js';

export const crossEntropyLoss = lossTests({
  name: 'CrossEntropyLoss',
  Loss: CrossEntropyLoss,
  defaults: { weight: null, labelSmoothing: 0, layout: 'channels-last' },
  others: { weight: [0.5, 1.5], labelSmoothing: 0.1, ignoreIndex: 7, normalizer: 3, numClasses: 2 },
  refused: [
    [
      'name',
      { gamma: 2 },
      TypeError,
      'unknown option "gamma"; known are weight, labelSmoothing, layout, reduction, normalizer, ignoreIndex, numClasses',
    ],
    [
      'weight',
      { weight: 2 },
      TypeError,
      'weight must be an array with one number per class, or null, got 2',
    ],
    ['weight', { weight: [1] }, RangeError, 'weight must have 2 to 16777216 entries, got 1'],
    [
      'weight',
      { weight: [1, -1] },
      RangeError,
      'weight[1] must be finite and not negative, got -1',
    ],
    [
      'weight',
      { weight: [NaN, 1] },
      RangeError,
      'weight[0] must be finite and not negative, got NaN',
    ],
    ['weight', { weight: [1, '1'] }, TypeError, 'weight[1] must be a number, got "1"'],
  ],
  forms: (perClass) => [
    { name: 'cross-entropy', options: {} },
    { name: 'cross-entropy, smoothed', options: { labelSmoothing: 0.1, weight: perClass } },
    {
      name: 'cross-entropy, soft',
      options: { weight: perClass, labelSmoothing: 0.1 },
      isSoft: true,
    },
  ],
  // They have reductions and ignored rows: test/cross-entropy has a test of its own for them.
  golden: {},
  calls: softmax,
  makeCall(dtype, drawn) {
    const { classes, labelSmoothing } = drawn;
    const numbers = new Numbers(dtype, drawn);
    const each = numbers.perClass(drawn.alpha === 'each', classes, anyFactor);
    const weights = each?.seen ?? null;
    return softmaxCall(dtype, drawn, {
      numbers,
      weights: each?.seen,
      isSoft: drawn.soft,
      isWeighted: true,
      create: (settings) => new CrossEntropyLoss({ ...settings, weight: each?.option ?? null }),
      judge: (logits, q) => ({
        expected: crossEntropyOracle({ logits, q, weights, labelSmoothing }),
        gamma: 0,
      }),
    });
  },
});
