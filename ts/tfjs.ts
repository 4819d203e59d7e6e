/**
 * The losses for TensorFlow.js: functions of targets and logits, which `model.compile`, `tf.grad`,
 * `tf.valueAndGrad` and `optimizer.minimize` take. Their values and gradients come from the kernels
 * of `focal-loss`. Needs `@tensorflow/tfjs-core` 4, and imports `focal-loss`.
 *
 * @module focal-loss/tfjs
 */

export { binaryLogitAccuracy, type LogitMetric, logitAccuracy } from './tfjs/accuracy.js';
export * from './tfjs/losses.js';
export type { Implementation, LossFunction, TensorLossOptions } from './tfjs/tensor-loss.js';
