import type { FloatArray, Reduction } from './types.js';
import { checkOptionNames } from './validate.js';

/** What a {@link FocalLoss} is made with. Every option may be left out. */
export interface FocalLossOptions<R extends Reduction = Reduction> {
  /**
   * The weight of each class. A number in [0, 1] is the weight of class 1, and every other class weighs `1 - alpha`; an
   * array holds one weight per class; `null` weighs every class 1.
   *
   * @defaultValue 0.25
   */
  alpha?: number | ArrayLike<number> | null | undefined;
  /**
   * How strongly rows that are already classified well are played down: the factor `(1 - pt) ** gamma`, `gamma >= 0`.
   * 0 makes the loss a weighted cross-entropy.
   *
   * @defaultValue 2
   */
  gamma?: number | undefined;
  /**
   * What becomes of the per-row losses.
   *
   * @defaultValue 'mean'
   */
  reduction?: R | undefined;
  /**
   * The share, in [0, 1], of each row's target that is spread evenly over all classes.
   *
   * @defaultValue 0
   */
  labelSmoothing?: number | undefined;
  /**
   * The number of classes. Without it, it is `logits.length / targets.length`. With it, a batch whose lengths do not
   * match is an error.
   */
  numClasses?: number | undefined;
}

/** Options of a single call of `forward`. */
export interface ForwardOptions {
  /** The number of classes, for this call. */
  numClasses?: number | undefined;
}

/** Options of a single call of `backward` or `valueAndGrad`. */
export interface GradientOptions<G extends FloatArray = FloatArray> extends ForwardOptions {
  /**
   * Where the gradient goes: an array of the kind and length of the logits that shares no memory with them. It is
   * returned as the result's `grad`. With it a call allocates nothing but the result object.
   */
  grad?: G | undefined;
  /**
   * The upstream gradient of the chain rule: a factor of the gradient, not of the value.
   *
   * @defaultValue 1
   */
  gradOutput?: number | undefined;
}

/** The names of the options of `forward`. */
export const FORWARD_OPTIONS: ReadonlySet<string> = new Set<keyof ForwardOptions>(['numClasses']);

/** The names of the options of `backward` and `valueAndGrad`. */
export const GRADIENT_OPTIONS: ReadonlySet<string> = new Set<keyof GradientOptions>([
  'grad',
  'gradOutput',
  'numClasses',
]);

/** The options of a {@link FocalLoss}, all of them there. */
interface FocalLossSettings<R extends Reduction> {
  alpha: number | ArrayLike<number> | null;
  gamma: number;
  reduction: R;
  labelSmoothing: number;
  numClasses: number | undefined;
}

export const FOCAL_LOSS_DEFAULTS: Readonly<FocalLossSettings<'mean'>> = {
  alpha: 0.25,
  gamma: 2,
  reduction: 'mean',
  labelSmoothing: 0,
  numClasses: undefined,
};

const FOCAL_LOSS_OPTIONS: ReadonlySet<string> = new Set(Object.keys(FOCAL_LOSS_DEFAULTS));

/** `options`, and where they say nothing what `base` says. */
export function overlay<R extends Reduction>(
  options: FocalLossOptions<R>,
  base: Readonly<FocalLossSettings<Reduction>>,
): FocalLossSettings<R> {
  checkOptionNames(options, FOCAL_LOSS_OPTIONS);
  const {
    alpha = base.alpha,
    gamma = base.gamma,
    // The types of the methods say that R is the base's reduction where the options have none.
    reduction = base.reduction as R,
    labelSmoothing = base.labelSmoothing,
    numClasses = base.numClasses,
  } = options;
  return { alpha, gamma, reduction, labelSmoothing, numClasses };
}
