import { CrossEntropyLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';

// Factors near the end of a type: what is written of them in docs/numerics.md.

describe.each([
  { Floats: Float32Array, largest: 2 ** 127, bound: 5e-7 },
  { Floats: Float64Array, largest: 2 ** 1023, bound: 1e-15 },
])('$Floats.name', ({ Floats, largest, bound }) => {
  const logits = Floats.of(1, 2, 3, -4);
  const targets = Uint8Array.of(0, 1);
  const rows = new CrossEntropyLoss({ reduction: 'none' });
  const gradients = rows.backward(logits, targets);
  const values = rows.forward(logits, targets);

  function expectTimes(actual: ArrayLike<number>, plain: ArrayLike<number>, factor: number): void {
    const limit = Floats.of(Infinity, 0)[0] as number;
    for (let i = 0; i < plain.length; i++) {
      const expected = (plain[i] as number) * factor;
      const isBeyond = Floats.of(expected)[0] === Math.sign(expected) * limit;
      if (isBeyond) expect(actual[i]).toBe(Math.sign(expected) * limit);
      else expect(Math.abs((actual[i] as number) / expected - 1)).toBeLessThan(2 * bound);
    }
  }

  it('an upstream gradient per row may be as large as any number', () => {
    for (const size of [largest, -largest, largest / 8]) {
      expectTimes(
        rows.backward(logits, targets, { gradOutput: Floats.of(size, size) }),
        gradients,
        size,
      );
    }
  });

  it('a weight per row may be, with a value that is infinite only where it is beyond the type', () => {
    for (const size of [largest, largest / 8]) {
      const { value, grad } = rows.valueAndGrad(logits, targets, {
        sampleWeights: Floats.of(size, size),
      });
      expectTimes(value, values, size);
      expectTimes(grad, gradients, size);
      // The values of rows are numbers of the type, before there is a mean of them.
      const mean = new CrossEntropyLoss({ normalizer: 4 });
      const result = mean.valueAndGrad(logits, targets, { sampleWeights: Floats.of(size, size) });
      const expected = Array.from(values).reduce((sum, value) => sum + value * size, 0) / 4;
      if (value.every(Number.isFinite))
        expect(Math.abs(result.value / expected - 1)).toBeLessThan(2 * bound);
      else expect(result.value).toBe(Infinity);
      expectTimes(result.grad, gradients, size / 4);
    }
  });

  it('posWeight may be as large, as long as times the cross-entropy it is a number', () => {
    const x = Floats.of(3, -1, 30, -30);
    const yes = Floats.of(1, 1, 1, 1);
    const plain = new SigmoidFocalLoss({ reduction: 'none' }).valueAndGrad(x, yes);
    // The largest cross-entropy is 30.
    for (const posWeight of [largest / 16, largest / 64]) {
      const { value, grad } = new SigmoidFocalLoss({ reduction: 'none', posWeight }).valueAndGrad(
        x,
        yes,
      );
      expectTimes(value, plain.value, posWeight);
      expectTimes(grad, plain.grad, posWeight);
    }
  });

  it('a weight and an upstream gradient of a row must be a number of the type together', () => {
    const root = Math.sqrt(largest);
    const certain = Floats.of(0, -Infinity, -Infinity, 0);
    const given = { sampleWeights: Floats.of(root, root), gradOutput: Floats.of(root, root / 2) };
    expect(Array.from(rows.backward(certain, targets, given))).toEqual([0, 0, 0, 0]);
    const product = Array.from(rows.backward(logits, targets, given));
    expectTimes(product.slice(0, 2), gradients.slice(0, 2), largest);
    expectTimes(product.slice(2), gradients.slice(2), largest / 2);
  });

  it('where they are not, the gradient is not finite, and no other row notices', () => {
    const certain = Floats.of(0, -Infinity, -Infinity, 0);
    const given = { sampleWeights: Floats.of(largest, 1), gradOutput: Floats.of(4, 1) };
    const far = Array.from(rows.backward(certain, targets, given));
    expect(far.map(Number.isFinite)).toEqual([false, false, true, true]);
    const grad = rows.backward(logits, targets, given);
    expect(Array.from(grad.subarray(0, 2))).toEqual([-Infinity, Infinity]);
    expect(grad.subarray(2)).toEqual(gradients.subarray(2));
  });
});
