import fc from 'fast-check';
import { AsymmetricLoss } from 'focal-loss';
import { Numbers, sigmoidCall } from '../property/calls.js';
import { sigmoid } from '../property/draws.js';
import type { FamilyResult } from '../support/family-oracle.js';
import { lossTests } from './loss-tests.js';

const NOT_NEGATIVE = 'must be finite and not negative';

interface Options {
  gammaPositive: number;
  gammaNegative: number;
  margin: number;
}

/**
 * The sigmoid of a logit and that of the opposite one. Where `Math.exp` overflows the latter is not
 * 0 yet, and a small margin may divide it.
 */
function sigmoids(x: number) {
  const sigma = 1 / (1 + Math.exp(-x));
  return { sigma, opposite: x > 0 ? sigma * Math.exp(-x) : 1 / (1 + Math.exp(x)) };
}

/** The part of a logit's loss that is that of a negative, by the definition. */
function ofNegative(x: number, { gammaNegative, margin }: Options) {
  const { sigma, opposite } = sigmoids(x);
  const above = sigma - margin;
  // There the type's rounding decides whether a negative counts.
  const isAtMargin = margin > 0 && Math.abs(above) < 1e-6 * sigma;
  if (!(above > 0)) return { value: 0, grad: 0, cancelled: 1, isAtMargin };
  const rest = opposite + margin;
  const exact = above > 0.5 ? -Math.log(rest) : -Math.log1p(-above);
  const nll = margin === 0 && x > 700 ? x : exact;
  const factor = above ** gammaNegative;
  const ratio = margin === 0 ? 1 : opposite / rest;
  return {
    value: factor * nll,
    grad: factor * sigma * ((gammaNegative * opposite * nll) / above + ratio),
    cancelled: sigma / above,
    isAtMargin,
  };
}

/** The same of a positive. */
function ofPositive(x: number, { gammaPositive }: Options) {
  const { sigma, opposite } = sigmoids(x);
  const nll = Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  const turn = sigma === 0 ? 0 : gammaPositive * sigma * nll;
  const factor = opposite ** gammaPositive;
  return { value: factor === 0 ? 0 : factor * nll, grad: factor * (opposite + turn) };
}

const share = (y: number, part: number) => (y === 0 ? 0 : y * part);

/** The probability of yes that a logit stands for, and what its error is relative to. */
export function asymmetricPosterior(x: number, options: Options) {
  const [yes, no] = [ofPositive(x, options), ofNegative(x, options)];
  const p = no.grad / (no.grad + yes.grad);
  return { p, scale: no.cancelled * p, isAtMargin: no.isAtMargin };
}

function asymmetricOracle(x: number, y: number, options: Options): FamilyResult {
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
