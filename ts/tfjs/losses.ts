import { readOptions, said } from '../arrays/own.js';
import {
  AsymmetricLoss,
  type AsymmetricLossOptions,
  type Criterion,
  CrossEntropyLoss,
  type CrossEntropyLossOptions,
  FocalLoss,
  type FocalLossOptions,
  PolyFocalLoss,
  type PolyFocalLossOptions,
  SigmoidFocalLoss,
  type SigmoidFocalLossOptions,
} from '../index.js';
import { sigmoidKernel, softmaxKernel } from './kernel.js';
import { asymmetricOps, sigmoidOps } from './sigmoid-ops.js';
import { softmaxOps } from './softmax-ops.js';
import { type LossFunction, type TensorLossOptions, tensorLoss } from './tensor-loss.js';

/** The options that tensors settle: there is one loss per row, and their shape says the rest. */
const SETTLED = ['reduction', 'normalizer', 'numClasses', 'layout'] as const;

type Open<O> = Omit<O, (typeof SETTLED)[number]>;

/**
 * The options of {@link focalLoss}: those of a `FocalLoss` but for those that tensors settle.
 */
export interface FocalOptions extends Open<FocalLossOptions>, TensorLossOptions {}

/**
 * The options of {@link polyFocalLoss}: those of a `PolyFocalLoss` but for those that tensors
 * settle.
 */
export interface PolyFocalOptions extends Open<PolyFocalLossOptions>, TensorLossOptions {}

/**
 * The options of {@link sigmoidFocalLoss}: those of a `SigmoidFocalLoss` but for those that
 * tensors settle.
 */
export interface SigmoidFocalOptions extends Open<SigmoidFocalLossOptions>, TensorLossOptions {}

/**
 * The options of {@link asymmetricLoss}: those of an `AsymmetricLoss` but for those that tensors
 * settle.
 */
export interface AsymmetricOptions extends Open<AsymmetricLossOptions>, TensorLossOptions {}

/**
 * The options of {@link crossEntropy}: those of a `CrossEntropyLoss` but for those that
 * tensors settle.
 */
export interface CrossEntropyOptions extends Open<CrossEntropyLossOptions>, TensorLossOptions {}

/**
 * The options for a criterion, which are among those of another and say that there is one loss per
 * row; and where it is computed.
 */
function read<O extends TensorLossOptions>(options: O, other: object) {
  for (const name of SETTLED) {
    if (Object.hasOwn(options, name)) {
      throw new TypeError(
        `There is no option ${name} in focal-loss/tfjs: a loss gives one value per row of the tensor`,
      );
    }
  }
  const names = Object.keys(other).filter((name) => !SETTLED.some((settled) => settled === name));
  // All properties of the object itself are there, so that the criterion refuses what it does not
  // know.
  const own: Omit<O, 'implementation'> & { implementation?: unknown } = { ...options };
  delete own.implementation;
  return {
    perRow: { ...own, ...readOptions<typeof own>(options, names), reduction: 'none' } as const,
    implementation: said(options, 'implementation', options.implementation),
  };
}

/**
 * Throws where an option of a criterion has one entry per class, and not as many as there are: of
 * no rows it checks that as well.
 */
function checkClasses(criterion: Criterion<'none'>): (classes: number) => void {
  return (numClasses) =>
    void criterion.forward(new Float32Array(0), new Uint8Array(0), { numClasses });
}

/**
 * The focal loss of softmax classifiers, for TensorFlow.js: see `FocalLoss`.
 *
 * The last layer must give logits: no softmax activation. Its last axis are the classes. Targets
 * are probabilities or one-hot rows, of the shape of the logits, which is what `model.fit` asks
 * for; or class indices, of that shape without the last axis. With `ignoreIndex`, a one-hot row of
 * zeros is ignored as well: `tf.oneHot` makes one of an index that is no class.
 *
 * It gives one loss per row, so that `classWeight` can weigh them. `model.fit` takes their mean,
 * over ignored ones as well.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { focalLoss, logitAccuracy } from 'focal-loss/tfjs';
 *
 * const loss = focalLoss({ alpha: 0.25, gamma: 2 });
 * // model.compile({ optimizer: 'adam', loss, metrics: [logitAccuracy] });
 *
 * const logits = tf.tensor2d([2.5, -1, 0.5, 0.5], [2, 2]);
 * const targets = tf.tensor1d([0, 1], 'int32');
 * const { value, grad } = tf.valueAndGrad((x) => tf.mean(loss(targets, x)))(logits);
 * value.dataSync()[0]; // => 0.0216704
 * grad.dataSync()[3]; // => -0.0372858
 * ```
 */
