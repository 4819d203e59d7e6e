import * as tf from '@tensorflow/tfjs-core';
import { FocalLoss } from 'focal-loss';
import { crossEntropy, focalLoss, type LossFunction, sigmoidFocalLoss } from 'focal-loss/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { BACKENDS, useBackend } from './backends.js';
import {
  CLASSES,
  INDICES_ONLY,
  indices,
  logits,
  oneHot,
  probabilities,
  ROWS,
  SIGMOID,
  SOFTMAX,
  shares,
  yesNo,
} from './batches.js';

const SHAPE: [number, number] = [ROWS, CLASSES];
const upstream = new Float32Array(ROWS).map((_, row) => Math.fround(0.25 + row / 7));

function run(loss: LossFunction, yTrue: tf.Tensor, x: Float32Array) {
  return tf.tidy(() => {
    const given = tf.tensor(x, SHAPE);
    const value = loss(yTrue, given).dataSync();
    const grad = tf
      .grad((x) => tf.sum(tf.mul(loss(yTrue, x), tf.tensor1d(upstream))))(given)
      .dataSync();
    return { value, grad };
  });
}

/**
 * The largest error of values, relative to each, and of gradients, relative to the largest entry of
 * their row.
 */
function worst(actual: ReturnType<typeof run>, expected: ReturnType<typeof run>): number {
  let error = 0;
  for (let row = 0; row < ROWS; row++) {
    error = Math.max(error, difference(actual.value, expected.value, row, row + 1));
    error = Math.max(
      error,
      difference(actual.grad, expected.grad, row * CLASSES, (row + 1) * CLASSES),
    );
  }
  return error;
}

function difference(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  start: number,
  end: number,
): number {
  let scale = 0;
  let largest = 0;
  for (let i = start; i < end; i++) {
    scale = Math.max(scale, Math.abs(expected[i] as number));
    largest = Math.max(largest, Math.abs((actual[i] as number) - (expected[i] as number)));
  }
  if (Number.isNaN(largest)) return Infinity;
  return largest === 0 ? 0 : largest / scale;
}

/** Logits so far apart that 1 - p is nowhere near representable for the rows that are right. */
const far = logits.map((_, i) => {
  const row = Math.floor(i / CLASSES);
  return (i % CLASSES === indices[row] ? row - 8 : 0) + ((i * 7) % 5) / 8;
});

describe.each(BACKENDS)('operations on the backend %s give what the kernels do', (backend) => {
  beforeAll(() => useBackend(backend));

  // The largest error found is the bound, rounded up.
  it.each([
    ['logits of all sizes', logits, 8e-7],
    // Where a smoothed target is nearly met, it takes the difference of the probability and the
    // target.
    ['rows that are right by up to 15', far, 8e-6],
  ])('softmax, %s', (_, x, bound) => {
    let largest = [0, ''] as [number, string];
    const note = (error: number, name: string) => {
      if (!(error <= largest[0])) largest = [error, name];
    };
    const ofIndices = tf.tensor1d(indices, 'int32');
    const ofOneHot = tf.tensor(oneHot, SHAPE);
    for (const { name, make } of [...SOFTMAX, ...INDICES_ONLY]) {
      const expected = run(make('kernel'), ofIndices, x);
      note(worst(run(make('ops'), ofIndices, x), expected), name);
      note(worst(run(make('ops'), ofOneHot, x), expected), `${name}, one-hot`);
    }
    const ofProbabilities = tf.tensor(probabilities, SHAPE);
    for (const { name, make } of SOFTMAX) {
      note(
        worst(run(make('ops'), ofProbabilities, x), run(make('kernel'), ofProbabilities, x)),
        `${name}, soft`,
      );
    }
    console.log(`${backend}: at most ${largest}`);
    expect(largest[0], largest[1]).toBeLessThan(bound);
  });

  it.each([
    ['logits of all sizes', logits, 7e-7],
    ['logits up to 15', far, 1.1e-6],
  ])('sigmoid, %s', (_, x, bound) => {
    let largest = [0, ''] as [number, string];
    for (const { name, criterion, make } of SIGMOID) {
      for (const targets of criterion.ignoreIndex === undefined ? [yesNo, shares] : [yesNo]) {
        const y = tf.tensor(targets, SHAPE);
        const error = worst(run(make('ops'), y, x), run(make('kernel'), y, x));
        if (!(error <= largest[0])) largest = [error, name];
      }
    }
    console.log(`${backend}: at most ${largest}`);
    expect(largest[0], largest[1]).toBeLessThan(bound);
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
