import type { FocalLoss } from 'focal-loss';
import type { Part } from './data.js';
import { evaluate, type Metrics, predict } from './metrics.js';
import { Adam, Classifier } from './model.js';
import { Random } from './random.js';

const HIDDEN = 16;
const BATCH = 32;
const LEARNING_RATE = 1e-3;

/**
 * One model on its way through the training rows. Runs with the same seed start alike and see the
 * same batches.
 */
export class Training {
  readonly #criterion: FocalLoss;
  readonly #train: Part;
  readonly #classes: number;
  readonly #random: Random;
  readonly #model: Classifier;
  readonly #optimizer: Adam;

  constructor(criterion: FocalLoss, train: Part, classes: number, seed: number) {
    this.#criterion = criterion;
    this.#train = train;
    this.#classes = classes;
    this.#random = new Random(seed);
    this.#model = new Classifier(
      train.features.length / train.targets.length,
      HIDDEN,
      classes,
      this.#random,
    );
    this.#optimizer = new Adam(this.#model.parameters, LEARNING_RATE);
  }

  /** Goes once through all rows, in random order, and returns the mean loss. */
  epoch(): number {
    const gradBuffer = new Float32Array(BATCH * this.#classes);
    let total = 0;
    for (const { features, targets } of shuffledBatches(this.#train, this.#random)) {
      const logits = this.#model.forward(features);
      // The loss and its gradient in one call; the gradient goes into a buffer that every batch
      // uses again.
      const { value, grad } = this.#criterion.valueAndGrad(logits, targets, {
        grad: gradBuffer.subarray(0, logits.length),
      });
      this.#model.backward(grad);
      this.#optimizer.step();
      total += value * targets.length;
    }
    return total / this.#train.targets.length;
  }

  test(part: Part): Metrics {
    return evaluate(predict(this.#model.forward(part.features), this.#classes), part.targets);
  }
}

/** All rows in random order, in batches. */
export function* shuffledBatches({ features, targets }: Part, random: Random): Generator<Part> {
  const width = features.length / targets.length;
  const order = random.shuffle(Int32Array.from(targets.keys()));
  for (let start = 0; start < order.length; start += BATCH) {
    const rows = order.subarray(start, start + BATCH);
    const batch = new Float32Array(rows.length * width);
    for (const [to, from] of rows.entries()) {
      batch.set(features.subarray(from * width, (from + 1) * width), to * width);
    }
    yield { features: batch, targets: rows.map((row) => targets[row]) };
  }
}
