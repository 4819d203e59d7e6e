import * as tf from '@tensorflow/tfjs-core';
import { FocalLoss } from 'focal-loss';
import { crossEntropy, focalLoss, type LossFunction, sigmoidFocalLoss } from 'focal-loss/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { IS_SAMPLE } from '../support/sample.js';
import { BACKENDS, useBackend } from './backends.js';
import {
  CLASSES,
  INDICES_ONLY,
  indices,
  logits,
  oneHot,
  probabilities,
  ROWS,
  randomSource,
  SIGMOID,
  SOFTMAX,
  shares,
  yesNo,
} from './batches.js';

/** The factors that reach the rows in a sum that weighs them differently. */
const upstream = new Float32Array(ROWS).map((_, row) => Math.fround(0.25 + row / 7));

/** The losses of rows of a shape, and the gradient of their weighted sum. */
function run(loss: LossFunction, yTrue: tf.Tensor, shape: number[]) {
  return tf.tidy(() => {
    const x = tf.tensor(logits, shape);
    const value = loss(yTrue, x);
    const grad = tf.grad((x) =>
      tf.sum(tf.mul(loss(yTrue, x), tf.tensor(upstream, shape.slice(0, -1)))),
    )(x);
    expect(value.shape).toEqual(shape.slice(0, -1));
    expect(grad.shape).toEqual(shape);
    return { value: value.dataSync(), grad: grad.dataSync() };
  });
}

