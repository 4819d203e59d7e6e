import type { FocalLossOptions, ForwardOptions, GradientOptions } from './options.js';
import { FOCAL_LOSS_DEFAULTS, FORWARD_OPTIONS, GRADIENT_OPTIONS, overlay } from './options.js';
import { type Tile, tileOf } from './tile.js';
import type { ClassIndices, FloatArray, Fresh, LossValue, Reduction, SameKind, ValueAndGrad } from './types.js';
import {
  checkAlpha,
  checkClassWeights,
  checkGamma,
  checkGrad,
  checkGradOutput,
  checkLabelSmoothing,
  checkLength,
  checkLogits,
  checkNumClasses,
  checkOptionNames,
  checkReduction,
  checkShape,
  checkTargets,
} from './validate.js';
import { focalF32, focalF64 } from './wasm.js';

/**
 * The focal loss of softmax classifiers, with its gradient.
 *
 * For a row of logits with the class probabilities `p = softmax(logits)` and the target class `t`, it is
 * `alpha_t * (1 - p_t) ** gamma * -log(p_t)`: a cross-entropy that plays down the rows which are classified well
 * already, so that many easy rows do not drown the few hard ones. With `labelSmoothing` the cross-entropy is that of
 * the smoothed target, and `p_t` becomes `exp(-crossEntropy)`.
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
export class FocalLoss<R extends Reduction = 'mean'> {
  /** The weight of class 1, the weights of all classes, or `null`. */
  declare readonly alpha: number | readonly number[] | null;
  /** The exponent of the focusing factor. */
  declare readonly gamma: number;
  /** What becomes of the per-row losses. */
  declare readonly reduction: R;
  /** The share of the target that is spread over all classes. */
  declare readonly labelSmoothing: number;
  /** The number of classes, where it was given. */
  declare readonly numClasses: number | undefined;

  /**
   * @throws TypeError for an unknown option, and RangeError for a value that an option cannot have.
   */
  constructor(options: FocalLossOptions<R> = {}) {
    const { alpha, gamma, reduction, labelSmoothing, numClasses } = overlay(options, FOCAL_LOSS_DEFAULTS);
    const checked = {
      alpha: checkAlpha(alpha),
      gamma: checkGamma(gamma),
      reduction: checkReduction(reduction),
      labelSmoothing: checkLabelSmoothing(labelSmoothing),
      numClasses: checkNumClasses(numClasses),
    };
    for (const [name, value] of Object.entries(checked)) {
      Object.defineProperty(this, name, { value, enumerable: true });
    }
  }

  /**
   * A copy with some options changed, for training in stages. What is left out or `undefined` stays as it is.
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
  with<S extends Reduction = R>(changes: FocalLossOptions<S>): FocalLoss<S> {
    return create(overlay(changes, this));
  }

  /**
   * The loss alone.
   *
   * @param logits - `[rows, classes]`, row-major.
   * @param targets - The class of each row.
   * @returns A number; with reduction `'none'` one value per row, in an array like the logits.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const perRow = new FocalLoss({ reduction: 'none' });
   * const losses = perRow.forward(new Float64Array([2.5, -1, 0.5, 0.5]), new Int32Array([0, 1]));
   * losses[0]; // => 0.0000191713228600705
   * losses[1]; // => 0.04332169878499658
   * ```
   */
  forward<A extends FloatArray>(logits: A, targets: ClassIndices, options?: ForwardOptions): LossValue<R, A> {
    return evaluate(this, logits, targets, options, FORWARD_OPTIONS, true, false).value as LossValue<R, A>;
  }

  /**
   * The gradient alone, with respect to the logits: of the mean or the sum, or with reduction `'none'` of each row's
   * own loss.
   *
   * @param logits - `[rows, classes]`, row-major.
   * @param targets - The class of each row.
   * @returns An array like the logits: the `grad` buffer if there is one.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const criterion = new FocalLoss({ alpha: null, gamma: 0 });
   * const grad = criterion.backward(new Float32Array([0, 0, 0, 0]), new Uint8Array([3]), { gradOutput: 2 });
   * grad[0]; // => 0.5
   * grad[3]; // => -1.5
   * ```
   */
  backward<A extends FloatArray, G extends SameKind<A> = Fresh<A>>(
    logits: A,
    targets: ClassIndices,
    options?: GradientOptions<G>,
  ): G {
    return evaluate(this, logits, targets, options, GRADIENT_OPTIONS, false, true).grad as G;
  }

  /**
   * The loss and its gradient in one pass, which costs little more than either.
   *
   * @param logits - `[rows, classes]`, row-major.
   * @param targets - The class of each row.
   *
   * @example
   * ```ts
   * import { FocalLoss } from 'focal-loss';
   *
   * const criterion = new FocalLoss();
   * const logits = new Float64Array([0.5, 0.5]);
   * const buffer = new Float64Array(2); // used for every step, so that a step allocates next to nothing
   *
   * const { value, grad } = criterion.valueAndGrad(logits, new Uint8Array([1]), { grad: buffer });
   * value; // => 0.04332169878499658
   * grad === buffer; // => true
   * buffer[1]; // => -0.07457169878499658
   * ```
   */
  valueAndGrad<A extends FloatArray, G extends SameKind<A> = Fresh<A>>(
    logits: A,
    targets: ClassIndices,
    options?: GradientOptions<G>,
  ): ValueAndGrad<R, A, G> {
    return evaluate(this, logits, targets, options, GRADIENT_OPTIONS, true, true) as ValueAndGrad<R, A, G>;
  }
}