export function focalLoss(options: FocalOptions = {}): LossFunction {
  const { perRow, implementation } = read(options, new FocalLoss());
  const criterion = new FocalLoss(perRow);
  return tensorLoss('focalLoss', implementation, {
    kernel: softmaxKernel(criterion),
    ops: softmaxOps(criterion, checkClasses(criterion)),
  });
}

/**
 * The focal loss with one more term, poly-1, for TensorFlow.js: see `PolyFocalLoss`. Logits and
 * targets are those of {@link focalLoss}.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { polyFocalLoss } from 'focal-loss/tfjs';
 *
 * const loss = polyFocalLoss({ alpha: null, gamma: 2, epsilon: 1 });
 * loss(tf.tensor1d([1], 'int32'), tf.zeros([1, 2])).dataSync()[0]; // => 0.2982868
 * ```
 */
export function polyFocalLoss(options: PolyFocalOptions = {}): LossFunction {
  const { perRow, implementation } = read(options, new PolyFocalLoss());
  const criterion = new PolyFocalLoss(perRow);
  return tensorLoss('polyFocalLoss', implementation, {
    kernel: softmaxKernel(criterion),
    ops: softmaxOps(criterion, checkClasses(criterion)),
  });
}

/**
 * The cross-entropy of softmax classifiers, for TensorFlow.js: see `CrossEntropyLoss`. Logits and
 * targets are those of {@link focalLoss}.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { crossEntropy } from 'focal-loss/tfjs';
 *
 * const loss = crossEntropy({ weight: [1, 3] });
 * const oneHot = tf.tensor2d([0, 1, 1, 0], [2, 2]);
 * const perRow = loss(oneHot, tf.zeros([2, 2])).dataSync();
 * perRow[0]; // => 2.0794415
 * perRow[1]; // => 0.6931472
 * ```
 */
export function crossEntropy(options: CrossEntropyOptions = {}): LossFunction {
  const { perRow, implementation } = read(options, new CrossEntropyLoss());
  const criterion = new CrossEntropyLoss(perRow);
  const { weight, labelSmoothing, ignoreIndex } = criterion;
  // Without a factor, the sum of what each class adds.
  const rule = { alpha: weight, gamma: 0, focusOn: 'class', labelSmoothing, ignoreIndex } as const;
  return tensorLoss('crossEntropy', implementation, {
    kernel: softmaxKernel(criterion),
    ops: softmaxOps(rule, checkClasses(criterion)),
  });
}

/**
 * The focal loss of independent yes-or-no logits, for TensorFlow.js: see `SigmoidFocalLoss`.
 *
 * The last layer must give logits: no sigmoid activation. Targets, in [0, 1], have the shape of the
 * logits.
 *
 * The loss of a row is the mean over its last axis, as Keras has it; logits with the target
 * `ignoreIndex` add 0 to that. Logits of rank 1 are rows of one.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { binaryLogitAccuracy, sigmoidFocalLoss } from 'focal-loss/tfjs';
 *
 * const loss = sigmoidFocalLoss({ alpha: 0.25, gamma: 2 });
 * const logits = tf.tensor2d([2, -1, 0.5, -3], [2, 2]);
 * const targets = tf.tensor2d([1, 0, 0, 1], [2, 2]);
 * loss(targets, logits).dataSync()[1]; // => 0.48731
 * binaryLogitAccuracy(targets, logits).dataSync()[1]; // => 0
 * ```
 */
export function sigmoidFocalLoss(options: SigmoidFocalOptions = {}): LossFunction {
  const { perRow, implementation } = read(options, new SigmoidFocalLoss());
  const criterion = new SigmoidFocalLoss(perRow);
  return tensorLoss('sigmoidFocalLoss', implementation, {
    kernel: sigmoidKernel(criterion),
    ops: sigmoidOps(criterion, checkClasses(criterion)),
  });
}

/**
 * The asymmetric loss of independent yes-or-no logits, for TensorFlow.js: see `AsymmetricLoss`.
 * Logits, targets and rows are those of {@link sigmoidFocalLoss}.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs';
 * import { asymmetricLoss } from 'focal-loss/tfjs';
 *
 * const loss = asymmetricLoss({ margin: 0.25 });
 * // A positive of probability 1/2: log(2) / 2.
 * loss(tf.tensor2d([[1]]), tf.zeros([1, 1])).dataSync()[0]; // => 0.3465736
 * ```
 */
export function asymmetricLoss(options: AsymmetricOptions = {}): LossFunction {
  const { perRow, implementation } = read(options, new AsymmetricLoss());
  const criterion = new AsymmetricLoss(perRow);
  return tensorLoss('asymmetricLoss', implementation, {
    kernel: sigmoidKernel(criterion),
    ops: asymmetricOps(criterion, checkClasses(criterion)),
  });
}
