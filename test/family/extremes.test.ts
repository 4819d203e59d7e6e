import {
  type Criterion,
  CrossEntropyLoss,
  type FloatArray,
  FocalLoss,
  SigmoidFocalLoss,
} from 'focal-loss';
import { logSoftmax, predict, softmax, sweep } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { type Dtype, dtypes, float32, float64 } from '../support/dtypes.js';

// Numbers at the ends of their types: logits far from 0 beside masked ones, and options that
// float64 holds and float32 does not.

const CLASSES = [2, 3, 4, 5, 9, 64, 70];

/** Offsets up to the end of a type. */
function offsetsOf({ largest }: Dtype): number[] {
  const sizes = [
    88,
    999,
    1000,
    1001,
    2000,
    2 ** 20,
    2 ** 20 + 1,
    2 ** 22,
    1e9,
    1e30,
    largest / 2,
    largest,
  ];
  return [0, ...sizes.flatMap((size) => [-size, size])];
}

function expectNear(
  actual: ArrayLike<number>,
  expected: readonly number[],
  bound: number,
  what: string,
): void {
  expect(actual.length, what).toBe(expected.length);
  expected.forEach((x, i) => {
    const got = actual[i] as number;
    const isNear = Object.is(got, x) || Math.abs(got - x) <= bound * Math.abs(x);
    expect(isNear, `${what}, ${i}: ${got} instead of ${x}`).toBe(true);
  });
}

