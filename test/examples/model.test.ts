import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { Classifier } from '../../examples/train/model.js';
import { Random } from '../../examples/train/random.js';
import { Training } from '../../examples/train/train.js';

describe('the classifier', () => {
  it('has the gradient that central differences give', () => {
    const random = new Random(7);
    const model = new Classifier(3, 4, 3, random);
    const features = Float32Array.from({ length: 15 }, () => random.normal());
    const targets = Int32Array.of(0, 1, 2, 1, 1);
    const criterion = new FocalLoss({ alpha: 0.75 });
    const loss = () => criterion.forward(Float64Array.from(model.forward(features)), targets);

    model.backward(criterion.backward(model.forward(features), targets));
    for (const { values, grad } of model.parameters) {
      for (const [i, value] of values.entries()) {
        const step = 2 ** -8;
        values[i] = value + step;
        const above = loss();
        values[i] = value - step;
        const below = loss();
        values[i] = value;
        expect(grad[i]).toBeCloseTo((above - below) / (2 * step), 4);
      }
    }
  });

  it('learns a class that a line separates', () => {
    const random = new Random(5);
    const features = Float32Array.from({ length: 400 }, () => random.normal());
    const targets = Int32Array.from({ length: 200 }, (_, row) =>
      features[2 * row] + features[2 * row + 1] > 1 ? 1 : 0,
    );
    const training = new Training(new FocalLoss({ alpha: 0.75 }), { features, targets }, 2, 1);
    const first = training.epoch();
    let last = first;
    for (let epoch = 2; epoch <= 100; epoch++) last = training.epoch();
    expect(last).toBeLessThan(first / 5);
    expect(training.test({ features, targets }).f1).toBeGreaterThan(0.9);
  });
});
