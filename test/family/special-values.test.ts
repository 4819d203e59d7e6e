import {
  type ClassIndices,
  type Criterion,
  CrossEntropyLoss,
  type FloatArray,
  FocalLoss,
  PolyFocalLoss,
  SigmoidFocalLoss,
} from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';
import { family } from '../support/family.js';

// The faults that users of other implementations ran into.

const CLASSES = [2, 3, 9, 33];
const GAMMAS = [0, 0.25, 0.5, 0.9, 1, 2];

describe.each(dtypes)('$name', (dtype) => {
  it.each(CLASSES)('NaN and Infinity spoil their own row and no other, C %i', (classes) => {
    const { logits } = randomBatch(dtype, 11, classes, 40);
    for (const { criterion, targets, width, name } of family(dtype, 11, classes)) {
      const clean = criterion.valueAndGrad(logits, targets);
      const row = Math.floor((2 * classes) / width);
      for (const bad of [NaN, Infinity]) {
        const { value, grad } = criterion.valueAndGrad(logits.with(row * width, bad), targets);
        expect(value, name).toEqual(clean.value.with(row, NaN));
        expect(grad, name).toEqual(clean.grad.slice().fill(NaN, row * width, (row + 1) * width));
      }
    }
  });

  it('an upstream gradient that is not finite spoils its own row and no other', () => {
    const { logits } = randomBatch(dtype, 11, 3, 42);
    for (const { criterion, targets, width, name } of family(dtype, 11, 3)) {
      const gradOutput = dtype.zeros((11 * 3) / width).fill(1);
      const clean = criterion.valueAndGrad(logits, targets, { gradOutput });
      const { value, grad } = criterion.valueAndGrad(logits, targets, {
        gradOutput: gradOutput.with(2, NaN),
      });
      expect(value, name).toEqual(clean.value);
      expect(grad, name).toEqual(clean.grad.slice().fill(NaN, 2 * width, 3 * width));
    }
  });

  it.each(CLASSES)('nothing is ever -0, C %i', (classes) => {
    const { logits } = randomBatch(dtype, 11, classes, 41, 200);
    for (const { ignoring, spoilt, name } of family(dtype, 11, classes)) {
      for (const gradOutput of [1, -1, 0]) {
        const { value, grad } = ignoring.valueAndGrad(logits, spoilt, { gradOutput });
        expect(
          [...value, ...grad].filter((x) => Object.is(x, -0)),
          name,
        ).toEqual([]);
      }
    }
  });

  const corners = GAMMAS.flatMap((gamma) =>
    (['smoothed', 'target', 'class'] as const).flatMap((focusOn) =>
      [0, 0.1, 1].map((labelSmoothing) => ({ gamma, focusOn, labelSmoothing })),
    ),
  );

  /** Batches of two rows, certain and right, and certain and wrong. */
  const certain = CLASSES.flatMap((classes) =>
    [10, 40, 100, 1000, 1e10, 1e30].map((gap) =>
      dtype
        .zeros(2 * classes)
        .with(0, gap)
        .with(classes, gap),
    ),
  );

  it.each(corners)('everything is finite at pt = 1 and at pt = 0, %o', (options) => {
    const criterion = new FocalLoss({ ...options, alpha: null, reduction: 'none' });
    const targets = new Uint8Array([0, 1]);
    for (const logits of certain) {
      const { value, grad } = criterion.valueAndGrad(logits, targets);
      const results = [value, grad];
      if (options.focusOn !== 'class') results.push(criterion.gammaGrad(logits, targets));
      if (
        options.focusOn === 'smoothed' ||
        (options.focusOn === 'target' && options.labelSmoothing === 0)
      ) {
        results.push(criterion.hessianDiag(logits, targets));
        results.push(criterion.hessianDiag(logits, targets, { kind: 'gauss-newton' }));
      }
      for (const result of results)
        expect([...result].filter((x) => !Number.isFinite(x))).toEqual([]);
    }
  });

  it.each(GAMMAS)('sigmoid: gradients are finite however certain a logit is, gamma %d', (gamma) => {
    const sizes = [0, 1, 17, 40, 100, 1000, 1e10, 1e30];
    const logits = dtype.array(sizes.flatMap((x) => [x, -x]));
    for (const y of [0, 1, 0.5, 0.999]) {
      for (const labelSmoothing of [0, 0.1]) {
        const criterion = new SigmoidFocalLoss({
          gamma,
          labelSmoothing,
          alpha: null,
          reduction: 'none',
        });
        const { value, grad } = criterion.valueAndGrad(logits, dtype.zeros(logits.length).fill(y));
        expect([...value, ...grad].every(Number.isFinite)).toBe(true);
      }
    }
    const { value, grad } = new SigmoidFocalLoss({
      gamma,
      alpha: null,
      reduction: 'none',
    }).valueAndGrad(dtype.array([-1000, 1000]), new Uint8Array([1, 0]));
    // Certain and wrong: the focusing factor is 1.
    expect([...value]).toEqual([1000, 1000]);
    expect([...grad]).toEqual([-1, 1]);
  });

  it('gamma 0 has the gradient of cross-entropy at saturation, too', () => {
    const logits = dtype.array([60, 0, 0, 60, -60, 0, 0, 0, -60]);
    const targets = new Uint8Array([0, 0, 1]);
    const focal = new FocalLoss({ gamma: 0, alpha: null, reduction: 'none' }).valueAndGrad(
      logits,
      targets,
    );
    const plain = new CrossEntropyLoss({ reduction: 'none' }).valueAndGrad(logits, targets);
    for (const key of ['value', 'grad'] as const) {
      focal[key].forEach((entry, i) => {
        expect(Math.abs(entry - plain[key][i])).toBeLessThanOrEqual(
          2 * dtype.bound(0) * Math.abs(plain[key][i]),
        );
      });
    }
  });

  /** Both within the bound of what they should be, for losses and gradients that are not large. */
  function expectSame(
    criterion: Criterion<'none'>,
    targets: ClassIndices | FloatArray,
    ...logits: FloatArray[]
  ): void {
    const [expected, ...others] = logits.map((array) => criterion.valueAndGrad(array, targets));
    for (const { value, grad } of others) {
      value.forEach((x, i) => {
        expect(Math.abs(x - expected.value[i])).toBeLessThanOrEqual(4 * dtype.bound(3) * (1 + x));
      });
      grad.forEach((x, i) => {
        expect(Math.abs(x - expected.grad[i])).toBeLessThanOrEqual(4 * dtype.bound(3));
      });
    }
  }

  it.each(CLASSES)(
    'a common offset changes nothing beyond the rounding of the logits, C %i',
    (classes) => {
      const plain = randomBatch(dtype, 11, classes, 42, 64).logits.map((x) => Math.round(x) / 8);
      const moved = [1e6, -1e6].map((offset) => plain.map((x) => x + offset));
      for (const { criterion, targets, width } of family(dtype, 11, classes)) {
        if (width > 1) expectSame(criterion, targets, plain, ...moved);
      }
    },
  );

  it.each(CLASSES)('equal logits of any size give the uniform result, C %i', (classes) => {
    const equal = [0, 1e6, 1e20, -1e20].map((size) => dtype.zeros(5 * classes).fill(size));
    for (const { criterion, targets, width } of family(dtype, 5, classes)) {
      if (width > 1) expectSame(criterion, targets, ...equal);
    }
  });

  it('alpha 0 and 1, and weights of 0, give exact zeros', () => {
    for (const classes of CLASSES) {
      const { logits } = randomBatch(dtype, 6, classes, 43, 30);
      const ones = new Uint8Array(6).fill(1);
      const zeros = { value: dtype.zeros(6), grad: dtype.zeros(6 * classes) };
      for (const focusOn of ['smoothed', 'target', 'class'] as const) {
        const criterion = new FocalLoss({ focusOn, reduction: 'none' });
        expect(criterion.with({ alpha: 0 }).valueAndGrad(logits, ones)).toEqual(zeros);
        expect(criterion.with({ alpha: 1 }).valueAndGrad(logits, new Uint8Array(6))).toEqual(zeros);
        expect(
          criterion.with({ alpha: Array(classes).fill(0) }).valueAndGrad(logits, ones),
        ).toEqual(zeros);
      }
      const weight = Array(classes).fill(2).with(1, 0);
      expect(
        new CrossEntropyLoss({ weight, reduction: 'none' }).valueAndGrad(logits, ones),
      ).toEqual(zeros);
      const sigmoid = new SigmoidFocalLoss({ reduction: 'none' });
      const none = { value: zeros.grad, grad: zeros.grad };
      expect(
        sigmoid.with({ alpha: 0 }).valueAndGrad(logits, new Uint8Array(6 * classes).fill(1)),
      ).toEqual(none);
      expect(sigmoid.with({ alpha: 1 }).valueAndGrad(logits, new Uint8Array(6 * classes))).toEqual(
        none,
      );
      expect(
        sigmoid.with({ posWeight: 0 }).valueAndGrad(logits, new Uint8Array(6 * classes).fill(1)),
      ).toEqual(none);
    }
  });

  it('-Infinity takes a class out that has no probability', () => {
    for (const classes of CLASSES) {
      const { logits, targets } = randomBatch(dtype, 5, classes + 1, 44);
      const masked = logits.map((x, i) => (i % (classes + 1) === classes ? -Infinity : x));
      const without = logits.filter((_, i) => i % (classes + 1) !== classes);
      const inside = targets.map((target) => target % classes);
      const numClasses = classes + 1;
      for (const [criterion, smaller] of [
        [
          new FocalLoss({ reduction: 'none', numClasses, alpha: null }),
          new FocalLoss({ reduction: 'none', alpha: null }),
        ],
        [
          new CrossEntropyLoss({ reduction: 'none', numClasses }),
          new CrossEntropyLoss({ reduction: 'none' }),
        ],
      ] as const) {
        const expected = smaller.valueAndGrad(without, inside);
        const soft = dtype.zeros(5 * numClasses);
        inside.forEach((target, i) => {
          soft[i * numClasses + target] = 1;
        });
        for (const given of [inside, soft]) {
          const { value, grad } = criterion.valueAndGrad(masked, given);
          value.forEach((x, i) => {
            expect(Math.abs(x - expected.value[i])).toBeLessThanOrEqual(2 * dtype.bound(2) * x);
          });
          expect([...grad].every(Number.isFinite)).toBe(true);
          for (let i = 0; i < 5; i++) expect(grad[i * numClasses + classes]).toBe(0);
        }
        const onTarget = criterion.forward(logits.with(targets[0], -Infinity), targets);
        expect(onTarget[0]).toBe(Infinity);
      }
    }
  });

  it('sigmoid: -Infinity is a no, for certain', () => {
    const criterion = new SigmoidFocalLoss({ reduction: 'none' });
    const { value, grad } = criterion.valueAndGrad(
      dtype.array([-Infinity, -Infinity]),
      new Uint8Array([0, 1]),
    );
    expect(value[0]).toBe(0);
    expect(grad[0]).toBe(0);
    expect(value[1]).toBe(Infinity);
  });

  it('the gradient is of the kind of the logits, whatever the other arrays are of', () => {
    const { logits } = randomBatch(dtype, 3, 4, 45);
    for (const { criterion, targets } of family(dtype, 3, 4)) {
      const { value, grad } = criterion.valueAndGrad(logits, targets);
      for (const result of [value, grad]) {
        expect(result.constructor).toBe(logits.constructor);
        expect(result.byteLength).toBe(result.buffer.byteLength);
      }
    }
  });
});

