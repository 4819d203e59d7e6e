import fc from 'fast-check';
import { AsymmetricLoss } from 'focal-loss';
import { Numbers, sigmoidCall } from '../property/calls.js';
import { sigmoid } from '../property/draws.js';
import { type AsymmetricOptions, ofNegative, ofPositive } from '../support/asymmetric-oracle.js';
import type { FamilyResult } from '../support/family-oracle.js';
import { lossTests } from './loss-tests.js';

const NOT_NEGATIVE = 'must be finite and not negative';

const share = (y: number, part: number) => (y === 0 ? 0 : y * part);

function asymmetricOracle(x: number, y: number, options: AsymmetricOptions): FamilyResult {
  const [yes, no] = [ofPositive(x, options), ofNegative(x, options)];
  const [value, grad] = [share(y, yes.value), share(y, yes.grad)];
  const [negative, push] = [share(1 - y, no.value), share(1 - y, no.grad)];
  return {
    value: no.isAtMargin && y < 1 ? NaN : value + negative,
    valueScale: value + no.cancelled * negative,
    grad: [push - grad],
    scales: [no.cancelled * push + grad],
  };
}

export const asymmetricLoss = lossTests({
  name: 'AsymmetricLoss',
  Loss: AsymmetricLoss,
  defaults: { gammaPositive: 1, gammaNegative: 4, margin: 0.05 },
  others: {
    gammaPositive: 0.5,
    gammaNegative: 3,
    margin: 0.25,
    ignoreIndex: 7,
    normalizer: 3,
    numClasses: 2,
  },
  refused: [
    [
      'name',
      { gamma: 2 },
      TypeError,
      'unknown option "gamma"; known are gammaPositive, gammaNegative, margin, reduction, normalizer, ignoreIndex, numClasses',
    ],
    ['gammaPositive', { gammaPositive: -1 }, RangeError, `gammaPositive ${NOT_NEGATIVE}, got -1`],
    [
      'gammaNegative',
      { gammaNegative: Infinity },
      RangeError,
      `gammaNegative ${NOT_NEGATIVE}, got Infinity`,
    ],
    [
      'gammaNegative',
      { gammaNegative: [4] },
      TypeError,
      'gammaNegative must be a number, got an Array',
    ],
    ['margin', { margin: 1 }, RangeError, 'margin must be in [0, 1), got 1'],
    ['margin', { margin: -0.05 }, RangeError, 'margin must be in [0, 1), got -0.05'],
    ['margin', { margin: NaN }, RangeError, 'margin must be in [0, 1), got NaN'],
    ['margin', { margin: '0.05' }, TypeError, 'margin must be a number, got "0.05"'],
    ['margin', { margin: null }, TypeError, 'margin must be a number, got null'],
  ],
  forms: () => [
    { name: 'asymmetric', options: {} },
    { name: 'asymmetric, no margin', options: { margin: 0, gammaPositive: 0, gammaNegative: 2.7 } },
  ],
  golden: { asymmetric: 12 },
  calls: {
    ...sigmoid,
    labelSmoothing: fc.constant(0),
    gammaNegative: sigmoid.gamma,
    margin: fc.constantFrom(0.05, 0, 0.2, 0.5, 0.95, 1e-6),
  },
  makeCall(dtype, drawn) {
    const { gamma: gammaPositive, gammaNegative, margin } = drawn;
    const options = { gammaPositive, gammaNegative, margin };
    return sigmoidCall(dtype, drawn, {
      numbers: new Numbers(dtype, drawn),
      isPerColumn: false,
      create: ({ labelSmoothing: _, ...settings }) =>
        new AsymmetricLoss({ ...settings, ...options }),
      judge: (x, y) => asymmetricOracle(x, y, options),
      gamma: Math.max(gammaPositive, gammaNegative),
    });
  },
});
