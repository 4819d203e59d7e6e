import { type FloatArray, FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float32 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';
import { family, reduced } from '../support/family.js';

// Node has Float16Array from version 24 on.
const { Float16Array } = globalThis;

/** Numbers that half precision holds. */
function half(array: FloatArray): FloatArray {
  return array.map((x) => Math.round(x * 64) / 64);
}

describe.runIf(Float16Array !== undefined)('Float16Array', () => {
  it.each([
    [5, 2],
    [7, 10],
    [5000, 3],
  ])('is computed in float32, and rounded once, [%i, %i]', (rows, classes) => {
    const logits = half(randomBatch(float32, rows, classes, 50).logits);
    for (const { ignoring, spoilt } of family(float32, rows, classes)) {
      const expected = ignoring.valueAndGrad(logits, spoilt);
      const actual = ignoring.valueAndGrad(Float16Array.from(logits), spoilt);
      expect(actual.value).toEqual(Float16Array.from(expected.value));
      expect(actual.grad).toEqual(Float16Array.from(expected.grad));
      const grad = new Float16Array(logits.length);
      expect(ignoring.backward(Float16Array.from(logits), spoilt, { grad })).toBe(grad);
      expect(grad).toEqual(actual.grad);
      // A mean is a number, and keeps all its digits.
      const mean = reduced(ignoring, 'mean');
      expect(mean.forward(Float16Array.from(logits), spoilt)).toBe(mean.forward(logits, spoilt));
    }
  });

  it('may hold probabilities, weights and upstream gradients', () => {
    const logits = half(randomBatch(float32, 9, 4, 51).logits);
    const soft = [0.25, 0.5, 0.25, 0, 1, 0, 0, 0].concat(Array(28).fill(0.25));
    const criterion = new FocalLoss({ reduction: 'none', numClasses: 4 });
    const ones = [1, 2, 0.5, 0, 1, 1, 3, 1, 1];
    for (const Kind of [Float32Array, Float64Array]) {
      const kind = Kind.from(logits);
      const options = {
        sampleWeights: Float16Array.from(ones),
        gradOutput: Float16Array.from(ones),
      };
      const same = { sampleWeights: Kind.from(ones), gradOutput: Kind.from(ones) };
      const actual = criterion.valueAndGrad(kind, Float16Array.from(soft), options);
      expect(actual).toEqual(criterion.valueAndGrad(kind, Kind.from(soft), same));
    }
  });

  it('channels first', () => {
    const logits = Float16Array.from(half(randomBatch(float32, 30, 4, 52).logits));
    const turned = new Float16Array(120);
    for (let i = 0; i < 30; i++) for (let j = 0; j < 4; j++) turned[j * 30 + i] = logits[4 * i + j];
    const { targets } = randomBatch(float32, 30, 4, 52);
    const criterion = new FocalLoss({ numClasses: 4 });
    const expected = criterion.valueAndGrad(logits, targets);
    const actual = criterion.with({ layout: 'channels-first' }).valueAndGrad(turned, targets);
    expect(actual.value).toBe(expected.value);
    expect(
      Array.from({ length: 120 }, (_, k) => actual.grad[(k % 4) * 30 + Math.floor(k / 4)]),
    ).toEqual([...expected.grad]);
  });

  it('takes a buffer of its own kind', () => {
    const logits = new Float16Array(4);
    expectFailure(
      () =>
        new FocalLoss().backward(logits, new Uint8Array(2), { grad: new Float32Array(4) as never }),
      TypeError,
      'grad must be a Float16Array like the logits, got a Float32Array',
    );
  });
});
