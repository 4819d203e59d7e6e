import type { Fresh, SameKind } from '../../arrays/tensor-types.js';
import { arrayLike, bufferOf } from '../../arrays/typed-arrays.js';
import type { FloatArray } from '../../arrays/types.js';
import { type Batch, emptyBatch } from '../../call/batch.js';
import {
  checkApart,
  checkBuffer,
  checkClasses,
  checkGiven,
  checkLength,
  checkLogits,
  checkNumClasses,
  checkOptions,
  checkSameShape,
  checkSpatialSize,
} from '../../call/checks.js';
import { classIndices } from '../../call/target-forms.js';
import { unpack } from '../../call/tensor-like.js';
import { loadRows, storeRows } from '../../call/transfer.js';
import { PROBABILITIES, STAGE } from '../../module/abi.js';
import { kernels } from '../../module/analysis-kernels.js';
import { enter, leave } from '../../module/gate.js';
import { loadNumbers, tileOf } from '../../module/tile.js';
import type { AnyCriterion } from '../criteria/own-criterion.js';
import type { Logits } from '../rows/tensors.js';
import { lengthOfPriors, type Priors, readPriors } from './priors.js';
import {
  type OwnLoss,
  ownLossOf,
  type Problem,
  problemOfElements,
  problemOfRows,
} from './problem.js';

/** Options of {@link posterior}. */
export interface PosteriorOptions<G extends FloatArray = FloatArray> {
  /**
   * The number of classes. Needed where neither the criterion nor the shape of a tensor nor an
   * option per class says it. For a loss on yes-or-no logits, the columns of a row.
   */
  numClasses?: number | undefined;
  /** With layout `'channels-first'`, the number of positions of each sample. */
  spatialSize?: number | undefined;
  /**
   * The shares of the classes at training and at deployment, where they differ: because the
   * training set was under-sampled or over-sampled, say. The probabilities are then those at
   * deployment.
   *
   * @defaultValue none: the shares are the same
   */
  priors?: Priors | undefined;
  /**
   * Where the result goes: an array of the kind and length of the logits that shares no memory with
   * them.
   */
  out?: G | undefined;
}

const OPTIONS: readonly (keyof PosteriorOptions)[] = ['numClasses', 'spatialSize', 'priors', 'out'];

/**
 * The class probabilities that logits stand for under the loss that the model was trained with.
 *
 * Softmax is the answer for a plain cross-entropy alone. A focal loss is at its least for other
 * logits than the logarithms of the probabilities, as are weighted and smoothed losses; so the
 * softmax of a model trained with one is under-confident, or leans to the classes that weigh more.
 * But at the minimum of the expected loss the logits and the class probabilities `eta` of a row
 * determine each other: `sum_i eta_i * dL_i/dx = 0`, where `L_i` is the loss of a row of class `i`.
 * This solves that for `eta`, in closed form; nothing is fitted, and no data are needed.
 *
 * With `p = softmax(x)`, `p_j` that of class `j`, `a_j` the weight of the class, `l_j` the smoothed
 * cross-entropy of a row of it, `e` the label smoothing and `C` the number of classes:
 *
 * - a focal loss on the smoothed cross-entropy (and any focus without smoothing):
 *   `eta_j ~ (p_j - e / C) / (a_j * f'(l_j))`, where
 *   `f'(l) = u ** gamma * (1 + gamma * l * pt / u)` with `pt = exp(-l)` and `u = 1 - pt`; a
 *   `PolyFocalLoss` has `epsilon * (gamma + 1) * pt` more in the brackets;
 * - with focus on the target: `eta_j ~ (p_j - e / C * R) / D_j`, where `A_j = a_j * u_j ** gamma`,
 *   `D_j = (1 - e) * A_j + A_j * gamma * p_j * l_j / u_j`, `u_j = 1 - p_j`, and
 *   `R = sum(A_j * p_j / D_j) / (1 + e / C * sum(A_j / D_j))`;
 * - with focus on each class, and for a `CrossEntropyLoss`, where gamma is 0:
 *   `eta_j = (Q_j - e / C) / (1 - e)`, where `Q_j ~ p_j / (a_j * f'(-log(p_j)))` adds up to 1;
 * - for a `SigmoidFocalLoss` and an `AsymmetricLoss`, element by element, the probability of yes
 *   `L0' / (L0' - L1')`, of the derivatives by the logit for targets of 0 and of 1.
 *
 * Where smoothing would make an entry negative, which no probabilities lead to, it is 0. The form
 * without weights and smoothing is that of Charoenphakdee et al., On Focal Loss for Class-Posterior
 * Probability Estimation (CVPR 2021); the others follow from the equation above. A trained model is
 * not at the minimum: what is left can be fitted, by `fitCalibration` with this `criterion`.
 *
 * `priors` corrects for a training set whose class shares are not those of the rows at hand:
 * `eta_j ~ eta_j * deployment_j / training_j`, if rows of a class look the same in both.
 *
 * Without smoothing, each entry is accurate to a few roundings, however small it is; with it, each
 * is so relative to the largest of the row. The bits are the same in every engine. A masked class,
 * of logit -Infinity, has probability 0. A row with a NaN or +Infinity, or with nothing but
 * -Infinity, gives NaN; of yes-or-no logits, that logit alone.
 *
 * @param logits - `[rows, numClasses]`, row-major, or as the criterion's `layout` says; or rows of
 *   numbers, or a tensor, which say how many classes there are.
 * @param criterion - The loss, of any entry of this package. Its `reduction` does not matter.
 * @returns An array like the logits: `out` if it is given.
 * @throws TypeError or RangeError for arguments that a loss would not take either. RangeError where
 *   logits stand for nothing: for a `labelSmoothing` of 1, a class or side that weighs 0, and an
 *   `epsilon` of -1 or less, or for a smoothed focus on the target of `labelSmoothing - 1` or less;
 *   and for `priors` that are not above 0.
 *
 * @example
 * ```ts
 * import { FocalLoss, posterior, softmax } from 'focal-loss/analysis';
 *
 * const logits = Float64Array.of(0, 1); // one row of two classes
 * softmax(logits, 2)[1]; // => 0.7310585786300049
 * const criterion = new FocalLoss({ alpha: null, gamma: 2 });
 * posterior(logits, criterion, { numClasses: 2 })[1]; // => 0.9359404064
 *
 * // Trained on as many rows of either class, used where one in ten is of class 1.
 * const priors = { training: [1, 1], deployment: [9, 1] };
 * posterior(logits, criterion, { numClasses: 2, priors })[1]; // => 0.6188130873
 * ```
 */