describe.each(BACKENDS)('backend %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each([...SOFTMAX, ...INDICES_ONLY])(
    '$name of class indices has the bits of the criterion',
    ({ criterion, make }) => {
      const expected = criterion.valueAndGrad(logits, indices, { gradOutput: upstream });
      const loss = make('auto');
      for (const shape of [
        [ROWS, CLASSES],
        [4, 3, 2, CLASSES],
      ]) {
        const rows = shape.slice(0, -1);
        const forms = [
          tf.tensor(indices, rows, 'int32'),
          tf.tensor(Float32Array.from(indices), rows, 'float32'),
          tf.tensor(indices, [...rows, 1], 'int32'),
          tf.tensor(oneHot, shape),
          tf.oneHot(tf.tensor(indices, rows, 'int32'), CLASSES),
          tf.tensor(oneHot, shape, 'bool'),
        ];
        for (const yTrue of forms) expect(run(loss, yTrue, shape)).toEqual(expected);
      }
    },
  );

  it.each(SOFTMAX)(
    '$name of probabilities has the bits of the criterion',
    ({ criterion, make }) => {
      const expected = criterion.valueAndGrad(logits, probabilities, {
        numClasses: CLASSES,
        gradOutput: upstream,
      });
      for (const shape of [
        [ROWS, CLASSES],
        [4, 3, 2, CLASSES],
      ]) {
        expect(run(make('auto'), tf.tensor(probabilities, shape), shape)).toEqual(expected);
      }
    },
  );

  it.each(SIGMOID)(
    '$name is the mean over the last axis of what the criterion gives',
    ({ criterion, make }) => {
      const isHard = criterion.ignoreIndex !== undefined;
      const spread = new Float32Array(ROWS * CLASSES).map(
        (_, i) => (upstream[Math.floor(i / CLASSES)] ?? 0) / CLASSES,
      );
      for (const targets of isHard ? [yesNo] : [yesNo, shares]) {
        const call = { numClasses: CLASSES };
        const each = criterion.forward(logits, targets, call);
        const means = upstream.map(
          (_, row) => each.subarray(row * CLASSES, (row + 1) * CLASSES).reduce(sum64, 0) / CLASSES,
        );
        const grad = criterion.backward(logits, targets, { ...call, gradOutput: spread });
        expect(run(make('auto'), tf.tensor(targets, [ROWS, CLASSES]), [ROWS, CLASSES])).toEqual({
          value: means,
          grad,
        });
      }
    },
  );

  it('a sigmoid loss of logits of rank 1 is one per logit', () => {
    const loss = sigmoidFocalLoss();
    const [y, x] = [tf.tensor1d([1, 0, 1]), tf.tensor1d([2, 0.5, -3])];
    const column = loss(asColumn(y), asColumn(x));
    expect(loss(y, x).shape).toEqual([3]);
    expect(loss(y, x).dataSync()).toEqual(column.dataSync());
    const grad = tf.grad((x) => tf.sum(loss(y, x)))(x);
    expect(grad.dataSync()).toEqual(
      tf
        .grad((x) => tf.sum(loss(asColumn(y), asColumn(x))))(x)
        .dataSync(),
    );
  });

  it('a one-hot row of zeros is ignored where something is', () => {
    const y = tf.oneHot(tf.tensor1d([1, -1], 'int32'), 3);
    const x = tf.tensor2d([1, 2, 3, 3, 2, 1], [2, 3]);
    for (const implementation of ['kernel', 'ops'] as const) {
      const loss = crossEntropy({ ignoreIndex: -100, implementation, labelSmoothing: 0.1 });
      const [first, second] = loss(y, x).dataSync();
      expect(first).toBeGreaterThan(1);
      expect(second).toBe(0);
      const grad = tf
        .grad((x) => tf.mean(loss(y, x)))(x)
        .dataSync();
      expect(grad.slice(0, 3).every((entry) => entry !== 0)).toBe(true);
      expect(Array.from(grad.slice(3), Math.abs)).toEqual([0, 0, 0]);
    }
  });

  it.each(['kernel', 'ops'] as const)(
    '%s: tf.valueAndGrad and optimizer.minimize train with it',
    (implementation) => {
      const loss = focalLoss({ implementation });
      const y = tf.tensor1d(indices, 'int32');
      const x = tf.tensor2d(logits, [ROWS, CLASSES]);
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => tf.mean(loss(y, x)))(x);
      const expected = new FocalLoss().valueAndGrad(logits, indices);
      expect(value.dataSync()[0]).toBeCloseTo(expected.value, 5);
      expect(grad.dataSync()[3]).toBeCloseTo(expected.grad[3] as number, 6);

      const weights = tf.variable(x);
      const optimizer = tf.train.sgd(5);
      const costs = Array.from({ length: 20 }, () => {
        const cost = optimizer.minimize(() => tf.mean(loss(y, weights)) as tf.Scalar, true, [
          weights,
        ]);
        return cost?.dataSync()[0] as number;
      });
      expect(costs[0]).toBeCloseTo(expected.value, 5);
      for (const [step, cost] of costs.slice(1).entries())
        expect(cost).toBeLessThan(costs[step] as number);
    },
  );

  it.each(['kernel', 'ops'] as const)('%s: many steps leave no tensor behind', (implementation) => {
    const losses = [focalLoss, crossEntropy, sigmoidFocalLoss].map((make) =>
      make({ implementation }),
    );
    const random = randomSource(3);
    const y = tf.tensor2d([0, 1, 1, 0], [2, 2]);
    const weights = tf.variable(tf.tensor2d([1, 2, 3, 4], [2, 2]));
    const optimizer = tf.train.sgd(0.01);
    const step = (loss: LossFunction) => {
      optimizer.minimize(() => tf.mean(loss(y, weights)) as tf.Scalar, false, [weights]);
      loss(y, weights).dispose();
      tf.tidy(() => void tf.grad((x) => tf.mean(loss(y, x)))(tf.add(random(), weights)));
    };
    for (const loss of losses) step(loss);
    const { numTensors, numDataBuffers } = tf.memory();
    for (let i = 0; i < (IS_SAMPLE ? 300 : 1000); i++) step(losses[i % 3] as LossFunction);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
    expect(Number.isFinite(weights.dataSync()[0])).toBe(true);
  });

  it.each(['kernel', 'ops'] as const)(
    '%s: a second derivative is refused, a first one inside another function not',
    (implementation) => {
      const loss = focalLoss({ implementation });
      const y = tf.tensor1d([1], 'int32');
      const x = tf.tensor2d([1, 2], [1, 2]);
      const slope = tf.grad((x) => tf.mean(loss(y, x)));
      expect(() => tf.grad((x) => tf.sum(slope(x)))(x)).toThrow('once, not twice');
      expect(() => tf.grad((x) => tf.sum(tf.mul(slope(tf.square(x)), x)))(x)).toThrow(
        'once, not twice',
      );
      // All that does not go through it may be differentiated.
      const other = tf.grad((z) => tf.sum(tf.mul(slope(x), z)))(tf.tensor2d([3, 4], [1, 2]));
      expect(other.dataSync()).toEqual(slope(x).dataSync());
    },
  );
});

function asColumn(x: tf.Tensor): tf.Tensor {
  return tf.reshape(x, [-1, 1]);
}

function sum64(sum: number, value: number): number {
  return sum + value;
}
