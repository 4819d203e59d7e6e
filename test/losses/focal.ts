import { FocalLoss } from 'focal-loss';
import { focalCall } from '../property/calls.js';
import { focal } from '../property/draws.js';
import { focalOracle } from '../support/family-oracle.js';
import { lossTests } from './loss-tests.js';

export const focalLoss = lossTests({
  name: 'FocalLoss',
  Loss: FocalLoss,
  defaults: {
    alpha: 0.25,
    gamma: 2,
    focusOn: 'smoothed',
    labelSmoothing: 0,
    layout: 'channels-last',
  },
  others: {
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
      'unknown option "weight"; known are alpha, gamma, focusOn, labelSmoothing, layout, reduction, normalizer, ignoreIndex, numClasses',
    ],
    [
      'focusOn',
      { focusOn: 'pt' },
      TypeError,
      "focusOn must be 'smoothed', 'target' or 'class', got \"pt\"",
    ],
    [
      'focusOn',
      { focusOn: null },
      TypeError,
      "focusOn must be 'smoothed', 'target' or 'class', got null",
    ],
  ],
  forms: (perClass) => [
    { name: 'focal', options: {} },
    { name: 'focal, smoothed', options: { labelSmoothing: 0.1, alpha: perClass, gamma: 0.5 } },
    { name: 'focal on the target', options: { labelSmoothing: 0.1, focusOn: 'target', gamma: 3 } },
    { name: 'focal on each class', options: { labelSmoothing: 0.1, focusOn: 'class' } },
    {
      name: 'focal, a gamma for each class',
      options: { gamma: perClass.map((_, j) => (j % 7) / 2) },
    },
    { name: 'focal, soft', options: { alpha: perClass }, isSoft: true },
    {
      name: 'focal on each class, soft',
      options: { focusOn: 'class', alpha: perClass },
      isSoft: true,
    },
  ],
  golden: {
    focal: 218,
    'focal-extreme': 5,
    'focal-wide': 40,
    'focal-other-gamma': 40,
    'focal-target': 42,
    'focal-soft': 40,
    'focal-class': 40,
  },
  calls: focal,
  makeCall: (dtype, drawn) =>
    focalCall(dtype, drawn, (settings) => new FocalLoss(settings), focalOracle),
});
