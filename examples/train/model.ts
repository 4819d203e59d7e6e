import type { Random } from './random.js';

/** Numbers to be learned, and the gradient of the loss in each of them. */
interface Parameters {
  readonly values: Float32Array;
  readonly grad: Float32Array;
}

/** A fully connected layer: output = weights · input + bias for every row. */
class Dense {
  readonly weights: Parameters;
  readonly bias: Parameters;
  readonly #inputs: number;
  readonly #outputs: number;
  #input: Float32Array = new Float32Array(0);

  constructor(inputs: number, outputs: number, random: Random) {
    this.#inputs = inputs;
    this.#outputs = outputs;
    this.weights = parameters(inputs * outputs);
    this.bias = parameters(outputs);
    // Glorot's deviation keeps the size of what goes forward and of what comes back.
    const deviation = Math.sqrt(2 / (inputs + outputs));
    for (const i of this.weights.values.keys())
      this.weights.values[i] = deviation * random.normal();
  }

  forward(input: Float32Array): Float32Array {
    this.#input = input;
    const rows = input.length / this.#inputs;
    const output = new Float32Array(rows * this.#outputs);
    for (let row = 0; row < rows; row++) {
      const from = row * this.#inputs;
      for (let out = 0; out < this.#outputs; out++) {
        const weights = out * this.#inputs;
        let sum = this.bias.values[out];
        for (let i = 0; i < this.#inputs; i++)
          sum += this.weights.values[weights + i] * input[from + i];
        output[row * this.#outputs + out] = sum;
      }
    }
    return output;
  }

  /**
   * Takes the gradient in the last output, stores the one in the parameters and returns the one in
   * the input.
   */
  backward(outputGrad: Float32Array): Float32Array {
    const inputGrad = new Float32Array(this.#input.length);
    this.weights.grad.fill(0);
    this.bias.grad.fill(0);
    for (let at = 0; at < outputGrad.length; at++) {
      const grad = outputGrad[at];
      const out = at % this.#outputs;
      const from = ((at - out) / this.#outputs) * this.#inputs;
      const weights = out * this.#inputs;
      this.bias.grad[out] += grad;
      for (let i = 0; i < this.#inputs; i++) {
        this.weights.grad[weights + i] += grad * this.#input[from + i];
        inputGrad[from + i] += grad * this.weights.values[weights + i];
      }
    }
    return inputGrad;
  }
}

/** A small classifier: one hidden layer with tanh, and one logit per class. */
export class Classifier {
  readonly #hidden: Dense;
  readonly #output: Dense;
  #activations: Float32Array = new Float32Array(0);

  constructor(features: number, hidden: number, classes: number, random: Random) {
    this.#hidden = new Dense(features, hidden, random);
    this.#output = new Dense(hidden, classes, random);
  }

  get parameters(): readonly Parameters[] {
    return [this.#hidden.weights, this.#hidden.bias, this.#output.weights, this.#output.bias];
  }

  /** Logits [rows, classes] of the features [rows, features]. */
  forward(features: Float32Array): Float32Array {
    this.#activations = this.#hidden.forward(features).map(Math.tanh);
    return this.#output.forward(this.#activations);
  }

  /** From the gradient of the loss in the last logits to that in every parameter. */
  backward(logitsGrad: Float32Array): void {
    const grad = this.#output.backward(logitsGrad);
    for (const [i, activation] of this.#activations.entries()) grad[i] *= 1 - activation ** 2;
    this.#hidden.backward(grad);
  }
}

/** Gradient descent with a step size of its own for every parameter (Kingma and Ba, 2015). */
export class Adam {
  readonly #parameters: readonly Parameters[];
  readonly #means: readonly Float32Array[];
  readonly #squares: readonly Float32Array[];
  readonly #rate: number;
  #steps = 0;

  constructor(parameters: readonly Parameters[], rate: number) {
    this.#parameters = parameters;
    this.#means = parameters.map(({ values }) => new Float32Array(values.length));
    this.#squares = parameters.map(({ values }) => new Float32Array(values.length));
    this.#rate = rate;
  }

  step(): void {
    this.#steps++;
    const rate = (this.#rate * Math.sqrt(1 - 0.999 ** this.#steps)) / (1 - 0.9 ** this.#steps);
    for (const [p, { values, grad }] of this.#parameters.entries()) {
      const mean = this.#means[p];
      const square = this.#squares[p];
      for (let i = 0; i < values.length; i++) {
        mean[i] += 0.1 * (grad[i] - mean[i]);
        square[i] += 0.001 * (grad[i] ** 2 - square[i]);
        values[i] -= (rate * mean[i]) / (Math.sqrt(square[i]) + 1e-8);
      }
    }
  }
}

function parameters(length: number): Parameters {
  return { values: new Float32Array(length), grad: new Float32Array(length) };
}
