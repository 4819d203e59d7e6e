// The common parts of the focal losses on softmax logits.

import { said } from '../arrays/own.js';
import type { Labels, Logits } from '../arrays/tensor-types.js';
import {
  checkAlpha,
  checkChoice,
  checkFocus,
  checkGamma,
  checkOptionNames,
} from '../call/checks.js';
import { evaluate, type Result } from '../call/evaluate.js';
import { GAMMA_GRADIENT, GAUSS_NEWTON_DIAG, HESSIAN_DIAG } from '../call/method.js';
import { type ForwardOptions, HESSIAN_OPTIONS, type HessianOptions } from '../call/options.js';
import { type LossSpec, numberOr1, perClass } from '../call/spec.js';
import {
  FOCUS_CLASS,
  FOCUS_TARGET,
  NUMBER_ALPHA_ONE,
  NUMBER_ALPHA_OTHER,
  NUMBER_GAMMA,
} from '../module/abi.js';
import type { LossNumbers } from '../module/tile.js';
import { type Criterion, specOf } from './criterion.js';
import {
  checkSoftmaxOptions,
  makeSoftmaxSpec,
  SOFTMAX_DEFAULTS,
  type SoftmaxSettings,
} from './options.js';

/** The options of a focal loss, all of them there. */
export interface FocalSettings extends SoftmaxSettings {
  alpha: number | readonly number[] | null;
  gamma: number | readonly number[];
  focusOn: 'smoothed' | 'target' | 'class';
}

/** The values of those that are left out. */
export const FOCAL_DEFAULTS: Readonly<FocalSettings> = {
  alpha: 0.25,
  gamma: 2,
  focusOn: 'smoothed',
  ...SOFTMAX_DEFAULTS,
};

export function checkFocalOptions(settings: FocalSettings): FocalSettings {
  return {
    alpha: checkAlpha(settings.alpha),
    gamma: checkGamma(settings.gamma),
    focusOn: checkChoice('focusOn', ['smoothed', 'target', 'class'], settings.focusOn),
    ...checkSoftmaxOptions(settings),
  };
}

/**
 * The reason why targets have to be class indices, if there is one that other softmax losses do not
 * have.
 */
function reasonForIndices({ focusOn, gamma }: FocalSettings): string | undefined {
  if (focusOn === 'target') return "for focusOn 'target'";
  return typeof gamma === 'object' ? 'where gamma is an array' : undefined;
}

/**
 * The spec of a focal loss that has some numbers beside. `sizes` have to be numbers of float32 for
 * it to be computed in that.
 */
export function focalSpec(
  settings: FocalSettings,
  own?: LossNumbers,
  sizes: readonly number[] = [],
): LossSpec {
  const { alpha, gamma, focusOn } = settings;
  return makeSoftmaxSpec(settings, {
    flags: (focusOn === 'target' ? FOCUS_TARGET : 0) | (focusOn === 'class' ? FOCUS_CLASS : 0),
    numbers: {
      [NUMBER_GAMMA]: typeof gamma === 'number' ? gamma : 0,
      [NUMBER_ALPHA_OTHER]: typeof alpha === 'number' ? 1 - alpha : 1,
      [NUMBER_ALPHA_ONE]: numberOr1(alpha),
      ...own,
    },
    perClass: [...perClass('alpha', alpha, 'alpha'), ...perClass('gamma', gamma, 'gammas')],
    sizes: [alpha, sizes],
    indicesOnly: reasonForIndices(settings),
  });
}

type FocalCriterion = Criterion & Pick<FocalSettings, 'focusOn' | 'labelSmoothing'>;

export function hessianDiag(
  criterion: FocalCriterion,
  logits: Logits,
  targets: Labels,
  options: HessianOptions = {},
): Result['grad'] {
  const { focusOn } = criterion;
  checkOptionNames(options, HESSIAN_OPTIONS);
  checkFocus('hessianDiag', focusOn, 'class');
  if (criterion.labelSmoothing > 0)
    checkFocus('hessianDiag', focusOn, 'target', ' with labelSmoothing');
  const kind = checkChoice(
    'kind',
    ['exact', 'gauss-newton'],
    said(options, 'kind', options.kind) ?? 'exact',
  );
  const method = kind === 'exact' ? HESSIAN_DIAG : GAUSS_NEWTON_DIAG;
  return evaluate(specOf(criterion), method, logits, targets, options).grad;
}

export function gammaGrad(
  criterion: FocalCriterion,
  logits: Logits,
  targets: Labels,
  options: ForwardOptions | undefined,
): Result['value'] {
  checkFocus('gammaGrad', criterion.focusOn, 'class');
  return evaluate(specOf(criterion), GAMMA_GRADIENT, logits, targets, options).value;
}
