import type { Reduction } from '../arrays/types.js';
import {
  checkColumnAlpha,
  checkLabelSmoothing,
  checkOneGamma,
  checkPosWeight,
} from '../call/checks.js';
import { type CommonSettings, type LossSpec, makeSpec, numberOr1, perClass } from '../call/spec.js';
import { NO_ALPHA, NUMBER_ALPHA_ONE, NUMBER_GAMMA, NUMBER_POSITIVE_WEIGHT } from '../module/abi.js';
import { Criterion } from './criterion.js';
import {
  type Changed,
  CRITERION_DEFAULTS,
  type CriterionOptions,
  checkCriterionOptions,
  overlay,
  type ReductionOption,
} from './options.js';

/**
 * The options of a {@link SigmoidFocalLoss}, beside its reduction. Every option may be left out.
 */
export interface SigmoidFocalLossParameters extends CriterionOptions {
  /**
   * The weight, in [0, 1], of positive targets; negative ones weigh `1 - alpha`, and a target in
   * between the average. An array holds one per class, and takes `numClasses`; `null` weighs all 1.
   *
   * @defaultValue 0.25
   */
  alpha?: number | ArrayLike<number> | null | undefined;
  /**
   * The strength with which logits that are right already are played down, `gamma >= 0`. 0 makes
   * the loss a weighted binary cross-entropy.
   *
   * @defaultValue 2
   */
  gamma?: number | undefined;
  /**
   * A factor of the positive term of the cross-entropy, as in PyTorch's `BCEWithLogitsLoss`. An
   * array holds one per class, and takes `numClasses`.
   *
   * @defaultValue 1
   */
  posWeight?: number | ArrayLike<number> | undefined;
  /**
   * The share by which targets are drawn towards 1/2: `y` becomes
   * `y * (1 - labelSmoothing) + labelSmoothing / 2`.
   *
   * @defaultValue 0
   */
  labelSmoothing?: number | undefined;
  /**
   * The target of the logits that do not count, any integer, such as -1 or 255: their value and
   * gradient are 0, and they leave the mean's denominator.
   *
   * @defaultValue none: every target must be in [0, 1]
   */
  ignoreIndex?: number | undefined;
  /**
   * The classes of a row, for multi-label batches `[rows, classes]`. Needed for options that are
   * one per class, and for sample weights that are one per row.
   */
  numClasses?: number | undefined;
}

/**
 * The options of a {@link SigmoidFocalLoss}. Every option may be left out, but for a reduction that
 * is not `'mean'`.
 */
export type SigmoidFocalLossOptions<R extends Reduction = Reduction> = SigmoidFocalLossParameters &
  ReductionOption<R>;

/** The options of a {@link SigmoidFocalLoss}, all of them there. */
interface SigmoidSettings extends CommonSettings {
  alpha: number | readonly number[] | null;
  gamma: number;
  posWeight: number | readonly number[];
  labelSmoothing: number;
}

const DEFAULTS: Readonly<SigmoidSettings> = {
  alpha: 0.25,
  gamma: 2,
  posWeight: 1,
  labelSmoothing: 0,
  ...CRITERION_DEFAULTS,
};

/**
 * The focal loss of independent yes-or-no logits: binary and multi-label classifiers, and detectors
 * such as RetinaNet.
 *
 * With `s = 1 / (1 + exp(-x))` for a logit `x` and its target `y`, it is `a * n ** gamma * ce`,
 * where `n = y * (1 - s) + (1 - y) * s` is how wrong the logit is, `ce = -y * log(s) - (1 - y) *
 * log(1 - s)` its binary cross-entropy, and `a = alpha * y + (1 - alpha) * (1 - y)`. With
 * `labelSmoothing`, `y` is the smoothed target everywhere. That is torchvision's
 * `sigmoid_focal_loss`, whose reduction is `'none'` unless it is given: here it is `'mean'`, as for
 * all losses.
 *
 * Targets are one per logit: numbers in [0, 1] in any float array, or 0 and 1 in any integer array.
 * Every logit is a row by itself: `'none'` gives one value per logit, `'mean'` divides by the
 * number of logits that count, and `gradOutput` may be one per logit. `sampleWeights` are one per
 * logit or, with `numClasses`, one per row of that many logits.
 *
 * @example
 * ```ts
 * import { SigmoidFocalLoss } from 'focal-loss';
 *
 * const logits = new Float64Array([2, -1, 0.5, -3]);
 * const targets = new Uint8Array([1, 0, 0, 1]);
 * const positives = 2;
 *
 * const criterion = new SigmoidFocalLoss({ alpha: 0.25, gamma: 2 });
 * const { value, grad } = criterion.valueAndGrad(logits, targets, { normalizer: positives });
 * value; // => 0.4960366223705167
 * grad[3]; // => -0.14084373507936104
 * ```
 */
export class SigmoidFocalLoss<R extends Reduction = 'mean'> extends Criterion<R> {
  /** The weight of positive targets, those of all classes, or `null`. */
  declare readonly alpha: number | readonly number[] | null;
  /** The exponent of the focusing factor. */
  declare readonly gamma: number;
  /** The factor of the positive term, or those of all classes. */
  declare readonly posWeight: number | readonly number[];
  /** The share by which targets are drawn towards 1/2. */
  declare readonly labelSmoothing: number;

  /**
   * The focal loss of logits that are each a yes-or-no question of its own, with these options,
   * which are its properties from then on, and never change.
   *
   * @param options - Those left out are: alpha 0.25, gamma 2, no label smoothing, the mean.
   * @throws TypeError for an unknown option, and RangeError for a value that an option cannot have.
   */
  constructor(options: SigmoidFocalLossOptions<R> = {} as SigmoidFocalLossOptions<R>) {
    const settings = overlay(options, DEFAULTS, DEFAULTS);
    const checked: SigmoidSettings = {
      alpha: checkColumnAlpha(settings.alpha),
      gamma: checkOneGamma(settings.gamma),
      posWeight: checkPosWeight(settings.posWeight),
      labelSmoothing: checkLabelSmoothing(settings.labelSmoothing),
      ...checkCriterionOptions(settings, 1),
    };
    super(checked, sigmoidSpec(checked));
  }

  /**
   * A copy with some options changed. What is left out or `undefined` stays as it is.
   */
  with<S extends Reduction | undefined = undefined>(
    changes: SigmoidFocalLossParameters & { reduction?: S },
  ): SigmoidFocalLoss<Changed<R, NoInfer<S>>> {
    return create(overlay(changes, this, DEFAULTS));
  }
}

/** Kept out of the class: one that names itself is given another name when it is bundled. */
function create<R extends Reduction>(options: object): SigmoidFocalLoss<R> {
  return new SigmoidFocalLoss(options as SigmoidFocalLossOptions<R>);
}

function sigmoidSpec(settings: SigmoidSettings): LossSpec {
  const { alpha, gamma, posWeight, labelSmoothing } = settings;
  const options = [
    ...perClass('alpha', alpha, 'columnAlphas'),
    ...perClass('posWeight', posWeight, 'posWeights'),
  ];
  return makeSpec(settings, {
    flags: alpha === null ? NO_ALPHA : 0,
    numbers: {
      [NUMBER_GAMMA]: gamma,
      [NUMBER_ALPHA_ONE]: numberOr1(alpha),
      [NUMBER_POSITIVE_WEIGHT]: numberOr1(posWeight),
    },
    perClass: options,
    labelSmoothing,
    sizes: [alpha, posWeight],
    columns: options.at(-1)?.values.length ?? 1,
  });
}
