import {
  argMax,
  cast,
  equal,
  greater,
  mean,
  reshape,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { named } from './named.js';
import { areIndices, castIndices, checkSameShape, withoutLast } from './targets.js';

/**
 * A metric on tensors, whose `name` stays when an application is minified.
 *
 * @param yTrue - The targets.
 * @param yPred - The logits.
 */
export type LogitMetric = (yTrue: Tensor, yPred: Tensor) => Tensor;

/**
 * The share of logits that are right, each by itself: a metric for `model.compile` beside
 * `sigmoidFocalLoss`. A logit above 0 says yes, and so does a target above 1/2. TensorFlow.js' own
 * accuracy takes probabilities, and would say yes from 0.5 on.
 *
 * @returns One share per row, or for logits of rank 1 one value per logit.
 */
export const binaryLogitAccuracy: LogitMetric = /* @__PURE__ */ named(
  'binaryLogitAccuracy',
  (yTrue, yPred) =>
    tidy(() => {
      checkSameShape(yTrue, yPred.shape);
      const right = cast(equal(greater(yPred, 0), greater(yTrue, 0.5)), 'float32');
      return yPred.rank > 1 ? mean(right, -1) : right;
    }),
);

/**
 * The share of rows whose largest logit is that of their target, row by row: a metric for
 * `model.compile` beside `focalLoss` and `crossEntropy`. Targets are one-hot rows, probabilities or
 * class indices. Where a row is a single logit, it is {@link binaryLogitAccuracy}.
 *
 * @returns One value per row: 1 or 0.
 */
export const logitAccuracy: LogitMetric = /* @__PURE__ */ named('logitAccuracy', (yTrue, yPred) => {
  const { shape } = yPred;
  if (yPred.rank < 2 || shape.at(-1) === 1) return binaryLogitAccuracy(yTrue, yPred);
  return tidy(() => {
    const classes = areIndices(yTrue, shape)
      ? reshape(castIndices(yTrue), withoutLast(shape))
      : argMax(cast(yTrue, 'float32'), -1);
    return cast(equal(classes, argMax(yPred, -1)), 'float32');
  });
});
