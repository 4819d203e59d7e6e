import { define } from '../arrays/own.js';
import type {
  Fresh,
  Logits,
  LossValue,
  SameKind,
  Targets,
  ValueAndGrad,
} from '../arrays/tensor-types.js';
import type { Reduction } from '../arrays/types.js';
import { evaluate } from '../call/evaluate.js';
import { BACKWARD, FORWARD, VALUE_AND_GRAD } from '../call/method.js';
import type { ForwardOptions, GradientOptions } from '../call/options.js';
import type { LossSpec } from '../call/spec.js';

/**
 * The spec of a criterion, which is private to it, for what evaluates it in other ways than its own
 * methods.
 */
export let specOf: (criterion: Criterion) => LossSpec;

/**
 * The base class of all losses. A criterion holds nothing but its options, which are read-only
 * properties.
 *
 * A call checks everything before it writes anything. It throws a TypeError for an argument or an
 * option of the wrong kind, for one that is missing or unknown, and for an array whose memory is
 * gone; and a RangeError for lengths that do not match, for a target that is none, and for a buffer
 * that shares memory with another array.
 *
 * @example
 * ```ts
 * import { Criterion, FocalLoss } from 'focal-loss';
 *
 * new FocalLoss() instanceof Criterion; // => true
 * ```
 */
export abstract class Criterion<R extends Reduction = Reduction> {
  /** The way from the per-row losses to the result. */
  declare readonly reduction: R;
  /** The number that `'mean'` divides by, where it was given. */
  declare readonly normalizer: number | undefined;
  /** The target of rows that do not count, where it was given. */
  declare readonly ignoreIndex: number | undefined;
  /** The number of classes, where it was given. */
  declare readonly numClasses: number | undefined;

  readonly #spec: LossSpec;

  static {
    specOf = (criterion) => criterion.#spec;
  }

  /**
   * For the losses of this package.
   *
   * @internal
   */
  protected constructor(settings: object, spec: object) {
    for (const [name, value] of Object.entries(settings)) {
      define(this, name, value, true);
    }
    this.#spec = spec as LossSpec;
  }

  /**
   * The loss alone.
   *
   * @param logits - `[rows, classes]`, row-major; or rows of numbers, or a tensor: see
   *   {@link Logits}.
   * @param targets - What the rows are: see the class, and {@link Targets}.
   * @returns A number; with reduction `'none'` one value per row, in an array of the kind of the
   *   logits.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const perRow = new FocalLoss({ reduction: 'none' });
   * const losses = perRow.forward(new Float64Array([2.5, -1, 0.5, 0.5]), new Int32Array([0, 1]));
   * losses[0]; // => 0.0000191713228600705
   * losses[1]; // => 0.04332169878499658
   *
   * const tensor = { data: Float32Array.of(0, 0, 0, 0), dims: [2, 2] };
   * new FocalLoss().forward(tensor, new Uint8Array(2)); // => 0.1299651
   * ```
   */
  forward<L extends Logits>(
    logits: L,
    targets: Targets,
    options?: ForwardOptions,
  ): LossValue<R, L> {
    return evaluate(this.#spec, FORWARD, logits, targets, options).value as LossValue<R, L>;
  }

  /**
   * The gradient alone, with respect to the logits: of the mean or the sum, or with reduction
   * `'none'` of each row's own loss.
   *
   * @param logits - `[rows, classes]`, row-major; or rows of numbers, or a tensor: see
   *   {@link Logits}.
   * @param targets - What the rows are: see the class, and {@link Targets}.
   * @returns An array like the logits: the `grad` buffer if there is one.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const criterion = new FocalLoss({ alpha: null, gamma: 0 });
   * const logits = new Float32Array([0, 0, 0, 0]);
   * const grad = criterion.backward(logits, new Uint8Array([3]), { gradOutput: 2 });
   * grad[0]; // => 0.5
   * grad[3]; // => -1.5
   * ```
   */
  backward<L extends Logits, G extends SameKind<L> = Fresh<L>>(
    logits: L,
    targets: Targets,
    options?: GradientOptions<G, R>,
  ): G {
    return evaluate(this.#spec, BACKWARD, logits, targets, options).grad as G;
  }

  /**
   * The loss and its gradient in one pass, which costs little more than either.
   *
   * @param logits - `[rows, classes]`, row-major; or rows of numbers, or a tensor: see
   *   {@link Logits}.
   * @param targets - What the rows are: see the class, and {@link Targets}.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const criterion = new FocalLoss();
   * const logits = new Float64Array([0.5, 0.5]);
   * // The buffer is used for every step, so that a step allocates next to nothing.
   * const buffer = new Float64Array(2);
   *
   * const { value, grad } = criterion.valueAndGrad(logits, new Uint8Array([1]), { grad: buffer });
   * value; // => 0.04332169878499658
   * grad === buffer; // => true
   * buffer[1]; // => -0.07457169878499658
   * ```
   */
  valueAndGrad<L extends Logits, G extends SameKind<L> = Fresh<L>>(
    logits: L,
    targets: Targets,
    options?: GradientOptions<G, R>,
  ): ValueAndGrad<R, L, G> {
    return evaluate(this.#spec, VALUE_AND_GRAD, logits, targets, options) as ValueAndGrad<R, L, G>;
  }
}
