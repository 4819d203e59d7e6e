import type { Fresh, Labels, Logits, LossValue, SameKind } from '../arrays/tensor-types.js';
import type { Layout, Reduction } from '../arrays/types.js';
import type { ForwardOptions, HessianOptions } from '../call/options.js';
import { Criterion } from './criterion.js';
import {
  checkFocalOptions,
  FOCAL_DEFAULTS,
  focalSpec,
  gammaGrad,
  hessianDiag,
} from './focusing.js';
import { type Changed, overlay, type ReductionOption, type SoftmaxOptions } from './options.js';

/** The options of a {@link FocalLoss}, beside its reduction. Every option may be left out. */
export interface FocalLossParameters extends SoftmaxOptions {
  /**
   * The weight of each class. A number in [0, 1] is the weight of class 1, and every other class
   * weighs `1 - alpha`; an array holds one weight per class; `null` weighs every class 1. A row of
   * probabilities weighs the sum of these, each times the weight of its class.
   *
   * @defaultValue 0.25
   */
  alpha?: number | ArrayLike<number> | null | undefined;
  /**
   * The strength with which rows that are already classified well are played down: the factor
   * `(1 - pt) ** gamma`, `gamma >= 0`. 0 makes the loss a weighted cross-entropy. An array holds
   * one exponent per class, of which a row takes that of its target: only for class indices.
   *
   * @defaultValue 2
   */
  gamma?: number | ArrayLike<number> | undefined;
  /**
   * The probability that the focusing factor goes by. They differ for smoothed or soft targets `q`.
   *
   * - `'smoothed'`: `pt = exp(-crossEntropy)`, the average of the class probabilities as `q` weighs
   *   them, in logarithms.
   * - `'target'`: `pt` is the probability of the target. Only for class indices.
   * - `'class'`: every class has a factor of its own, with its own probability, as in Keras'
   *   `CategoricalFocalCrossentropy`: the loss is the sum of `alpha_j * (1 - p_j) ** gamma * q_j *
   *   -log(p_j)`. A number for Keras' alpha multiplies every class: as an array of equal numbers
   *   does here.
   *
   * @defaultValue 'smoothed'
   */
  focusOn?: 'smoothed' | 'target' | 'class' | undefined;
}

/**
 * The options of a {@link FocalLoss}. Every option may be left out, but for a reduction that is not
 * `'mean'`.
 */
export type FocalLossOptions<R extends Reduction = Reduction> = FocalLossParameters &
  ReductionOption<R>;

/**
 * The focal loss of softmax classifiers, with its gradient.
 *
 * For a row of logits with the class probabilities `p = softmax(logits)` and the target class `t`,
 * it is `alpha_t * (1 - p_t) ** gamma * -log(p_t)`: a cross-entropy that plays down the rows which
 * are classified well already, so that many easy rows do not drown the few hard ones (Lin et al.,
 * Focal Loss for Dense Object Detection, 2017). Logarithms are natural ones. With `labelSmoothing`
 * the cross-entropy is that of the smoothed target, and `p_t` becomes what `focusOn` says.
 *
 * Targets are class indices, one per row, in any integer array; or class probabilities, one per
 * logit, in any float array, together with `numClasses`. The probabilities of a row add up to 1,
 * within 1e-3.
 *
 * `'mean'` divides by the number of rows that count, whatever they weigh. It is NaN where there are
 * none; the gradient is 0 then.
 *
 * A criterion holds nothing but its options, which are read-only properties.
 *
 * @example
 * ```ts
 * import { FocalLoss } from 'focal-loss';
 *
 * const criterion = new FocalLoss({ alpha: 0.25, gamma: 2 });
 * const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]); // three rows, two classes
 * const targets = new Uint8Array([0, 1, 1]);
 *
 * criterion.forward(logits, targets); // => 0.014456063646326968
 * const { value, grad } = criterion.valueAndGrad(logits, targets);
 * value; // => 0.014456063646326968
 * grad[3]; // => -0.02485723292833219
 * ```
 */
export class FocalLoss<R extends Reduction = 'mean'> extends Criterion<R> {
  /** The weight of class 1, the weights of all classes, or `null`. */
  declare readonly alpha: number | readonly number[] | null;
  /** The exponent of the focusing factor, or those of all classes. */
  declare readonly gamma: number | readonly number[];
  /** The share of the target that is spread over all classes. */
  declare readonly labelSmoothing: number;
  /** The probability that the focusing factor goes by. */
  declare readonly focusOn: 'smoothed' | 'target' | 'class';
  /** The order of the logits in memory. */
  declare readonly layout: Layout;