/** Kept out of the class: one that names itself is given another name when it is bundled. */
function create<R extends Reduction>(options: FocalLossOptions<R>): FocalLoss<R> {
  return new FocalLoss(options);
}

type AnyFocalLoss = FocalLoss<Reduction>;

const NO_OPTIONS: GradientOptions = {};

/** All three methods: checks everything, then runs. What is not wanted is not computed, and not in the result. */
function evaluate(
  loss: AnyFocalLoss,
  logits: FloatArray,
  targets: ClassIndices,
  options: GradientOptions = NO_OPTIONS,
  known: ReadonlySet<string>,
  wantsValue: boolean,
  wantsGrad: boolean,
): { value: FloatArray | number | undefined; grad: FloatArray | undefined } {
  checkOptionNames(options, known);
  // Reading options can run code of the caller's. After this line none runs any more, so what is checked stays true.
  const { grad: buffer, gradOutput = 1, numClasses = loss.numClasses } = options;
  checkNumClasses(numClasses);
  checkGradOutput(gradOutput);
  const tile = tileOf(checkLogits(logits));
  checkTargets(targets);
  const size = checkLength('logits', logits);
  const rows = checkLength('targets', targets);
  const classes = checkShape(size, rows, numClasses);
  checkClassWeights(loss.alpha, classes);
  if (buffer !== undefined) checkGrad(buffer, logits, targets);

  const grad = wantsGrad ? (buffer ?? tile.array(size)) : undefined;
  const values = wantsValue && loss.reduction === 'none' ? tile.array(rows) : undefined;
  let total = 0;
  if (rows !== 0) {
    const capacity = tile.reserve(classes);
    // The gradient of the first tile is written before the targets of the last are seen: a caller's buffer stays
    // untouched only if they are all looked at first.
    if (buffer !== undefined && rows > capacity) tile.checkTargets(targets, classes);
    const scale = loss.reduction === 'mean' ? gradOutput / rows : gradOutput;
    total = tile.run(focal, loss, logits, targets, rows, scale, values, grad);
  }
  // The mean of no rows is NaN.
  const value = loss.reduction === 'mean' ? total / rows : total;
  return { value: values ?? value, grad };
}

/** The kernel of the focal loss. */
function focal(
  loss: AnyFocalLoss,
  tile: Tile,
  rows: number,
  classes: number,
  scale: number,
  mode: number,
  continues: boolean,
): number {
  const { alpha, gamma, labelSmoothing } = loss;
  let others = 1;
  let one = 1;
  let perClass = false;
  if (typeof alpha === 'number') {
    others = 1 - alpha;
    one = alpha;
  } else if (alpha !== null) {
    perClass = true;
    if (!continues) tile.loadAlpha(alpha);
  }
  return tile.elementBytes === 4
    ? focalF32(rows, classes, others, one, perClass, gamma, labelSmoothing, scale, mode, continues)
    : focalF64(rows, classes, others, one, perClass, gamma, labelSmoothing, scale, mode, continues);
}
