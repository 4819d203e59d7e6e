import { CrossEntropyLoss, FocalLoss, PolyFocalLoss, SigmoidFocalLoss } from 'focal-loss';
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

  it('where they are not, the gradient is not finite in float64, and no other row notices', () => {
    const certain = Floats.of(0, -Infinity, -Infinity, 0);
    const given = { sampleWeights: Floats.of(largest, 1), gradOutput: Floats.of(4, 1) };
    const far = Array.from(rows.backward(certain, targets, given));
    const isWide = Floats === Float64Array;
    expect(far.map(Number.isFinite)).toEqual([!isWide, !isWide, true, true]);
    const larger = { ...given, gradOutput: Floats.of(16, 1) };
    const grad = rows.backward(logits, targets, larger);
    expect(Array.from(grad.subarray(0, 2))).toEqual([-Infinity, Infinity]);
    expectTimes(grad.subarray(2), gradients.subarray(2), 1);
  });
});

describe('factors of a row whose product float32 does not hold', () => {
  const targets = Uint8Array.of(0, 1);
  const certain = Float32Array.of(0, -Infinity, -Infinity, 0);
  const logits = Float32Array.of(1, 2, 3, -4);

  /** All factors in float64, in which there is room for them. */
  const wide = (x: Float32Array) => Float64Array.from(x);
  const narrow = (x: Float64Array) => Float32Array.from(x, (entry) => Math.fround(entry) + 0);

  /** Class weights, sample weights, and upstream gradients, which are a number for a sum. */
  const FACTORS: [number, number, number, number | undefined][] = [
    [1, 2 ** 127, 4, undefined],
    [1, 2 ** 100, -(2 ** 100), undefined],
    [2 ** 100, 2 ** 64, 1, undefined],
    [2 ** 100, 1, 2 ** 100, undefined],
    [2 ** 50, 2 ** 50, 2 ** 50, undefined],
    [2 ** -100, 2 ** -100, 2 ** 120, undefined],
    [1, 2 ** -140, 2 ** 120, undefined],
    [2 ** 100, 2 ** 64, 1, 1],
    [2 ** 100, 2 ** 10, 1, 2 ** 100],
    [1, 2 ** 100, 1, 2 ** 100],
    [2 ** 100, 1, 1, 2 ** 100],
    [2 ** -100, 2 ** -100, 1, 2 ** 110],
  ];
  const LOSSES = [
    (alpha: number[]) => new CrossEntropyLoss({ weight: alpha, reduction: 'sum' }),
    (alpha: number[]) => new FocalLoss({ alpha, reduction: 'sum' }),
    (alpha: number[]) => new FocalLoss({ alpha, reduction: 'sum', focusOn: 'class' }),
    (alpha: number[]) => new FocalLoss({ alpha, reduction: 'sum', labelSmoothing: 0.1 }),
    (alpha: number[]) => new PolyFocalLoss({ alpha, reduction: 'sum' }),
  ] as const;

  const CASES = FACTORS.flatMap((factors) =>
    LOSSES.map((make) => [...factors, make([factors[0], 1])] as const),
  );

  it.each(CASES)('weights %f and %f, upstream %f or %f', (_, weight, upstream, all, summed) => {
    const loss = summed.with({ reduction: all === undefined ? 'none' : 'sum' });
    const sampleWeights = Float32Array.of(weight, 1);
    const gradOutput = all ?? Float32Array.of(upstream, 1);
    const given: object = { sampleWeights, gradOutput };
    const wideFactors: object = {
      sampleWeights: wide(sampleWeights),
      gradOutput: all ?? wide(Float32Array.of(upstream, 1)),
    };
    for (const x of loss.labelSmoothing === 0 ? [certain, logits] : [logits]) {
      const { value, grad } = loss.valueAndGrad(x, targets, given);
      const exact = loss.valueAndGrad(wide(x), targets, wideFactors);
      expectClose(grad, narrow(exact.grad));
      if (typeof value !== 'number') expectClose(value, narrow(exact.value as Float64Array));
      // A value is what it is without a gradient.
      expect(loss.forward(x, targets, { sampleWeights })).toEqual(value);
      expect(loss.backward(x, targets, given)).toEqual(grad);
    }
  });

  it('a weight for several columns', () => {
    const loss = new SigmoidFocalLoss({ reduction: 'none', gamma: 0, posWeight: 2 ** 30 });
    const x = Float32Array.of(-Infinity, 1, -Infinity, 1);
    const y = Float32Array.of(0, 1, 0, 1);
    const sampleWeights = Float32Array.of(1, 2 ** 100);
    const gradOutput = Float32Array.of(1, 1, 2 ** 100, 2 ** -100);
    const options = { numClasses: 2, sampleWeights, gradOutput };
    const grad = loss.backward(x, y, options);
    const wideOptions = { sampleWeights: wide(sampleWeights), gradOutput: wide(gradOutput) };
    const exact = loss.backward(wide(x), y, { numClasses: 2, ...wideOptions } as object);
    expect(grad).toEqual(narrow(exact));
    expect(grad[2]).toBe(0);
  });

  /** The same, within the bound of float32 and, below its normal numbers, its smallest number. */
  function expectClose(actual: Float32Array, expected: Float32Array): void {
    expect(actual.length).toBe(expected.length);
    actual.forEach((x, i) => {
      const y = expected[i] as number;
      if (x !== y) expect(Math.abs(x - y)).toBeLessThanOrEqual(2e-6 * Math.abs(y) + 2 ** -149);
    });
  }
});