  /**
   * The focal loss `alpha_t * (1 - p_t) ** gamma * -log(p_t)` of rows of logits with a class each,
   * with these options, which are its properties from then on, and never change.
   *
   * @param options - Those left out are: alpha 0.25, gamma 2, no label smoothing, the mean.
   * @throws TypeError for an unknown option, and RangeError for a value that an option cannot have.
   */
  constructor(options: FocalLossOptions<R> = {} as FocalLossOptions<R>) {
    const checked = checkFocalOptions(overlay(options, FOCAL_DEFAULTS, FOCAL_DEFAULTS));
    super(checked, focalSpec(checked));
  }

  /**
   * A copy with some options changed, for training in stages. What is left out or `undefined` stays
   * as it is.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const warmUp = new FocalLoss({ alpha: 0.1, gamma: 1 });
   * const main = warmUp.with({ gamma: 3, labelSmoothing: 0.05 });
   * main.alpha; // => 0.1
   * main.gamma; // => 3
   * ```
   */
  with<S extends Reduction | undefined = undefined>(
    changes: FocalLossParameters & { reduction?: S },
  ): FocalLoss<Changed<R, NoInfer<S>>> {
    return create(overlay(changes, this, FOCAL_DEFAULTS));
  }

  /**
   * The diagonal of the Hessian: the second derivative of the loss with respect to each logit,
   * reduced as the gradient is.
   *
   * Gradient boosting, which takes it beside the gradient with reduction `'sum'` or `'none'`, wants
   * kind `'gauss-newton'`: where the second derivatives of a leaf's rows add up to nothing above 0,
   * XGBoost 3.2 and LightGBM 4.7 give it the value 0, silently.
   *
   * With `f` for the loss as a function of the cross-entropy, it is `alpha_t * (f'' * (p_j - q_j)
   * ** 2 + f' * p_j * (1 - p_j))`. The first term can be negative: the loss is not convex. Kind
   * `'gauss-newton'` leaves it out. There is none for `focusOn: 'class'`, and under smoothing none
   * for `'target'`.
   *
   * @param logits - `[rows, classes]`, row-major; or rows of numbers, or a tensor: see
   *   {@link Logits}.
   * @param targets - The class of each row: see {@link Labels}.
   * @returns An array like the logits: the `out` buffer if there is one.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const criterion = new FocalLoss({ alpha: null, gamma: 0 });
   * const second = criterion.hessianDiag(new Float64Array([0.5, 0.5]), new Uint8Array([1]));
   * second[0]; // => 0.25
   *
   * // A row that is quite wrong: the loss is concave there.
   * const focal = new FocalLoss({ alpha: null, gamma: 2 });
   * const logits = new Float64Array([3, 0]);
   * focal.hessianDiag(logits, new Uint8Array([1]))[0]; // => -0.0200889
   * focal.hessianDiag(logits, new Uint8Array([1]), { kind: 'gauss-newton' })[0]; // => 0.0534371
   * ```
   */
  hessianDiag<L extends Logits, G extends SameKind<L> = Fresh<L>>(
    logits: L,
    targets: Labels,
    options?: HessianOptions<G>,
  ): G {
    return hessianDiag(this, logits, targets, options) as G;
  }

  /**
   * The derivative of the loss with respect to gamma, for a gamma that is learnt:
   * `loss * log(1 - pt)`. It is never positive. With one gamma per class, that of a row is with
   * respect to the gamma of its target. There is none for `focusOn: 'class'`.
   *
   * @param logits - `[rows, classes]`, row-major; or rows of numbers, or a tensor: see
   *   {@link Logits}.
   * @param targets - The class of each row: see {@link Labels}.
   * @returns What `forward` returns: a number, or with reduction `'none'` one per row.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const criterion = new FocalLoss({ alpha: null, gamma: 1 });
   * // pt is 1/2: -log(2) ** 2 / 2
   * const logits = new Float64Array([0.5, 0.5]);
   * criterion.gammaGrad(logits, new Uint8Array([1])); // => -0.24022650695910072
   * ```
   */
  gammaGrad<L extends Logits>(
    logits: L,
    targets: Labels,
    options?: ForwardOptions,
  ): LossValue<R, L> {
    return gammaGrad(this, logits, targets, options) as LossValue<R, L>;
  }
}

/** Kept out of the class: one that names itself is given another name when it is bundled. */
function create<R extends Reduction>(options: object): FocalLoss<R> {
  return new FocalLoss(options as FocalLossOptions<R>);
}
