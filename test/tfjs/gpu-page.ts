// The part of a page in tests of the losses on GPUs: the functions that gpu.test.ts calls in it.

import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { crossEntropy, focalLoss, type LossFunction, logitAccuracy } from 'focal-loss/tfjs';
import { CLASSES, logits, oneHot, ROWS, yesNo } from './batches.js';
import { cases, far, sigmoidError, softmaxError, type Targets, tensorOf } from './comparison.js';

let reads = 0;

/** Has calls of a method counted. */
function count(owner: object, name: string): void {
  const call = Reflect.get(owner, name);
  Reflect.set(owner, name, function (this: object, ...args: unknown[]) {
    reads++;
    return Reflect.apply(call, this, args);
  });
}

/** Has all calls counted by which numbers come from the GPU to the processor. */
function countReads(): void {
  for (const name of ['readPixels', 'getBufferSubData'])
    count(WebGL2RenderingContext.prototype, name);
  count(Reflect.get(globalThis, 'GPUBuffer').prototype, 'mapAsync');
  for (const name of ['read', 'readSync']) count(tf.backend(), name);
}

/** The reads from the GPU meanwhile. */
async function readsOf(run: () => unknown): Promise<number> {
  const before = reads;
  await run();
  return reads - before;
}

/** The largest power of 2 that is lost beside 1, in the type that numbers have on the GPU. */
async function lostBeside1(): Promise<number> {
  const powers = Array.from({ length: 60 }, (_, i) => 2 ** -i);
  const seen = await tf.sub(tf.add(tf.tensor1d(powers), 1), 1).data();
  return powers[seen.indexOf(0)] as number;
}

/** A step of training the logits themselves. */
function step(loss: LossFunction, targets: Targets): void {
  tf.tidy(() => {
    const weights = tf.variable(tf.tensor(logits, [ROWS, CLASSES]));
    const cost = () => tf.mean(loss(tensorOf(targets), weights)) as tf.Scalar;
    tf.train.sgd(0.01).minimize(cost, false, [weights]);
    weights.dispose();
  });
}

async function masked(implementation: 'kernel' | 'ops', mask: number): Promise<number[][]> {
  const x = tf.tensor2d([1, mask, 2, 3, 1, mask], [2, 3]);
  const y = tf.tensor1d([0, 1], 'int32');
  const losses = [focalLoss({ implementation }), crossEntropy({ implementation })];
  const results = losses.flatMap((loss) => [loss(y, x), tf.grad((x) => tf.sum(loss(y, x)))(x)]);
  return Promise.all(results.map(async (result) => Array.from(await result.data())));
}

const page = {
  /** Makes a backend that of all tensors. Small tensors are worked with on the GPU as well. */
  async use(backend: string, flags: Record<string, boolean>) {
    for (const [name, value] of Object.entries(flags)) tf.env().set(name, value);
    tf.env().set('WEBGL_CPU_FORWARD', false);
    tf.env().set('WEBGPU_CPU_FORWARD', false);
    const isThere = await tf.setBackend(backend);
    if (!isThere) throw new Error(`There is no ${backend} here`);
    countReads();
    return lostBeside1();
  },

  /** The errors of one of so many cases. */
  async errors(every: number) {
    return {
      softmax: await softmaxError(logits, every),
      softmaxFar: await softmaxError(far, every),
      sigmoid: await sigmoidError(logits, every),
      sigmoidFar: await sigmoidError(far, every),
    };
  },

  softmaxError: (every: number) => softmaxError(logits, every),

  /**
   * The values and gradients of rows with a class that is masked, and those of the kernels. The
   * logit of the mask is a text, because infinite numbers do not get into a page.
   */
  async masked(logit: string) {
    const mask = Number(logit);
    const backend = tf.getBackend();
    const actual = await masked('ops', mask);
    await tf.setBackend('cpu');
    const expected = await masked('kernel', mask);
    await tf.setBackend(backend);
    return { actual, expected };
  },

  /** The losses of which a training step reads, of so many, and the reads of reading. */
  async reads() {
    const reading: string[] = [];
    for (const { name, make, targets } of cases)
      if ((await readsOf(() => step(make('auto'), targets))) > 0) reading.push(name);
    const data = await readsOf(() => tf.zeros([200]).data());
    return { steps: cases.length, reading, data };
  },

  /** The reads of a training step with the kernels. */
  readsOfKernel: () => readsOf(() => step(focalLoss({ implementation: 'kernel' }), oneHot)),

  /** Trains a model by `fit`. */
  async train() {
    const model = sequential({
      layers: [layers.dense({ units: CLASSES, inputShape: [CLASSES], kernelInitializer: 'zeros' })],
    });
    const loss = focalLoss({ alpha: null, gamma: 1 });
    model.compile({ optimizer: tf.train.sgd(2), loss, metrics: [logitAccuracy] });
    const x = tf.tensor(yesNo, [ROWS, CLASSES]);
    const { history } = await model.fit(x, tf.tensor(oneHot, [ROWS, CLASSES]), {
      epochs: 10,
      batchSize: 8,
      shuffle: false,
      verbose: 0,
    });
    return history;
  },

  /** The tensors that steps leave behind. */
  async left() {
    const loss = focalLoss();
    const weights = tf.variable(tf.tensor(logits, [ROWS, CLASSES]));
    const y = tf.tensor(oneHot, [ROWS, CLASSES]);
    const optimizer = tf.train.sgd(0.01);
    const cost = () => tf.mean(loss(y, weights)) as tf.Scalar;
    const step = () => void optimizer.minimize(cost, false, [weights]);
    step();
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) step();
    return tf.memory().numTensors - before;
  },

  /** The cross-entropies of rows that are right by ever more. */
  async small() {
    const gaps = Array.from({ length: 110 }, (_, gap) => gap);
    const x = tf.tensor2d(gaps.map((gap) => [gap, 0]));
    const y = tf.zeros([gaps.length], 'int32') as tf.Tensor1D;
    return Array.from(await crossEntropy()(y, x).data());
  },
};

export type GpuPage = typeof page;

Object.assign(globalThis, { page });
