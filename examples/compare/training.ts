import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { initializers, layers, type Sequential, sequential } from '@tensorflow/tfjs-layers';
import type { FocalLoss } from 'focal-loss/analysis';
import { focalLoss } from 'focal-loss/tfjs';
import type { Part } from '../train/data.js';
import { Random } from '../train/random.js';
import { shuffledBatches } from '../train/train.js';
import type { ScheduledLoss } from './losses.js';

const HIDDEN = 16;
const LEARNING_RATE = 3e-3;

/**
 * A small classifier: one hidden layer, and one logit per class. The last layer has no softmax:
 * losses take logits.
 */
export function makeModel(features: number, classes: number, seed: number): Sequential {
  const start = (layer: number) => initializers.glorotNormal({ seed: 2 * seed + layer });
  return sequential({
    layers: [
      layers.dense({
        inputShape: [features],
        units: HIDDEN,
        activation: 'tanh',
        kernelInitializer: start(0),
      }),
      layers.dense({ units: classes, kernelInitializer: start(1) }),
    ],
  });
}

/** Adam, as all models are trained here. */
export function makeOptimizer(): tf.AdamOptimizer {
  return tf.train.adam(LEARNING_RATE);
}

/** Rows as tensors: features, and one-hot targets. */
export function toTensors(
  { features, targets }: Part,
  classes: number,
): { x: tf.Tensor2D; y: tf.Tensor2D } {
  return tf.tidy(() => ({
    x: tf.tensor2d(features, [targets.length, features.length / targets.length]),
    y: tf.cast(tf.oneHot(tf.tensor1d(targets, 'int32'), classes), 'float32') as tf.Tensor2D,
  }));
}

/**
 * One model on its way through the training rows. Runs with the same seed start alike and see the
 * same batches.
 */
export class Training {
  readonly #loss: ScheduledLoss;
  readonly #train: Part;
  readonly #classes: number;
  readonly #random: Random;
  readonly #model: Sequential;
  readonly #optimizer = makeOptimizer();
  #criterion: FocalLoss | undefined;

  constructor(loss: ScheduledLoss, train: Part, classes: number, seed: number) {
    this.#loss = loss;
    this.#train = train;
    this.#classes = classes;
    this.#random = new Random(seed);
    this.#model = makeModel(train.features.length / train.targets.length, classes, seed);
  }

  /**
   * Goes once through all rows, in random order, and returns the mean loss. Epochs are counted from
   * 0.
   */
  async epoch(epoch: number): Promise<number> {
    this.#compile(this.#loss.criterionOf(epoch));
    let total = 0;
    for (const batch of shuffledBatches(this.#train, this.#random)) {
      const { x, y } = toTensors(batch, this.#classes);
      const value = (await this.#model.trainOnBatch(x, y)) as number;
      total += value * batch.targets.length;
      tf.dispose([x, y]);
    }
    return total / this.#train.targets.length;
  }

  /**
   * Compiles the model where the loss is a new one. The optimizer stays, and what it has learnt of
   * the gradients.
   */
  #compile(criterion: FocalLoss): void {
    if (criterion === this.#criterion) return;
    const { alpha, gamma, labelSmoothing } = criterion;
    this.#model.compile({
      optimizer: this.#optimizer,
      loss: focalLoss({ alpha, gamma, labelSmoothing }),
    });
    this.#criterion = criterion;
  }

  logits({ features, targets }: Part): Float32Array {
    return tf.tidy(() => {
      const x = tf.tensor2d(features, [targets.length, features.length / targets.length]);
      return (this.#model.predict(x) as tf.Tensor).dataSync<'float32'>();
    });
  }

  dispose(): void {
    this.#model.dispose();
    this.#optimizer.dispose();
  }
}
