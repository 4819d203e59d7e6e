import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { FocalLoss } from 'focal-loss';
import {
  binaryLogitAccuracy,
  crossEntropy,
  focalLoss,
  type LossFunction,
  logitAccuracy,
  sigmoidFocalLoss,
} from 'focal-loss/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { BACKENDS, useBackend } from './backends.js';
import { randomSource } from './batches.js';

const ROWS = 60;

/** A tenth of the rows is of class 1, which lies apart from the rest, but not without overlap. */
function makeTable() {
  const random = randomSource(11);
  const labels = Array.from({ length: ROWS }, (_, row) => (row % 10 === 0 ? 1 : 0));
  const features = labels.flatMap((label) => [
    random() + 0.7 * label,
    random() - 0.4 * label,
    random(),
  ]);
  return { labels, features };
}

const { labels, features } = makeTable();

/** A linear model of so many logits, whose first weights are always the same. */
function makeModel(units: number, loss: LossFunction, metric: typeof logitAccuracy) {
  const model = sequential({
    layers: [layers.dense({ units, inputShape: [3], kernelInitializer: 'zeros' })],
  });
  model.compile({ optimizer: tf.train.sgd(0.5), loss, metrics: [metric] });
  return model;
}

const settings = { epochs: 3, batchSize: 20, shuffle: false, verbose: 0 } as const;

describe.each(BACKENDS)('a model of TensorFlow.js on the backend %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it.each([
    ['focalLoss', focalLoss({ alpha: 0.75 }), focalLoss({ alpha: 0.75, implementation: 'ops' })],
    ['crossEntropy', crossEntropy(), crossEntropy({ implementation: 'ops' })],
  ])('%s learns from one-hot rows, with kernels as with operations', async (_, ...losses) => {
    const x = tf.tensor2d(features, [ROWS, 3]);
    const y = tf.oneHot(tf.tensor1d(labels, 'int32'), 2);
    const histories = [];
    for (const loss of losses) {
      const model = makeModel(2, loss, logitAccuracy);
      const { history } = await model.fit(x, y, settings);
      expect(history.loss?.[2]).toBeLessThan(history.loss?.[0] as number);
      expect(history.logitAccuracy?.[2]).toBeGreaterThan(0.5);
      histories.push(history.loss as number[]);
      const [value] = model.evaluate(x, y) as tf.Scalar[];
      expect(value?.dataSync()[0]).toBeLessThan(history.loss?.[0] as number);
      model.dispose();
    }
    for (const [i, value] of (histories[0] ?? []).entries())
      expect(histories[1]?.[i]).toBeCloseTo(value, 6);
  });

  it('the first value and step are those of the criterion', async () => {
    const x = tf.tensor2d(features, [ROWS, 3]);
    const y = tf.oneHot(tf.tensor1d(labels, 'int32'), 2);
    const model = makeModel(2, focalLoss({ gamma: 1 }), logitAccuracy);
    const { history } = await model.fit(x, y, { ...settings, epochs: 1, batchSize: ROWS });
    const { value, grad } = new FocalLoss({ gamma: 1 }).valueAndGrad(
      new Float32Array(2 * ROWS),
      Int32Array.from(labels),
    );
    expect(history.loss?.[0]).toBeCloseTo(value, 6);
    const bias = model.getWeights()[1]?.dataSync()[1] as number;
    const slope = grad.filter((_, i) => i % 2 === 1).reduce((a, b) => a + b);
    expect(bias).toBeCloseTo(-0.5 * slope, 6);
  });

  it('sigmoidFocalLoss learns from a single logit', async () => {
    const x = tf.tensor2d(features, [ROWS, 3]);
    const y = tf.tensor2d(labels, [ROWS, 1]);
    for (const metric of [logitAccuracy, binaryLogitAccuracy]) {
      const model = makeModel(1, sigmoidFocalLoss({ alpha: 0.75 }), metric);
      const { history } = await model.fit(x, y, { ...settings, epochs: 10 });
      expect(history.loss?.[9]).toBeLessThan(history.loss?.[0] as number);
      // Nine tenths are class 0.
      expect(history[metric.name]?.[9]).toBeGreaterThan(0.8);
      model.dispose();
    }
  });

  it('classWeight weighs the rows', async () => {
    const x = tf.tensor2d(features, [ROWS, 3]);
    const y = tf.oneHot(tf.tensor1d(labels, 'int32'), 2);
    const firstLoss = async (loss: LossFunction, classWeight?: { [name: number]: number }) => {
      const model = makeModel(2, loss, logitAccuracy);
      const options = classWeight ? { ...settings, classWeight } : settings;
      const { history } = await model.fit(x, y, options);
      return history.loss as number[];
    };
    const plain = await firstLoss(focalLoss({ alpha: null }));
    const byOption = await firstLoss(focalLoss({ alpha: [0.5, 5] }));
    const byLayers = await firstLoss(focalLoss({ alpha: null }), { 0: 0.5, 1: 5 });
    for (const [i, value] of byOption.entries()) expect(byLayers[i]).toBeCloseTo(value, 6);
    expect(Math.abs((byLayers[0] as number) - (plain[0] as number))).toBeGreaterThan(0.001);
  });

  it('fit refuses class indices, before the loss sees them', async () => {
    const model = makeModel(2, focalLoss(), logitAccuracy);
    const y = tf.tensor1d(labels, 'int32');
    await expect(model.fit(tf.tensor2d(features, [ROWS, 3]), y, settings)).rejects.toThrow(/shape/);
  });

  it('training leaves no tensor behind', async () => {
    const x = tf.tensor2d(features, [ROWS, 3]);
    const y = tf.oneHot(tf.tensor1d(labels, 'int32'), 2);
    const model = makeModel(2, focalLoss(), logitAccuracy);
    await model.fit(x, y, settings);
    const { numTensors } = tf.memory();
    await model.fit(x, y, { ...settings, epochs: 20 });
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('the metrics go by the sign of a logit, or the largest of a row', () => {
    const single = tf.tensor2d([0.4, -0.1, 0.2, 3], [4, 1]);
    const yes = tf.tensor2d([1, 0, 0, 1], [4, 1]);
    expect(Array.from(logitAccuracy(yes, single).dataSync())).toEqual([1, 1, 0, 1]);
    expect(Array.from(binaryLogitAccuracy(yes, single).dataSync())).toEqual([1, 1, 0, 1]);
    const several = tf.tensor2d([1, 2, 3, 3, 2, 1], [2, 3]);
    const hot = tf.tensor2d([0, 0, 1, 0, 1, 0], [2, 3]);
    expect(Array.from(logitAccuracy(hot, several).dataSync())).toEqual([1, 0]);
    expect(Array.from(logitAccuracy(tf.tensor1d([2, 1]), several).dataSync())).toEqual([1, 0]);
    const shares = tf.tensor2d([1, 0, 1, 0, 1, 1], [2, 3]);
    const [first, second] = binaryLogitAccuracy(
      shares,
      tf.tensor2d([1, -1, -1, 2, 3, 4], [2, 3]),
    ).dataSync();
    expect(first).toBeCloseTo(2 / 3, 6);
    expect(second).toBeCloseTo(2 / 3, 6);
  });
});
