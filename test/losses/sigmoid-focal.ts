import fc from 'fast-check';
import { SigmoidFocalLoss } from 'focal-loss';
import { Numbers, sigmoidCall } from '../property/calls.js';
import { sigmoid } from '../property/draws.js';
import { anyFactor, anyShare } from '../property/numbers.js';
import { sigmoidOracle } from '../support/family-oracle.js';
import { lossTests } from './loss-tests.js';

const GAMMA = 'gamma must be finite and not negative';
const ALPHA = 'alpha must be a number, an array with one number per class, or null';
const POS_WEIGHT = 'posWeight must be a number, or an array with one number per class';

export const sigmoidFocalLoss = lossTests({
  name: 'SigmoidFocalLoss',
  Loss: SigmoidFocalLoss,
  defaults: { alpha: 0.25, gamma: 2, posWeight: 1, labelSmoothing: 0 },
  others: {
    alpha: [0.5, 0.75],
    posWeight: [1, 3],
    gamma: 1,
    ignoreIndex: 7,
    normalizer: 3,
    numClasses: 2,
  },
  refused: [
    [
      'name',
      { focusOn: 'class' },
      TypeError,
      'unknown option "focusOn"; known are alpha, gamma, posWeight, labelSmoothing, reduction, normalizer, ignoreIndex, numClasses',
    ],
    ['gamma', { gamma: -1 }, RangeError, `${GAMMA}, got -1`],
    ['gamma', { gamma: Infinity }, RangeError, `${GAMMA}, got Infinity`],
    ['gamma', { gamma: [1, 2] }, TypeError, 'gamma must be a number, got an Array'],
    ['alpha', { alpha: 1.5 }, RangeError, 'alpha must be in [0, 1], got 1.5'],
    ['alpha', { alpha: NaN }, RangeError, 'alpha must be in [0, 1], got NaN'],
    ['alpha', { alpha: -1 }, RangeError, 'alpha must be in [0, 1], got -1'],
    ['alpha', { alpha: '0.25' }, TypeError, `${ALPHA}, got "0.25"`],
    ['alpha', { alpha: [] }, RangeError, 'alpha must have 1 to 16777216 entries, got 0'],
    ['alpha', { alpha: [0.5, 1.5] }, RangeError, 'alpha[1] must be in [0, 1], got 1.5'],
    ['alpha', { alpha: [0.5, null] }, TypeError, 'alpha[1] must be a number, got null'],
    [
      'posWeight',
      { posWeight: -1 },
      RangeError,
      'posWeight must be finite and not negative, got -1',
    ],
    [
      'posWeight',
      { posWeight: NaN },
      RangeError,
      'posWeight must be finite and not negative, got NaN',
    ],
    ['posWeight', { posWeight: null }, TypeError, `${POS_WEIGHT}, got null`],
    [
      'posWeight',
      { posWeight: [1, -2] },
      RangeError,
      'posWeight[1] must be finite and not negative, got -2',
    ],
  ],
  forms: (perClass) => [
    { name: 'sigmoid', options: {} },
    {
      name: 'sigmoid, per column',
      options: { alpha: perClass, posWeight: perClass, labelSmoothing: 0.1, gamma: 1 },
    },
  ],
  golden: { sigmoid: 60, 'sigmoid-ext': 30 },
  calls: { ...sigmoid, posWeight: fc.constantFrom(undefined, 'number', 'each') },
  makeCall(dtype, drawn) {
    const { classes, gamma, labelSmoothing } = drawn;
    const numbers = new Numbers(dtype, drawn);
    const { random } = numbers;
    const alphas = numbers.perClass(drawn.alpha === 'each', classes, anyShare);
    const alpha = drawn.alpha === null ? null : (alphas?.option ?? anyShare(random));
    const positives = numbers.perClass(drawn.posWeight === 'each', classes, anyFactor);
    const posWeight = positives?.option ?? (drawn.posWeight === 'number' ? anyFactor(random) : 1);
    return sigmoidCall(dtype, drawn, {
      numbers,
      isPerColumn: alphas !== undefined || positives !== undefined,
      create: (settings) => new SigmoidFocalLoss({ ...settings, alpha, posWeight, gamma }),
      judge: (x, y, column) =>
        sigmoidOracle({
          x,
          y,
          alpha: alphas?.option[column] ?? (alpha as number | null),
          posWeight: positives?.option[column] ?? (posWeight as number),
          gamma,
          labelSmoothing,
        }),
      gamma,
    });
  },
});
