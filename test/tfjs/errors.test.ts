import * as tf from '@tensorflow/tfjs-core';
import {
  binaryLogitAccuracy,
  crossEntropy,
  focalLoss,
  logitAccuracy,
  sigmoidFocalLoss,
} from 'focal-loss/tfjs';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { useBackend } from './backends.js';

await useBackend('cpu');

const implementations = ['kernel', 'ops'] as const;

/** Arguments that only somebody who gets past the types can pass. */
const wrong = (value: unknown) => value as never;

describe('options', () => {
  it.each([focalLoss, crossEntropy, sigmoidFocalLoss])(
    'of %o are those of the criterion',
    (make) => {
      expect(() => make(wrong({ gama: 2 }))).toThrow(TypeError);
      expect(() => make({ labelSmoothing: 2 })).toThrow(RangeError);
      expect(() => make({ implementation: wrong('gpu') })).toThrow(
        "implementation must be 'auto', 'kernel' or 'ops', got gpu",
      );
    },
  );

  it.each(['reduction', 'normalizer', 'numClasses', 'layout'])(
    '%s is settled by tensors',
    (name) => {
      expect(() => focalLoss(wrong({ [name]: undefined }))).toThrow(
        `There is no option ${name} in focal-loss/tfjs`,
      );
    },
  );
});

describe.each(implementations)('shapes and types, %s', (implementation) => {
  const loss = focalLoss({ implementation });
  const sigmoid = sigmoidFocalLoss({ implementation });

  it('logits without two classes', () => {
    const refused = 'two or more classes';
    expect(() => loss(tf.tensor1d([1]), tf.tensor1d([1]))).toThrow(refused);
    expect(() => loss(tf.tensor2d([1], [1, 1]), tf.tensor2d([1], [1, 1]))).toThrow(refused);
  });

  it('logits that are no floats', () => {
    expect(() => loss(tf.tensor1d([1]), tf.tensor2d([1, 2], [1, 2], 'int32'))).toThrow(
      'float32, got int32',
    );
  });

  it('targets of other shapes', () => {
    const x = tf.zeros([2, 3]);
    for (const shape of [[3], [2, 2], [3, 2], [1, 2, 3], []]) {
      expect(() => loss(tf.zeros(shape), x)).toThrow(`got [${shape}]`);
      expect(() => sigmoid(tf.zeros(shape), x)).toThrow(`got [${shape}]`);
    }
    expect(() => logitAccuracy(tf.zeros([3]), x)).toThrow('got [3]');
    expect(() => binaryLogitAccuracy(tf.zeros([3]), x)).toThrow('got [3]');
  });

  it('options that are one per class', () => {
    const x = tf.zeros([2, 3]);
    expect(() =>
      crossEntropy({ implementation, weight: [1, 2] })(tf.zeros([2], 'int32'), x),
    ).toThrow(RangeError);
    expect(() => focalLoss({ implementation, alpha: [1, 2] })(tf.zeros([2], 'int32'), x)).toThrow(
      RangeError,
    );
    expect(() => focalLoss({ implementation, gamma: [1, 2] })(tf.zeros([2], 'int32'), x)).toThrow(
      RangeError,
    );
    expect(() => sigmoidFocalLoss({ implementation, posWeight: [1, 2] })(x, x)).toThrow(RangeError);
    expect(() => sigmoidFocalLoss({ implementation, alpha: [0.1, 0.2] })(x, x)).toThrow(RangeError);
  });
});

describe('targets, which the kernels check', () => {
  const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);

  it('that are no class', () => {
    expect(() => focalLoss()(tf.tensor1d([0, 2]), x)).toThrow(
      'targets[1] must be a class in [0, 2)',
    );
    expect(() => focalLoss()(tf.tensor1d([0, 0.5]), x)).toThrow(
      'yTrue[1] must be the index of a class, got 0.5',
    );
    expect(() => focalLoss()(tf.tensor1d([0, Number.NaN]), x)).toThrow('yTrue[1]');
  });

  it('that are no probabilities', () => {
    expect(() => focalLoss()(tf.tensor2d([0, 1, 1, 1], [2, 2]), x)).toThrow(
      'the probabilities of row 1 must add up to 1',
    );
    expect(() => focalLoss()(tf.tensor2d([0, 1, 0, 0], [2, 2]), x)).toThrow('got 0');
    expect(() => sigmoidFocalLoss()(tf.tensor2d([0, 1, 0, 2], [2, 2]), x)).toThrow('targets[3]');
  });

  it('that are probabilities, where there must be classes', () => {
    const soft = tf.tensor2d([0, 1, 0.5, 0.5], [2, 2]);
    expect(() => focalLoss({ focusOn: 'target' })(soft, x)).toThrow("for focusOn 'target'");
    expect(() => focalLoss({ ignoreIndex: 0 })(soft, x)).toThrow('where ignoreIndex is given');
  });
});

