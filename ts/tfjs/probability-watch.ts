import { env } from '@tensorflow/tfjs-core';

/** From how many values in [0, 1] on chance is no explanation. */
const MANY = 32;

/** By how much the sum of probabilities may be off. */
const TOLERANCE = 1e-3;

/**
 * Warns, once and not in TensorFlow.js' production mode, when what should be logits looks like the output of an activation: the
 * loss would apply it a second time, and the model hardly learn.
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
    const isOutput = this.#activation === 'softmax' ? haveSumOne(values, columns) : areManyShares(values);
    if (!isOutput) return;
    this.#isDone = true;
    console.warn(
      `focal-loss/tfjs: yPred looks like the output of a ${this.#activation} activation. The loss takes logits: leave the ` +
        'activation of the last layer out.',
    );
  }
}

function isShare(value: number): boolean {
  return value >= 0 && value <= 1;
}

function areManyShares(values: Float32Array): boolean {
  return values.length >= MANY && values.every(isShare);
}

function haveSumOne(values: Float32Array, columns: number): boolean {
  for (let start = 0; start < values.length; start += columns) {
    let sum = 0;
    for (let i = start; i < start + columns; i++) {
      if (!isShare(values[i] as number)) return false;
      sum += values[i] as number;
    }
    if (Math.abs(sum - 1) > TOLERANCE) return false;
  }
  return values.length > 0;
}