export function posterior<L extends Logits, G extends SameKind<L> = Fresh<L>>(
  logits: L,
  criterion: AnyCriterion,
  options: PosteriorOptions<G> = {},
): G {
  const { out, priors: given, numClasses, spatialSize } = checkOptions(options, OPTIONS);
  const loss = ownLossOf(criterion);
  const priors = readPriors(given);
  const { spec } = loss;
  const opened = unpack(spec, logits, undefined, numClasses ?? spec.numClasses, spatialSize);
  const isElementwise = spec.columns !== 0;
  const kind = checkLogits(opened.logits);
  const size = checkLength('logits', opened.logits);
  checkNumClasses(opened.numClasses, isElementwise ? 1 : 2);
  const classes = isElementwise
    ? columnsOf(loss, opened.numClasses, lengthOfPriors(priors))
    : checkGiven(
        opened.numClasses ?? spec.perClass[0]?.values.length ?? lengthOfPriors(priors),
        'where there are no targets',
      );
  checkNumClasses(classes, isElementwise ? 1 : 2);
  const rows = checkSameShape(size, size, classes);
  checkClasses(spec.perClass, isElementwise, classes);
  const problem = isElementwise
    ? problemOfElements(loss, classes, priors)
    : problemOfRows(loss, classes, priors);
  const batch: Batch = {
    ...emptyBatch(classIndices),
    tile: tileOf(problem.isWide ? 'Float64Array' : kind),
    logits: opened.logits,
    rows: isElementwise ? size : rows,
    width: isElementwise ? 1 : classes,
    spatialSize: checkSpatialSize(spec.channelsFirst, opened.spatialSize, rows),
  };
  if (out !== undefined) {
    checkBuffer('out', out, kind, size);
    checkApart('out', out, bufferOf(out), 'logits', batch.logits, bufferOf(batch.logits));
  }
  const result = out ?? arrayLike(batch.logits, size);
  run(batch, loss, problem, classes, result);
  return result as G;
}

/** The columns of rows of elements. */
function columnsOf(
  { spec: { columns, perClass } }: OwnLoss,
  numClasses: number | undefined,
  ofPriors: number | undefined,
): number {
  return numClasses ?? (perClass.length > 0 ? columns : (ofPriors ?? 1));
}

/** Has the kernel run over all rows, a tile of them at a time. */
function run(
  batch: Batch,
  { spec }: OwnLoss,
  { flags, factors, ratios }: Problem,
  classes: number,
  result: FloatArray,
): void {
  const { tile, rows, width } = batch;
  const isElementwise = spec.columns !== 0;
  enter();
  const capacity = tile.reserve(classes, isElementwise ? 0 : PROBABILITIES | STAGE);
  // Arrays of an allocation are gone if the memory has just grown.
  checkLength('logits', batch.logits);
  checkLength('out', result);
  const { posterior, posterior_elements } = kernels();
  loadNumbers(spec.numbers, 1, 1);
  for (const { area, values } of spec.perClass)
    if (area !== undefined) tile[area].view(values.length).set(values);
  if (factors !== undefined) tile.alpha.view(classes).set(factors);
  if (ratios !== undefined) tile[isElementwise ? 'gammas' : 'posWeights'].view(classes).set(ratios);
  const step = isElementwise ? capacity * classes : capacity;
  for (let start = 0; start < rows; start += step) {
    const count = Math.min(step, rows - start);
    loadRows(batch, tile.logits, batch.logits, 0, start, count);
    if (isElementwise) posterior_elements(count, classes, flags | tile.flags);
    else posterior(count, width, flags | tile.flags);
    storeRows(batch, result, start, count);
  }
  leave();
}
