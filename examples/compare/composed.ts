import * as tf from '@tensorflow/tfjs-core';
import type { LossFunction } from 'focal-loss/tfjs';

/**
 * Focal loss as one would write it in TensorFlow.js' own operations, which then differentiates it.
 * One loss per row.
 */
export function composedFocalLoss(alpha: number, gamma: number, classes: number): LossFunction {
  const weights = Array.from({ length: classes }, (_, j) => (j === 1 ? alpha : 1 - alpha));
  return (yTrue, yPred) =>
    tf.tidy(() => {
      const ce = tf.neg(tf.sum(tf.mul(tf.logSoftmax(yPred), yTrue), -1));
      const miss = tf.sub(1, tf.exp(tf.neg(ce)));
      const focus = gamma === 2 ? tf.square(miss) : tf.pow(miss, gamma);
      return tf.mul(tf.mul(tf.sum(tf.mul(yTrue, weights), -1), focus), ce);
    });
}