describe('what looks like probabilities instead of logits', () => {
  let warn: MockInstance<typeof console.warn>;
  beforeEach(() => {
    warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterEach(() => {
    tf.env().set('PROD', false);
    warn.mockRestore();
  });

  const x = tf.tensor2d([1, 2, -3, 4], [2, 2]);
  const y = tf.tensor1d([0, 1], 'int32');

  it('is warned of, once', () => {
    const loss = focalLoss();
    loss(y, x);
    expect(warn).not.toHaveBeenCalled();
    for (let i = 0; i < 3; i++) loss(y, tf.softmax(x));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain('looks like the output of a softmax activation');
    crossEntropy()(y, tf.softmax(x));
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it('of a sigmoid, if there are many', () => {
    const loss = sigmoidFocalLoss();
    loss(tf.zeros([2, 2]), tf.sigmoid(x));
    loss(tf.zeros([32, 1]), tf.reshape(tf.linspace(-1, 1, 32), [32, 1]));
    expect(warn).not.toHaveBeenCalled();
    loss(tf.zeros([32, 1]), tf.sigmoid(tf.reshape(tf.linspace(-3, 3, 32), [32, 1])));
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toContain('a sigmoid activation');
  });

  it('is not warned of in production, nor where there are no rows, nor for operations', () => {
    focalLoss()(tf.zeros([0], 'int32'), tf.zeros([0, 2]));
    focalLoss({ implementation: 'ops' })(y, tf.softmax(x));
    tf.env().set('PROD', true);
    focalLoss()(y, tf.softmax(x));
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('class indices that no integer holds', () => {
  const x = tf.tensor2d([9, 0, 9, 0], [2, 2]);

  it.each([2 ** 31, 2 ** 32, -(2 ** 31), -(2 ** 32), Number.POSITIVE_INFINITY])(
    '%d is no class',
    (index) => {
      const y = tf.tensor1d([0, index]);
      expect(() => focalLoss({ implementation: 'kernel' })(y, x)).toThrow(
        `yTrue[1] must be the index of a class, got ${index}`,
      );
      expect(() => crossEntropy({ implementation: 'kernel', ignoreIndex: -1 })(y, x)).toThrow(
        RangeError,
      );
      // The operations cannot refuse it: the row counts nothing, as those of other indices that are
      // no class.
      const values = crossEntropy({ implementation: 'ops' })(y, x).dataSync();
      expect(values[0]).toBeGreaterThan(0);
      expect(values[1]).toBe(0);
      expect(Array.from(logitAccuracy(y, x).dataSync())).toEqual([1, 0]);
    },
  );
});

it('what is added to all objects is no option, what a class has is', () => {
  const [x, y] = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor1d([0, 1], 'int32')];
  const losses = () => [focalLoss, crossEntropy].map((make) => Array.from(make()(y, x).dataSync()));
  const expected = losses();
  const added = {
    gamma: 7,
    alpha: 0.9,
    labelSmoothing: 0.5,
    implementation: 'gpu',
    reduction: 'sum',
    ignoreIndex: 1,
  };
  for (const [name, value] of Object.entries(added)) {
    // TensorFlow.js itself enumerates its objects.
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    try {
      expect(losses()).toEqual(expected);
    } finally {
      Reflect.deleteProperty(Object.prototype, name);
    }
  }
  class Settings {
    get gamma() {
      return 0;
    }
  }
  expect(focalLoss(new Settings())(y, x).dataSync()).toEqual(
    focalLoss({ gamma: 0 })(y, x).dataSync(),
  );
});