describe('a masked class under smoothing, however small its share, makes the value infinite', () => {
  const SHARES = [5e-324, 1e-323, 1e-310, 1e-300, 1e-46, 1e-45, 1e-40, 1e-30, 0.5];
  const ALPHAS = [null, 0.25, [0.5, 0.5, 0.5], [1e-310, 1, 1e-310], new Array(3).fill(5e-324)];
  const options = SHARES.flatMap((labelSmoothing) =>
    ALPHAS.map((alpha) => ({ labelSmoothing, alpha, reduction: 'sum' as const })),
  );
  const losses = options.flatMap(({ alpha, ...others }) => [
    new CrossEntropyLoss({ weight: Array.isArray(alpha) ? alpha : null, ...others }),
    ...[0, 2, 2.3].flatMap((gamma) =>
      (['smoothed', 'target', 'class'] as const).flatMap((focusOn) => [
        new FocalLoss({ alpha, gamma, focusOn, ...others }),
        new PolyFocalLoss({ alpha, gamma, focusOn, ...others }),
      ]),
    ),
  ]);

  it.each([
    [Float32Array, 'one class masked', [0, -Infinity, 1], [0]],
    [Float32Array, 'all but the target', [0, -Infinity, -Infinity], [0]],
    [Float32Array, 'one class of the first row', [0, -Infinity, 1, -1, 2, -3], [2, 1]],
    [Float64Array, 'one class masked', [0, -Infinity, 1], [0]],
    [Float64Array, 'all but the target', [0, -Infinity, -Infinity], [0]],
    [Float64Array, 'one class of the first row', [0, -Infinity, 1, -1, 2, -3], [2, 1]],
  ])('%o: %s', (Floats, _, row, targets) => {
    const logits = Floats.from(row);
    for (const loss of losses) {
      const { value, grad } = loss.valueAndGrad(logits, Uint8Array.from(targets));
      expect(value, JSON.stringify(loss)).toBe(Infinity);
      expect(grad.some(Number.isNaN), JSON.stringify(loss)).toBe(false);
    }
  });

  it.each(['smoothed', 'class'] as const)('a small probability, focus %s', (focusOn) => {
    const loss = new FocalLoss({ focusOn, alpha: [0.25, 0.25, 0.25], numClasses: 3 });
    expect(loss.forward(Float64Array.of(0, -Infinity, 1), Float64Array.of(1, 5e-324, 0))).toBe(
      Infinity,
    );
  });
});

// What the page on numerics says of products that float64 rounds to 0.
it('a product below the range is taken for 0 by SigmoidFocalLoss', () => {
  const x = Float64Array.of(-Infinity);
  const value = (
    options: { alpha: number | null; posWeight?: number; labelSmoothing?: number },
    target: number,
    weight: number,
  ) =>
    new SigmoidFocalLoss({ ...options, gamma: 0, reduction: 'sum' }).forward(
      x,
      Float64Array.of(target),
      { sampleWeights: Float64Array.of(weight) },
    );
  const smoothed = { alpha: null, labelSmoothing: 0.1 };
  expect(value({ ...smoothed, posWeight: 5e-324 }, 0, 1)).toBe(0);
  expect(value({ ...smoothed, posWeight: 1e-321 }, 0, 1)).toBe(Infinity);
  expect(value({ alpha: 1e-200 }, 1, 1e-200)).toBeNaN();
  expect(value({ alpha: 1e-100 }, 1, 1e-200)).toBe(Infinity);
});
