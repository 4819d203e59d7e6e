import type { Layout, Reduction } from '../arrays/types.js';
import { checkWeight } from '../call/checks.js';
import { type LossSpec, perClass } from '../call/spec.js';
import { CROSS_ENTROPY } from '../module/abi.js';
import { Criterion } from './criterion.js';
import {
  type Changed,
  checkSoftmaxOptions,
  makeSoftmaxSpec,
  overlay,
  type ReductionOption,
  SOFTMAX_DEFAULTS,
  type SoftmaxOptions,
  type SoftmaxSettings,
} from './options.js';

/**
 * The options of a {@link CrossEntropyLoss}, beside its reduction. Every option may be left out.
 */
export interface CrossEntropyLossParameters extends SoftmaxOptions {
  /**
   * One weight per class, or `null` for 1.
   *
   * @defaultValue null
   */
  weight?: ArrayLike<number> | null | undefined;
}

/**
 * The options of a {@link CrossEntropyLoss}. Every option may be left out, but for a reduction that
 * is not `'mean'`.
 */
export type CrossEntropyLossOptions<R extends Reduction = Reduction> = CrossEntropyLossParameters &
  ReductionOption<R>;

/** The options of a {@link CrossEntropyLoss}, all of them there. */
interface CrossEntropySettings extends SoftmaxSettings {
  weight: readonly number[] | null;
}

const DEFAULTS: Readonly<CrossEntropySettings> = { weight: null, ...SOFTMAX_DEFAULTS };

/**
 * The cross-entropy of softmax classifiers, with its gradient: PyTorch's
 * `torch.nn.CrossEntropyLoss`, the loss that the focal loss is compared with.
 *
 * For a row of logits with the class probabilities `p = softmax(logits)` it is the sum over the
 * classes of `weight_j * q_j * -log(p_j)`, where `q` is the target smoothed: of the class `t`,
 * `1 - labelSmoothing` goes to `t`, and `labelSmoothing` evenly to all classes.
 *
 * Targets are class indices, one per row, in any integer array; or class probabilities, one per
 * logit, in any float array, together with `numClasses`. The probabilities of a row add up to 1,
 * within 1e-3.
 *
 * `'mean'` divides by the weights of the targets of the rows that count, added up, also under
 * smoothing; and with probabilities by the number of rows. Where that is 0 the gradient is 0, and
 * the mean NaN, or infinite if smoothing leaves something to divide. No target is ignored unless
 * `ignoreIndex` says so: PyTorch's default is -100.
 *
 * @example
 * ```ts
 * import { CrossEntropyLoss } from 'focal-loss';
 *
 * const criterion = new CrossEntropyLoss({ weight: [1, 2, 3], ignoreIndex: -100 });
 * const logits = new Float64Array([1, 0, 0, 0, 1, 0, 0, 0, 1]); // three rows, three classes
 * const { value, grad } = criterion.valueAndGrad(logits, new Int32Array([0, 2, -100]));
 * value; // => 1.301444713932051
 * grad[0]; // => -0.10597077880854272
 * grad[8]; // => 0
 * ```
 */
export class CrossEntropyLoss<R extends Reduction = 'mean'> extends Criterion<R> {
  /** The weights of the classes, or `null`. */
  declare readonly weight: readonly number[] | null;
  /** The share of the target that is spread over all classes. */
  declare readonly labelSmoothing: number;
  /** The order of the logits in memory. */
  declare readonly layout: Layout;

  /**
   * The cross-entropy `weight_t * -log(p_t)` of rows of logits with a class each, with these
   * options, which are its properties from then on, and never change.
   *
   * @param options - Those left out are: classes of weight 1, no label smoothing, the mean.
   * @throws TypeError for an unknown option, and RangeError for a value that an option cannot have.
   */
  constructor(options: CrossEntropyLossOptions<R> = {} as CrossEntropyLossOptions<R>) {
    const settings = overlay(options, DEFAULTS, DEFAULTS);
    const checked: CrossEntropySettings = {
      weight: checkWeight(settings.weight),
      ...checkSoftmaxOptions(settings),
    };
    super(checked, crossEntropySpec(checked));
  }

  /**
   * A copy with some options changed. What is left out or `undefined` stays as it is.
   */
  with<S extends Reduction | undefined = undefined>(
    changes: CrossEntropyLossParameters & { reduction?: S },
  ): CrossEntropyLoss<Changed<R, NoInfer<S>>> {
    return create(overlay(changes, this, DEFAULTS));
  }
}

/** Kept out of the class: one that names itself is given another name when it is bundled. */
function create<R extends Reduction>(options: object): CrossEntropyLoss<R> {
  return new CrossEntropyLoss(options as CrossEntropyLossOptions<R>);
}

function crossEntropySpec(settings: CrossEntropySettings): LossSpec {
  const { weight } = settings;
  return makeSoftmaxSpec(settings, {
    flags: CROSS_ENTROPY,
    numbers: {},
    perClass: perClass('weight', weight, 'alpha'),
    sizes: [weight],
    isWeighted: weight !== null,
    indicesOnly: undefined,
  });
}
