import { env } from '@tensorflow/tfjs-core';
import { lookLikeSigmoid, lookLikeSoftmax } from '../analysis/rows/probability-watch.js';

/**
 * Warns, once and not in TensorFlow.js' production mode, when what should be logits looks like the
 * output of an activation: the loss would apply it a second time, and the model hardly learn.
 */
export class ProbabilityWatch {
  readonly #activation: 'softmax' | 'sigmoid';
  #isDone = false;

  constructor(activation: 'softmax' | 'sigmoid') {
    this.#activation = activation;
  }

  /** Looks at rows of so many values. It stops at the first that is a logit. */
  look(values: Float32Array, columns: number): void {
    if (this.#isDone || env().getBool('PROD')) return;
    const isOutput =
      this.#activation === 'softmax' ? lookLikeSoftmax(values, columns) : lookLikeSigmoid(values);
    if (!isOutput) return;
    this.#isDone = true;
    console.warn(
      `focal-loss/tfjs: yPred looks like the output of a ${this.#activation} activation. The loss takes logits: leave the ` +
        'activation of the last layer out.',
    );
  }
}
