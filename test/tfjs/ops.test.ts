import * as tf from '@tensorflow/tfjs-core';
import { FocalLoss } from 'focal-loss';
import { crossEntropy, focalLoss, sigmoidFocalLoss } from 'focal-loss/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { BACKENDS, useBackend } from './backends.js';
import { CLASSES, indices, logits, oneHot, ROWS, yesNo } from './batches.js';
import { BOUNDS, far, sigmoidError, softmaxError } from './comparison.js';

const SHAPE: [number, number] = [ROWS, CLASSES];
describe.each(BACKENDS)('operations on the backend %s give what the kernels do', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each([
    ['logits of all sizes', logits, BOUNDS.softmax],
    ['rows that are right by up to 15', far, BOUNDS.softmaxFar],
  ])('softmax, %s', async (_, x, bound) => {
    const [error, loss] = await softmaxError(x);
    console.log(`${backend}: at most ${error} ${loss}`);
    expect(error, loss).toBeLessThan(bound);
  });

  it.each([
    ['logits of all sizes', logits, BOUNDS.sigmoid],
    ['logits up to 15', far, BOUNDS.sigmoidFar],
  ])('sigmoid, %s', async (_, x, bound) => {
    const [error, loss] = await sigmoidError(x);
    console.log(`${backend}: at most ${error} ${loss}`);
    expect(error, loss).toBeLessThan(bound);
  });

  it('infinite logits of classes that are masked', () => {
    const x = tf.tensor2d([1, -Infinity, 2, 3, 1, -Infinity], [2, 3]);
    const y = tf.tensor1d([0, 1], 'int32');
    for (const make of [focalLoss, crossEntropy]) {
      const [ops, kernel] = (['ops', 'kernel'] as const).map((implementation) => {
        const loss = make({ implementation });
        return [loss(y, x), tf.grad((x) => tf.sum(loss(y, x)))(x)].map((result) =>
          Array.from(result.dataSync()),
        );
      });
      for (const [i, entries] of (ops ?? []).entries()) {
        for (const [j, entry] of entries.entries())
          expect(entry).toBeCloseTo(kernel?.[i]?.[j] as number, 5);
      }
    }
  });

  it('what TensorFlow.js makes of the formula by itself, where it loses no digits', () => {
    const x = tf.tensor2d(logits.slice(0, 4 * CLASSES), [4, CLASSES]);
    const hard = tf.tensor2d(oneHot.slice(0, 4 * CLASSES), [4, CLASSES]);
    const naive = (x: tf.Tensor) => {
      const ce = tf.neg(tf.sum(tf.mul(tf.logSoftmax(x), hard), 1));
      return tf.sum(tf.mul(tf.square(tf.sub(1, tf.exp(tf.neg(ce)))), ce));
    };
    const expected = tf.grad(naive)(x).dataSync();
    for (const implementation of ['ops', 'kernel'] as const) {
      const loss = focalLoss({ alpha: null, implementation });
      const grad = tf
        .grad((x) => tf.sum(loss(hard, x)))(x)
        .dataSync();
      for (const [i, entry] of expected.entries()) expect(grad[i]).toBeCloseTo(entry, 5);
    }
  });
});

describe('a backend whose tensors cannot be read without waiting', () => {
  it('is not made to wait', async () => {
    await useBackend('webgl');
    const expected = new FocalLoss().valueAndGrad(logits, indices, { gradOutput: 1 });
    const loss = focalLoss();
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
      tf.mean(loss(tf.tensor1d(indices, 'int32'), x)),
    )(tf.tensor2d(logits, SHAPE));
    expect((await value.data())[0]).toBeCloseTo(expected.value, 5);
    for (const [i, entry] of (await grad.data()).entries())
      expect(entry).toBeCloseTo(expected.grad[i] as number, 6);
    const perRow = sigmoidFocalLoss()(tf.tensor2d(yesNo, SHAPE), tf.tensor2d(logits, SHAPE));
    expect((await perRow.data()).length).toBe(ROWS);
  });

  it('is, where the kernels are asked for', async () => {
    await useBackend('webgl');
    const loss = focalLoss({ implementation: 'kernel' });
    expect(() => loss(tf.tensor1d(indices, 'int32'), tf.tensor2d(logits, SHAPE))).toThrow(
      'This would stall',
    );
  });
});