describe.each(dtypes)('$name', (dtype) => {
  const CERTAIN = [
    new CrossEntropyLoss(),
    new FocalLoss(),
    new FocalLoss({ gamma: 0.7 }),
    new FocalLoss({ focusOn: 'class' }),
    new FocalLoss({ focusOn: 'target' }),
  ];

  /** Looks at a row with all classes masked but the target. */
  function expectCertain(row: FloatArray, target: number, what: string): void {
    const classes = row.length;
    const oneHot = Array.from(row, (_, j) => (j === target ? 1 : 0));
    const nothing = [0, ...oneHot.map(() => 0)];
    for (const criterion of CERTAIN) {
      const { value, grad } = criterion.valueAndGrad(row, Uint8Array.of(target));
      expect([value, ...grad], what).toEqual(nothing);
    }
    for (const criterion of CERTAIN.slice(0, 4)) {
      const { value, grad } = criterion.valueAndGrad(row, dtype.array(oneHot), {
        numClasses: classes,
      });
      expect([value, ...grad], what).toEqual(nothing);
    }
    expect([...softmax(row, classes)], what).toEqual(oneHot);
    expect([...logSoftmax(row, classes)], what).toEqual(
      oneHot.map((q) => (q === 1 ? 0 : -Infinity)),
    );
    expect(predict(row, classes).confidence[0], what).toBe(1);
    expect([...sweep(row, Uint8Array.of(target), { gamma: [0, 2, 2.7] }).losses], what).toEqual([
      0, 0, 0,
    ]);
    // The share of the masked classes makes a smoothed row infinite.
    for (const focusOn of ['smoothed', 'target', 'class'] as const) {
      const smoothed = new FocalLoss({ focusOn, labelSmoothing: 0.1 });
      const { value, grad } = smoothed.valueAndGrad(row, Uint8Array.of(target));
      expect(value, `${what}, ${focusOn}`).toBe(Infinity);
      expect(grad.some(Number.isNaN), `${what}, ${focusOn}`).toBe(false);
      if (focusOn === 'target') expect([...grad], what).toEqual(nothing.slice(1));
    }
  }

  it('a row with every class masked but its target is certain, wherever that lies', () => {
    for (const classes of CLASSES) {
      for (const offset of offsetsOf(dtype)) {
        for (const target of [0, classes - 1]) {
          const row = dtype.array(
            Array.from({ length: classes }, (_, j) => (j === target ? offset : -Infinity)),
          );
          expectCertain(row, target, `${classes} classes, offset ${offset}`);
        }
      }
    }
  });

  it('one such row leaves the others of its batch alone', () => {
    for (const classes of CLASSES) {
      const rows = 11;
      const plain = dtype.array(Array.from({ length: rows * classes }, (_, i) => Math.sin(i)));
      const masked = plain.slice();
      masked.fill(-Infinity, 4 * classes, 5 * classes);
      masked[4 * classes] = -3e6;
      const criterion = new FocalLoss({ reduction: 'none' });
      const targets = new Uint8Array(rows);
      const [expected, actual] = [
        criterion.valueAndGrad(plain, targets),
        criterion.valueAndGrad(masked, targets),
      ];
      expected.value[4] = 0;
      expected.grad.fill(0, 4 * classes, 5 * classes);
      expect(actual).toEqual(expected);
    }
  });

  it('smoothed rows of logits near the end of the type', () => {
    for (const classes of CLASSES) {
      const size = dtype.largest / 4;
      const row = dtype.array(Array.from({ length: classes }, (_, j) => (j === 0 ? size : -size)));
      const criterion = new CrossEntropyLoss({ labelSmoothing: 0.1 });
      const { value, grad } = criterion.valueAndGrad(row, Uint8Array.of(0));
      const rest = (0.1 * (classes - 1)) / classes;
      expectNear([value], [2 * rest * size], dtype.bound(0), `${classes} classes`);
      expectNear(
        grad,
        [rest, ...Array(classes - 1).fill(-0.1 / classes)],
        2 * dtype.bound(0),
        `${classes} classes`,
      );
    }
  });

  it('an upstream gradient up to the end of the type', () => {
    for (const classes of CLASSES) {
      for (const gradOutput of [
        1e-27,
        1e27,
        1e36,
        dtype.largest / 4,
        dtype.largest,
        -dtype.largest,
      ]) {
        const criterion = new FocalLoss({ alpha: null, gamma: 0 });
        const row = dtype.array(Array(classes).fill(0));
        const grad = criterion.backward(row, Uint8Array.of(0), { gradOutput });
        const each = gradOutput / classes;
        expectNear(
          grad,
          [each * (1 - classes), ...Array(classes - 1).fill(each)],
          2 * dtype.bound(0),
          `${gradOutput}`,
        );
        const perRow = criterion.with({ reduction: 'none' });
        const factors = Float64Array.of(gradOutput);
        expectNear(
          perRow.backward(row, Uint8Array.of(0), { gradOutput: factors }),
          [...grad],
          dtype.bound(0),
          'each',
        );
      }
    }
  });

  it('an upstream gradient up to the end of the type, in every loss, is a factor', () => {
    const logits = dtype.array([0, 1, -2, 3, 30, -30, 0.5, -9, 2, 4, -1, 0]);
    const yes = dtype.array([1, 0, 1, 0.3, 0, 1, 0.5, 0, 0.9, 1, 0, 0.1]);
    const soft = dtype.array(Array(12).fill(1 / 3));
    const targets = Uint8Array.of(0, 1, 2, 1);
    // A power of two, so that it rounds nothing: the largest there is.
    const gradOutput = 2 ** Math.floor(Math.log2(dtype.largest) - 0.5);

    function expectFactor(
      criterion: Criterion,
      aims: Uint8Array | FloatArray,
      gamma: number,
    ): void {
      const plain = criterion.backward(logits, aims, { gradOutput: 2 ** -20 });
      const grad = criterion.backward(logits, aims, { gradOutput });
      plain.forEach((g, i) => {
        const expected = g * 2 ** 20 * gradOutput;
        if (Math.abs(expected) > dtype.largest || Math.abs(g) < dtype.smallest) return;
        const off = Math.abs((grad[i] as number) - expected);
        expect(off, `${grad[i]}, ${expected}`).toBeLessThanOrEqual(
          8 * dtype.bound(gamma) * Math.abs(expected),
        );
      });
      expect(grad.some(Number.isNaN)).toBe(false);
    }

    for (const gamma of [0, 0.5, 1, 2, 2.7, 8]) {
      for (const labelSmoothing of [0, 0.1]) {
        const settings = {
          gamma,
          labelSmoothing,
          alpha: null,
          numClasses: 3,
          reduction: 'sum',
        } as const;
        const smoothed = new FocalLoss(settings);
        expectFactor(new SigmoidFocalLoss({ ...settings, posWeight: 3 }), yes, gamma);
        expectFactor(smoothed, targets, gamma);
        expectFactor(smoothed, soft, gamma);
        expectFactor(smoothed.with({ focusOn: 'target' }), targets, gamma);
        expectFactor(smoothed.with({ focusOn: 'class' }), soft, gamma);
      }
    }
  });

  it('a value does not depend on what its gradient is multiplied with', () => {
    const logits = dtype.array(Array.from({ length: 60 }, (_, i) => 4 * Math.sin(i)));
    const targets = Uint8Array.from({ length: 20 }, (_, i) => i % 3);
    const yes = dtype.array(Array.from({ length: 60 }, (_, i) => (i % 5) / 4));
    const each = Float64Array.from({ length: 60 }, (_, i) => (i === 3 ? 1e39 : 1));

    function expectSame(criterion: Criterion, aims: Uint8Array | FloatArray, count: number): void {
      const arrays = criterion.reduction === 'none' ? [each.subarray(0, count)] : [];
      for (const gradOutput of [1e39, 3e38, 1e-46, ...arrays]) {
        for (const normalizer of [undefined, 1e-50, 1e50]) {
          const { value, grad } = criterion.valueAndGrad(logits, aims, { normalizer, gradOutput });
          expect(value).toEqual(criterion.forward(logits, aims, { normalizer }));
          expect(grad).toEqual(criterion.backward(logits, aims, { normalizer, gradOutput }));
        }
      }
    }

    for (const reduction of ['mean', 'sum', 'none'] as const) {
      expectSame(new FocalLoss({ reduction }), targets, 20);
      expectSame(new CrossEntropyLoss({ reduction, weight: [1, 2, 3] }), targets, 20);
      expectSame(new SigmoidFocalLoss({ reduction }), yes, 60);
    }
  });

  it('weights of any size have a mean, also where their sum is infinite', () => {
    const logits = dtype.array(Array.from({ length: 60 }, (_, i) => 4 * Math.sin(i)));
    const targets = Uint8Array.from({ length: 20 }, (_, i) => i % 3);
    const relative = [
      [1, 1, 1],
      [1, 0.5, 0.25],
      [0.125, 1, 0],
    ];
    for (const labelSmoothing of [0, 0.1]) {
      for (const size of [2 ** 1023, 2 ** 1000, 2 ** 513, 2 ** -1000]) {
        for (const weight of relative) {
          const plain = new CrossEntropyLoss({ weight, labelSmoothing });
          const criterion = plain.with({ weight: weight.map((w) => w * size) });
          const expected = plain.valueAndGrad(Float64Array.from(logits), targets);
          const { value, grad } = criterion.valueAndGrad(logits, targets);
          expectNear([value], [expected.value], 1e-14, `${size}`);
          expectNear(grad, [...dtype.array(expected.grad)], dtype.bound(0), `${size}`);
          expect(criterion.forward(logits, targets)).toBe(value);
          expect(criterion.backward(logits, targets)).toEqual(grad);
        }
      }
    }
  });

  it('a normalizer of any size divides what there is to divide', () => {
    for (const normalizer of [1e-310, 5e-324, 1e-300, 1e300, 1e-46, 1e46]) {
      const criterion = new FocalLoss({ normalizer });
      const { value, grad } = criterion.valueAndGrad(
        dtype.array([2000, 0, -2000, -Infinity]),
        new Uint8Array(2),
      );
      expect([value, ...grad]).toEqual([0, 0, 0, 0, 0]);
      const sigmoid = new SigmoidFocalLoss({ normalizer });
      expect([...sigmoid.backward(dtype.array([2000, -2000]), Uint8Array.of(1, 0))]).toEqual([
        0, 0,
      ]);
    }
    // 2 ** -1040 is divided by a number that is as small.
    const tiny = new CrossEntropyLoss({ normalizer: 2 ** -1040 });
    const sampleWeights = Float64Array.of(2 ** -1000);
    const { value, grad } = tiny.valueAndGrad(dtype.array([0, 0]), Uint8Array.of(0), {
      sampleWeights,
    });
    expectNear(
      [value, ...grad],
      [Math.log(2) * 2 ** 40, -(2 ** 39), 2 ** 39],
      dtype.bound(0),
      'normalizer',
    );
  });

  it('a gamma of any size is one, for all classes or each', () => {
    const batch = [dtype.array([2, 0, 0, 3]), new Uint8Array(2)] as const;
    for (const gamma of [1e20, 1e30, 1e39, 1e308]) {
      const expected = new FocalLoss({ gamma }).valueAndGrad(...batch);
      expect(new FocalLoss({ gamma: [gamma, gamma] }).valueAndGrad(...batch)).toEqual(expected);
      expect([expected.value, ...expected.grad]).toEqual([0, 0, 0, 0, 0]);
    }
  });

  it('the least smoothing is one', () => {
    for (const labelSmoothing of [1e-25, 1e-46, 1e-300, 5e-324]) {
      for (const classes of CLASSES) {
        const row = dtype.array(Array.from({ length: classes }, (_, j) => (j === 0 ? 50 : -50)));
        for (const criterion of [
          new CrossEntropyLoss({ labelSmoothing }),
          new FocalLoss({ labelSmoothing }),
        ]) {
          const plain = criterion.with({ labelSmoothing: 0 }).valueAndGrad(row, Uint8Array.of(1));
          const { value, grad } = criterion.valueAndGrad(row, Uint8Array.of(1));
          expectNear(
            [value, grad[0] as number],
            [plain.value, plain.grad[0] as number],
            2 * dtype.bound(2),
            'value',
          );
          const certain = criterion.valueAndGrad(
            dtype.array([3000, ...Array(classes - 1).fill(0)]),
            Uint8Array.of(0),
          );
          expect([certain.value, ...certain.grad].some((x) => Object.is(x, -0))).toBe(false);
          const masked = dtype.array([0, ...Array(classes - 1).fill(-Infinity)]);
          expect(criterion.forward(masked, Uint8Array.of(0))).toBe(Infinity);
        }
      }
      const sigmoid = new SigmoidFocalLoss({ labelSmoothing });
      expect(sigmoid.forward(dtype.array([-Infinity]), Uint8Array.of(0))).toBe(Infinity);
    }
  });

  it('alpha weighs a row of probabilities by their sum, also where every class weighs 1', () => {
    const [logits, soft] = [dtype.array([2, 1, -1, 3]), dtype.array([0.5, 0.5009, 0.3, 0.6993])];
    const criterion = new FocalLoss({ numClasses: 2, reduction: 'none' });
    for (const labelSmoothing of [0, 0.1, 1]) {
      const plain = criterion.with({ alpha: null, labelSmoothing }).valueAndGrad(logits, soft);
      expect(criterion.with({ alpha: [1, 1], labelSmoothing }).valueAndGrad(logits, soft)).toEqual(
        plain,
      );
      const half = criterion.with({ alpha: 0.5, labelSmoothing }).valueAndGrad(logits, soft);
      expectNear(
        half.value,
        [...plain.value].map((x) => x / 2),
        0,
        'alpha 1/2',
      );
      const { rows } = sweep(logits, soft, {
        numClasses: 2,
        alpha: [null, [1, 1]],
        labelSmoothing: [labelSmoothing],
      });
      const total = criterion
        .with({ alpha: null, labelSmoothing, reduction: 'mean' })
        .forward(logits, soft);
      for (const { loss } of rows) expectNear([loss], [total], dtype.bound(2), 'sweep');
    }
  });

  it('a sweep says of infinite rows what the losses say', () => {
    const logits = dtype.array([2, -Infinity, 1, 2]);
    const soft = dtype.array([0.5, 0.5, 0.25, 0.75]);
    const alpha = [0, 0.3, 1, null, [0, 1], [1, 0]];
    for (const targets of [
      soft,
      dtype.array([1, 0, 0.25, 0.75]),
      dtype.array([0, 1, 0.25, 0.75]),
      Uint8Array.of(1, 0),
    ]) {
      for (const { loss, ...setting } of sweep(logits, targets, {
        numClasses: 2,
        alpha,
        gamma: [0, 2],
      }).rows) {
        const { alpha, gamma } = setting;
        const expected = new FocalLoss({ numClasses: 2, alpha, gamma }).forward(logits, targets);
        if (Number.isFinite(expected))
          expectNear([loss], [expected], dtype.bound(gamma), JSON.stringify(setting));
        else expect(loss, JSON.stringify(setting)).toBe(expected);
      }
    }
    expect(sweep(logits, soft, { numClasses: 2, alpha: [0] }).losses[0]).toBe(Infinity);
  });
});

