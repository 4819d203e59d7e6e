import type { Fresh, Labels, Logits, LossValue, SameKind } from '../arrays/tensor-types.js';
import type { Layout, Reduction } from '../arrays/types.js';
import { checkNumber, outOfRange } from '../call/checks.js';
import type { ForwardOptions, HessianOptions } from '../call/options.js';
import { NUMBER_EPSILON } from '../module/abi.js';
import { Criterion } from './criterion.js';
import type { FocalLossParameters } from './focal.js';
import {
  checkFocalOptions,
  FOCAL_DEFAULTS,
  focalSpec,
  gammaGrad,
  hessianDiag,
} from './focusing.js';
import { type Changed, overlay, type ReductionOption } from './options.js';

/**
 * The options of a {@link PolyFocalLoss} beside its reduction: those of a `FocalLoss`, and
 * `epsilon`. Every option may be left out.
 */
export interface PolyFocalLossParameters extends FocalLossParameters {
  /**
   * The coefficient of the term that is added to the focal loss, `(1 - pt) ** (gamma + 1)`: any
   * finite number. 0 makes it the focal loss.
   *
   * @defaultValue 1
   */
  epsilon?: number | undefined;
}

/**
 * The options of a {@link PolyFocalLoss}. Every option may be left out, but for a reduction that is
 * not `'mean'`.
 */
export type PolyFocalLossOptions<R extends Reduction = Reduction> = PolyFocalLossParameters &
  ReductionOption<R>;

const DEFAULTS = { epsilon: 1, ...FOCAL_DEFAULTS };

/**
 * The focal loss of softmax classifiers with one more term, poly-1, and its gradient.
 *
 * For a row of logits with the class probabilities `p = softmax(logits)` and the target class `t`,
 * it is `alpha_t * ((1 - p_t) ** gamma * -log(p_t) + epsilon * (1 - p_t) ** (gamma + 1))`: the
 * first term of the loss's expansion in powers of `1 - p_t` gets a coefficient of its own, which is
 * to be tuned (Leng et al., PolyLoss: A Polynomial Expansion Perspective of Classification Loss
 * Functions, 2022). With `gamma: 0` it is the poly-1 cross-entropy.
 *
 * Targets, and what smoothed or soft ones and `focusOn` make of `p_t`, are those of `FocalLoss`.
 * With `epsilon: 0` the results have its bits. Under a negative `epsilon`, values and gradients can
 * be 0 and change their sign: they are then accurate relative to the terms that they are sums of.
 *
 * @example
 * ```ts
 * import { PolyFocalLoss } from 'focal-loss';
 *
 * const criterion = new PolyFocalLoss({ alpha: null, gamma: 2, epsilon: 1 });
 * // pt is 1/2: log(2) / 4 + 1 / 8
 * const { value, grad } = criterion.valueAndGrad(Float64Array.of(0.5, 0.5), Uint8Array.of(1));
 * value; // => 0.2982867951399863
 * grad[1]; // => -0.4857867951399863
 * ```
 */
export class PolyFocalLoss<R extends Reduction = 'mean'> extends Criterion<R> {
  /** The weight of class 1, the weights of all classes, or `null`. */
  declare readonly alpha: number | readonly number[] | null;
  /** The exponent of the focusing factor, or those of all classes. */
  declare readonly gamma: number | readonly number[];
  /** The coefficient of the term that is added to the focal loss. */
  declare readonly epsilon: number;
  /** The share of the target that is spread over all classes. */
  declare readonly labelSmoothing: number;
  /** The probability that the focusing factor goes by. */
  declare readonly focusOn: 'smoothed' | 'target' | 'class';
  /** The layout of the logits in memory. */
  declare readonly layout: Layout;

  /**
   * The poly-1 focal loss with these options, which are its properties from then on, and never
   * change.
   *
   * @param options - Those left out are: epsilon 1, alpha 0.25, gamma 2, no label smoothing, the
   *   mean.
   * @throws TypeError for an unknown option, and RangeError for a value that an option cannot have.
   */
  constructor(options: PolyFocalLossOptions<R> = {} as PolyFocalLossOptions<R>) {
    const settings = overlay(options, DEFAULTS, DEFAULTS);
    const { epsilon } = settings;
    checkNumber('epsilon', 'a number', epsilon);
    if (!Number.isFinite(epsilon)) throw outOfRange('epsilon', 'finite', epsilon);
    const checked = { epsilon: epsilon + 0, ...checkFocalOptions(settings) };
    // With room for its product with gamma + 1.
    super(checked, focalSpec(checked, { [NUMBER_EPSILON]: epsilon }, [epsilon, epsilon * 2 ** 67]));
  }

  /**
   * A copy with some options changed. Those that are left out or `undefined` stay as they are.
   */
  with<S extends Reduction | undefined = undefined>(
    changes: PolyFocalLossParameters & { reduction?: S },
  ): PolyFocalLoss<Changed<R, NoInfer<S>>> {
    return create(overlay(changes, this, DEFAULTS));
  }

  /**
   * The diagonal of the Hessian, as that of a `FocalLoss`.
   *
   * @param logits - `[rows, classes]`, row-major; or rows of numbers, or a tensor: see
   *   {@link Logits}.
   * @param targets - The class of each row: see {@link Labels}.
   * @returns An array like the logits: the `out` buffer if there is one.
   */
  hessianDiag<L extends Logits, G extends SameKind<L> = Fresh<L>>(
    logits: L,
    targets: Labels,
    options?: HessianOptions<G>,
  ): G {
    return hessianDiag(this, logits, targets, options) as G;
  }

  /**
   * The derivative of the loss with respect to gamma, as that of a `FocalLoss`:
   * `loss * log(1 - pt)`.
   *
   * @param logits - `[rows, classes]`, row-major; or rows of numbers, or a tensor: see
   *   {@link Logits}.
   * @param targets - The class of each row: see {@link Labels}.
   * @returns A number, or with reduction `'none'` one per row, as `forward` returns it.
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
function create<R extends Reduction>(options: object): PolyFocalLoss<R> {
  return new PolyFocalLoss(options as PolyFocalLossOptions<R>);
}