// Numbers that float32 does not hold are computed in float64, whatever the logits are, and so give
// what float64 logits give.
describe('numbers beyond float32', () => {
  const logits = [1, 2, 3, 4, 0.5, -2, 30, -30];
  const soft = [0.5, 0.5, 0.25, 0.75, 1, 0, 0.5, 0.5];
  const targets = Uint8Array.of(0, 1, 1, 0);

  /** Both kinds of logits, and the second's result as the first would hold it. */
  function expectSame(
    run: (dtype: Dtype) => { value: number | ArrayLike<number>; grad: ArrayLike<number> },
  ): void {
    const [single, double] = [run(float32), run(float64)];
    const list = (x: number | ArrayLike<number>) => (typeof x === 'number' ? [x] : Array.from(x));
    const rounded = (x: number) => Math.fround(x) + 0;
    if (typeof double.value === 'number')
      expectNear(list(single.value), list(double.value), 1e-15, 'value');
    else expectNear(list(single.value), list(double.value).map(rounded), 0, 'value');
    expectNear(single.grad, list(double.grad).map(rounded), 0, 'gradient');
    expect(list(single.grad).some(Number.isNaN)).toBe(false);
  }

  it.each([1e39, 1e-46, 1e300, 1e-300])('weights of %d', (size) => {
    for (const reduction of ['mean', 'sum', 'none'] as const) {
      for (const weights of [
        [size, size],
        [size, 1],
        [1, size],
        [2 * size, 0],
      ]) {
        for (const labelSmoothing of [0, 0.1]) {
          const options = { reduction, labelSmoothing, numClasses: 2 };
          expectSame((dtype) => {
            return new CrossEntropyLoss({ ...options, weight: weights }).valueAndGrad(
              dtype.array(logits),
              targets,
            );
          });
          expectSame((dtype) => {
            return new CrossEntropyLoss({ ...options, weight: weights }).valueAndGrad(
              dtype.array(logits),
              dtype.array(soft),
            );
          });
          expectSame((dtype) =>
            new FocalLoss({ ...options, alpha: weights }).valueAndGrad(
              dtype.array(logits),
              targets,
            ),
          );
          expectSame((dtype) => {
            const criterion = new SigmoidFocalLoss({
              reduction,
              labelSmoothing,
              numClasses: 2,
              posWeight: weights,
            });
            return criterion.valueAndGrad(dtype.array(logits), dtype.array(soft));
          });
        }
      }
    }
  });

  it('equal weights of any size leave the mean as it is', () => {
    for (const size of [1e39, 1e-46, 1e300, 1e-300]) {
      const batch = [Float32Array.from(logits), targets] as const;
      const { value, grad } = new CrossEntropyLoss({ weight: [size, size] }).valueAndGrad(...batch);
      const expected = new CrossEntropyLoss().valueAndGrad(...batch);
      expectNear(
        [value, ...grad],
        [expected.value, ...expected.grad],
        2 * float32.bound(0),
        `${size}`,
      );
    }
  });

  it.each([1e39, 1e-46, 1e150])(
    'sample weights, upstream gradients and normalizers of %d',
    (size) => {
      const perRow = Float64Array.of(size, 1, 2 * size, 0);
      for (const options of [
        { sampleWeights: perRow },
        { normalizer: size },
        { sampleWeights: perRow, normalizer: size },
        { gradOutput: size, normalizer: size * size },
      ]) {
        expectSame((dtype) => new FocalLoss().valueAndGrad(dtype.array(logits), targets, options));
        const buffer = Float32Array.from(logits);
        const { grad } = new FocalLoss().valueAndGrad(Float32Array.from(logits), targets, {
          ...options,
          grad: buffer,
        });
        expect(grad).toBe(buffer);
        expect([...grad]).toEqual([
          ...new FocalLoss().backward(Float32Array.from(logits), targets, options),
        ]);
      }
      // The value has no part in an upstream gradient, and stays float32's.
      const each = new FocalLoss({ reduction: 'none' });
      expectSame((dtype) => {
        const { grad } = each.valueAndGrad(dtype.array(logits), targets, { gradOutput: perRow });
        return { value: [], grad };
      });
    },
  );

  it.each([1e-39, 1e-46, 1e-300])('an alpha of %d', (alpha) => {
    for (const normalizer of [alpha, 1]) {
      const given = { alpha, normalizer };
      expectSame((dtype) => new FocalLoss(given).valueAndGrad(dtype.array(logits), targets));
      expectSame((dtype) =>
        new SigmoidFocalLoss(given).valueAndGrad(dtype.array(logits), dtype.array(soft)),
      );
      const sums = [float32, float64].map((dtype) =>
        sweep(dtype.array(logits), targets, { alpha: [alpha], normalizer }),
      );
      expectNear(sums[0]?.losses ?? [], [...(sums[1]?.losses ?? [])], 1e-14, 'sweep');
    }
  });

  it('a bad target far into the batch leaves the buffer as it was', () => {
    const rows = 40_000;
    const indices = new Int32Array(rows).with(rows - 1, 7);
    const grad = new Float32Array(2 * rows).fill(9);
    const call = () =>
      new FocalLoss({ normalizer: 1e-300 }).backward(new Float32Array(2 * rows), indices, { grad });
    expect(call).toThrow(RangeError);
    expect(grad.every((x) => x === 9)).toBe(true);
  });
});
