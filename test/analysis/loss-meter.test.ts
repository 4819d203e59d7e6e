import fc from 'fast-check';
import * as main from 'focal-loss';
import {
  allocate,
  CrossEntropyLoss,
  type FloatArray,
  FocalLoss,
  LossMeter,
  type MeterResult,
  type MeterState,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { randomBatch, rowsOf, sum } from '../support/batch.ts';
import { type Dtype, dtypes, float32, float64 } from '../support/dtypes.ts';
import { expectFailure } from '../support/failure.ts';
import { generator } from '../support/random.ts';

const UNITS = 1074n;

/** A finite number in units of the smallest one. */
function unitsOf(x: number): bigint {
  const bits = new BigUint64Array(Float64Array.of(x).buffer)[0];
  const exponent = (bits >> 52n) & 0x7ffn;
  const mantissa = bits & ((1n << 52n) - 1n);
  return exponent === 0n ? mantissa : (mantissa | (1n << 52n)) << (exponent - 1n);
}

/**
 * The number nearest to so many units: of the candidates around a rough guess, the one that is,
 * with an even mantissa in a tie.
 */
function nearest(units: bigint): number {
  const size = BigInt(units.toString(2).length);
  const rough =
    size > 60n
      ? Number(units >> (size - 60n)) * 2 ** Number(size - 60n - UNITS)
      : Number(units) * 2 ** -1074;
  const bits = new BigInt64Array(Float64Array.of(rough).buffer)[0];
  const around = [-1n, 0n, 1n].map(
    (step) => new Float64Array(BigInt64Array.of(bits + step).buffer)[0],
  );
  const off = (x: number) => (unitsOf(x) > units ? unitsOf(x) - units : units - unitsOf(x));
  const isEven = (x: number) => unitsOf(x) % 2n === 0n || unitsOf(x) >> 53n > 0n;
  return around
    .filter((x) => x >= 0)
    .reduce((a, b) => (off(b) < off(a) || (off(b) === off(a) && isEven(b)) ? b : a));
}

/** The exact sum of finite numbers, rounded once. */
const exactSum = (values: Iterable<number>) =>
  nearest(Array.from(values, unitsOf).reduce((a, b) => a + b, 0n));

const perRow = new FocalLoss({ reduction: 'none' });

/** A value as errors show it. */
const show = (value: unknown) =>
  typeof value === 'string' ? JSON.stringify(value) : String(value);

/**
 * A batch with losses of every size: logits that lie up to `spread` apart, a few of them further.
 */
function wild(dtype: Dtype, rows: number, classes: number, seed: number, spread: number) {
  const batch = randomBatch(dtype, rows, classes, seed, spread);
  const random = generator(seed + 1);
  for (let i = 0; i < rows / 8; i++) batch.logits[Math.floor(random() * rows * classes)] *= 20;
  return batch;
}

describe.each(dtypes)('$name', (dtype) => {
  it.each([
    ['losses of about the same size', 1, 0],
    ['losses of many sizes', 8, 1],
    ['losses of all sizes', 60, 2],
  ])('the sum is exact: %s', (_, spread, gamma) => {
    for (const classes of [2, 3, 70]) {
      for (const rows of [1, 2, 3, 4, 5, 127, 128, 131, 4099]) {
        const { logits, targets } = wild(dtype, rows, classes, rows + classes, spread);
        const criterion = perRow.with({ gamma });
        const values = criterion.forward(logits, targets);
        const result = new LossMeter(criterion).update(logits, targets).result();
        const finite = values.filter(Number.isFinite);
        expect(result.infiniteRows).toBe(rows - finite.length);
        if (finite.length === rows) expect(result.sum).toBe(exactSum(values));
        expect(result.rows).toBe(rows);
        expect(result.denominator).toBe(rows);
        expect(result.mean).toBe(result.sum / rows);
      }
    }
  });

  it('the sum is exact for losses up to the largest and down to the smallest number', () => {
    // Weights that no row should have, on rows whose loss is about 1.
    const { largest } = dtype === float32 ? { largest: 2 ** 127 } : { largest: 2 ** 1000 };
    const weights = [
      largest,
      largest / 2 ** 60,
      3e5,
      1023,
      1024,
      1,
      1e-20,
      dtype.smallest,
      dtype.smallest * dtype.epsilon,
      0,
    ];
    const rows = 9 * weights.length;
    const logits = dtype.zeros(2 * rows);
    const targets = new Uint8Array(rows);
    const criterion = new CrossEntropyLoss({ reduction: 'none' });
    for (const taken of [weights, weights.slice(2), weights.slice(5), weights.slice(6)]) {
      const sampleWeights = dtype.array(
        Array.from({ length: rows }, (_, i) => taken[i % taken.length]),
      );
      const values = criterion.forward(logits, targets, { sampleWeights });
      const { sum } = new LossMeter(criterion).update(logits, targets, { sampleWeights }).result();
      expect(sum).toBe(exactSum(values));
    }
  });

  it('any order, any split and any merging give the same result, bit for bit', () => {
    const { logits, targets } = wild(dtype, 500, 3, 11, 30);
    const sampleWeights = dtype.array(Float64Array.from({ length: 500 }, (_, i) => (i % 7) / 4));
    const criterion = new CrossEntropyLoss({
      weight: [0.1, 0.7, 1 / 3],
      ignoreIndex: 2,
      labelSmoothing: 0.1,
    });
    const whole = new LossMeter(criterion).update(logits, targets, { sampleWeights });
    const update = (meter: LossMeter, [start, end]: [number, number]) => {
      const part = rowsOf({ rows: 500, classes: 3, logits, targets }, start, end);
      return meter.update(part.logits, part.targets, {
        sampleWeights: sampleWeights.subarray(start, end),
      });
    };
    const splits = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { maxLength: 12 });
    fc.assert(
      fc.property(
        splits,
        fc.array(fc.nat()),
        fc.integer({ min: 1, max: 4 }),
        (cuts, shuffle, meters) => {
          const edges = [0, ...cuts.sort((a, b) => a - b), 500];
          const parts = edges.slice(1).map((end, i): [number, number] => [edges[i], end]);
          parts.sort(
            (a, b) =>
              (shuffle[a[0] % (shuffle.length || 1)] ?? 0) -
              (shuffle[b[0] % (shuffle.length || 1)] ?? 0),
          );
          const shards = Array.from({ length: meters }, () => new LossMeter(criterion));
          for (const [i, part] of parts.entries()) update(shards[i % meters], part);
          const merged = shards.reverse().reduce((a, b) => a.merge(b));
          expect(merged.result()).toEqual(whole.result());
          expect(merged.toJSON()).toEqual(whole.toJSON());
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([2, 5, 70])('means are those of the losses, of %i classes', (classes) => {
    const { logits, targets } = randomBatch(dtype, 1000, classes, 3);
    const q = dtype.zeros(logits.length);
    for (const [i, target] of targets.entries()) {
      q.fill(0.2 / classes, i * classes, (i + 1) * classes);
      q[i * classes + target] += 0.8;
    }
    const weight = Array.from({ length: classes }, (_, j) => 0.1 + (j % 5) / 3);
    const elements = dtype.array(Array.from(logits, (_, i) => (i % 3) / 2));
    const same = (result: MeterResult, mean: number) => {
      expect(Math.abs(result.mean / mean - 1)).toBeLessThan(1e-14);
    };
    for (const [criterion, aims] of [
      [new FocalLoss(), targets],
      [new FocalLoss({ ignoreIndex: 1, gamma: 0.7, labelSmoothing: 0.2 }), targets],
      [new FocalLoss({ numClasses: classes, focusOn: 'class', alpha: weight }), q],
      [new FocalLoss({ normalizer: 7 }), targets],
      [new CrossEntropyLoss({ weight }), targets],
      [new CrossEntropyLoss({ weight, ignoreIndex: 1, labelSmoothing: 0.1 }), targets],
      [new CrossEntropyLoss({ weight, numClasses: classes }), q],
      [new CrossEntropyLoss({ weight, normalizer: 3 }), targets],
      [new SigmoidFocalLoss({ alpha: null }), elements],
      [new SigmoidFocalLoss({ ignoreIndex: 1, numClasses: classes, posWeight: weight }), elements],
    ] as const) {
      const meter = new LossMeter(criterion).update(logits, aims);
      same(meter.result(), criterion.forward(logits, aims));
      // Everything twice: the mean stays, unless what it divides by is given.
      const twice = meter.update(logits, aims).result();
      same(twice, criterion.forward(logits, aims) * (criterion.normalizer === undefined ? 1 : 2));
    }
  });

  it('NaN and infinite losses are counted, and make sum and mean what they are', () => {
    const logits = dtype.array([0, 1, Number.NaN, 0, 0, -Infinity, 0, 1, Infinity, 0]);
    const targets = new Int8Array([0, 1, 1, 1, 0]);
    const finite = new LossMeter(new FocalLoss())
      .update(logits.slice(0, 2), targets.slice(0, 1))
      .result();
    const infinite = new LossMeter(new FocalLoss())
      .update(logits.slice(4), targets.slice(2))
      .result();
    // +Infinity among the logits is NaN, -Infinity on the target is an infinite loss.
    expect(infinite).toEqual({
      mean: Number.NaN,
      sum: Number.NaN,
      rows: 3,
      denominator: 3,
      nanRows: 1,
      infiniteRows: 1,
    });
    const meter = new LossMeter(new FocalLoss()).update(logits.slice(4, 8), targets.slice(2, 4));
    expect(meter.result()).toMatchObject({
      mean: Infinity,
      sum: Infinity,
      nanRows: 0,
      infiniteRows: 1,
    });
    meter.update(logits, targets);
    expect(meter.result()).toMatchObject({
      mean: Number.NaN,
      sum: Number.NaN,
      rows: 7,
      nanRows: 2,
      infiniteRows: 2,
    });
    // They are nowhere in the sum of the others.
    const { units } = JSON.parse(
      JSON.stringify(new LossMeter(new FocalLoss()).update(logits, targets)),
    ).values;
    const others = new LossMeter(new FocalLoss({ ignoreIndex: 7 }))
      .update(logits, new Int8Array([0, 7, 7, 1, 7]))
      .toJSON().values;
    expect(units).toBe(others.units);
    expect(finite.infiniteRows + finite.nanRows).toBe(0);
  });

  it('arrays of an allocation, of more rows than the tile holds, give the same', () => {
    const { logits, targets } = randomBatch(dtype, 20_000, 2, 9, 20);
    const batch = allocate(20_000, 2, dtype.name as 'float32');
    batch.logits.set(logits as Float32Array);
    batch.targets.set(targets);
    for (const criterion of [
      new FocalLoss(),
      new CrossEntropyLoss({ weight: [0.3, 0.9], ignoreIndex: 0 }),
    ]) {
      const ordinary = new LossMeter(criterion).update(logits, targets).toJSON();
      expect(new LossMeter(criterion).update(batch.logits, batch.targets).toJSON()).toEqual(
        ordinary,
      );
    }
    const sigmoid = new SigmoidFocalLoss({ alpha: [0.2, 0.7], ignoreIndex: 0, numClasses: 2 });
    batch.grad.set(logits.map((x) => (x > 0 ? 1 : 0)) as Float32Array);
    const ordinary = new LossMeter(sigmoid).update(logits, batch.grad.slice()).toJSON();
    expect(new LossMeter(sigmoid).update(batch.logits, batch.grad).toJSON()).toEqual(ordinary);
    batch.dispose();
  });

  it('channels first', () => {
    const { logits, targets } = randomBatch(dtype, 60, 3, 4);
    const first = dtype.zeros(180);
    for (let i = 0; i < 60; i++) {
      const [sample, position] = [Math.floor(i / 30), i % 30];
      for (let j = 0; j < 3; j++) first[(sample * 3 + j) * 30 + position] = logits[i * 3 + j];
    }
    const criterion = new FocalLoss({ layout: 'channels-first', numClasses: 3 });
    const meter = new LossMeter(criterion).update(first, targets, { spatialSize: 30 });
    expect(meter.result()).toEqual(new LossMeter(new FocalLoss()).update(logits, targets).result());
  });
});

it('float32 and float64 batches add up', () => {
  const [a, b] = [randomBatch(float32, 9, 2, 1), randomBatch(float64, 8, 2, 2)];
  const meter = new LossMeter(perRow).update(a.logits, a.targets).update(b.logits, b.targets);
  const values = [...perRow.forward(a.logits, a.targets), ...perRow.forward(b.logits, b.targets)];
  expect(meter.result().sum).toBe(exactSum(values));
});

it('millions of rows are added up without a rounding', () => {
  const rows = 3_000_000;
  const logits = new Float32Array(2 * rows);
  for (let i = 0; i < rows; i++) logits[2 * i] = (i % 100) / 10;
  const targets = new Uint8Array(rows);
  const values = perRow.forward(logits.subarray(0, 200), targets.subarray(0, 100));
  const hundred = Array.from(values, unitsOf).reduce((a, b) => a + b, 0n);
  const { sum: total } = new LossMeter(perRow).update(logits, targets).result();
  expect(total).toBe(nearest(hundred * BigInt(rows / 100)));
  // An ordinary sum in float64 is none: the test can tell.
  let plain = 0;
  for (let i = 0; i < rows; i++) plain += values[i % 100];
  expect(plain).not.toBe(total);
  expect(Math.abs(plain / total - 1)).toBeLessThan(1e-9);
});

it('one logit per row, and several labels', () => {
  const { logits } = randomBatch(float64, 30, 2, 4);
  const targets = Uint8Array.from(logits, (_, i) => (i % 3 === 0 ? 1 : 0));
  const single = new SigmoidFocalLoss({ numClasses: 1 });
  const { mean, rows } = new LossMeter(single).update(logits, targets).result();
  expect(Math.abs(mean / single.forward(logits, targets) - 1)).toBeLessThan(1e-15);
  expect(rows).toBe(60);
  const column = { data: logits, dims: [60, 1] };
  expect(new LossMeter(single).update(column, { data: targets, dims: [60, 1] }).result().mean).toBe(
    mean,
  );
  // Two labels a row, with a weight for each row.
  const multi = new SigmoidFocalLoss({ numClasses: 2, alpha: [0.25, 0.75] });
  const sampleWeights = Float64Array.from({ length: 30 }, (_, i) => i / 30);
  const whole = new LossMeter(multi).update(logits, targets, { sampleWeights });
  const parts = new LossMeter(multi);
  for (const [start, end] of [
    [7, 30],
    [0, 7],
  ] as const) {
    parts.update(logits.subarray(2 * start, 2 * end), targets.subarray(2 * start, 2 * end), {
      sampleWeights: sampleWeights.subarray(start, end),
    });
  }
  expect(parts.toJSON()).toEqual(whole.toJSON());
  expect(whole.result().mean).toBeCloseTo(multi.forward(logits, targets, { sampleWeights }), 14);
});

it('an empty batch adds nothing, and nothing has no mean', () => {
  const meter = new LossMeter(new FocalLoss());
  const nothing = {
    mean: Number.NaN,
    sum: 0,
    rows: 0,
    denominator: 0,
    nanRows: 0,
    infiniteRows: 0,
  };
  expect(meter.result()).toEqual(nothing);
  expect(meter.update(new Float32Array(0), new Int32Array(0)).result()).toEqual(nothing);
  meter.update(new Float32Array(2), new Int32Array(1));
  const before = meter.result();
  expect(meter.update(new Float64Array(0), new Int32Array(0)).result()).toEqual(before);
  const ignored = new LossMeter(new FocalLoss({ ignoreIndex: 0 })).update(
    new Float32Array(2),
    new Int32Array(1),
  );
  expect(ignored.result()).toEqual(nothing);
});

it('JSON loses nothing', () => {
  const { logits, targets } = wild(float64, 300, 4, 5, 200);
  for (const criterion of [
    new FocalLoss({
      alpha: [0.1, 0.2, 0.3, 0.4],
      gamma: 0.1 + 0.2,
      ignoreIndex: 3,
      normalizer: 12.5,
      numClasses: 4,
    }),
    new CrossEntropyLoss({ weight: [1, 2, 1 / 3, 0.1] }),
  ]) {
    const meter = new LossMeter(criterion).update(logits, targets);
    const state: MeterState = JSON.parse(JSON.stringify(meter));
    const back = LossMeter.fromJSON(state);
    expect(back.result()).toEqual(meter.result());
    expect(JSON.stringify(back)).toBe(JSON.stringify(meter));
    expect(back.merge(meter).update(logits, targets).result()).toEqual(
      new LossMeter(criterion)
        .update(logits, targets)
        .update(logits, targets)
        .update(logits, targets)
        .result(),
    );
  }
});

it('losses of the other entry will do, and any reduction', () => {
  const { logits, targets } = randomBatch(float32, 100, 2, 8);
  for (const [theirs, ours] of [
    [new main.FocalLoss({ gamma: 3, reduction: 'none' }), new FocalLoss({ gamma: 3 })],
    [
      new main.CrossEntropyLoss({ weight: [1, 2] }),
      new CrossEntropyLoss({ weight: [1, 2], reduction: 'sum' }),
    ],
  ]) {
    const meter = new LossMeter(theirs).update(logits, targets);
    expect(meter.result()).toEqual(new LossMeter(ours).update(logits, targets).result());
    expect(meter.merge(new LossMeter(ours)).result().rows).toBe(100);
  }
});

describe('errors', () => {
  const targets = new Int32Array([0, 1]);
  const logits = new Float32Array(4);

  it('what is no criterion', () => {
    for (const wrong of [undefined, null, {}, 'FocalLoss']) {
      expect(() => new LossMeter(wrong as unknown as FocalLoss)).toThrow(TypeError);
    }
    expectFailure(
      () => new LossMeter(3 as unknown as FocalLoss),
      TypeError,
      'criterion must be a loss of this package, got 3',
    );
  });

  it('a batch that is refused leaves the meter as it was', () => {
    const meter = new LossMeter(new FocalLoss()).update(logits, targets);
    const before = meter.toJSON();
    // The bad target comes long after rows that have been added.
    const many = new Int32Array(30_000);
    many[29_999] = 2;
    const update = (x: FloatArray, t: Int32Array, options?: object) => () =>
      meter.update(x, t, options);
    const bad = 'targets[29999] must be a class in [0, 2), got 2';
    expectFailure(update(new Float32Array(60_000), many), RangeError, bad);
    expectFailure(
      update(logits, new Int32Array(3)),
      RangeError,
      'logits.length must be a multiple of targets.length, 3, got 4',
    );
    const unknown = 'unknown option "normalizer"; known are numClasses, sampleWeights, spatialSize';
    expectFailure(update(logits, targets, { normalizer: 2 }), TypeError, unknown);
    expect(meter.toJSON()).toEqual(before);
    expect(meter.update(logits, targets).result().rows).toBe(4);
  });

  it('a meter that cannot be merged', () => {
    const meter = new LossMeter(new FocalLoss());
    const wrong = (other: unknown, message: string) =>
      expectFailure(() => meter.merge(other as LossMeter), TypeError, message);
    const expected =
      'other must be a LossMeter (LossMeter.fromJSON makes one of what toJSON returned), got ';
    wrong({}, `${expected}an object`);
    wrong(null, `${expected}null`);
    wrong(meter.toJSON(), `${expected}an object`);
    wrong(structuredClone({ meter }).meter, `${expected}an object`);
    const same = 'other must be for the same loss: ';
    const of = (criterion: ConstructorParameters<typeof LossMeter>[0]) => new LossMeter(criterion);
    wrong(of(new FocalLoss({ gamma: 3 })), `${same}its gamma is 3, here 2`);
    wrong(
      of(new CrossEntropyLoss()),
      `${same}it is for a CrossEntropyLoss, this one for a FocalLoss`,
    );
    wrong(
      of(new FocalLoss({ alpha: [0.1, 0.9], ignoreIndex: -1, focusOn: 'target' })),
      `${same}its alpha is an array of 2, here 0.25; its focusOn is "target", here "smoothed"; its ignoreIndex is -1, here undefined`,
    );
    const weighted = of(new CrossEntropyLoss({ weight: [1, 2, 3] }));
    expectFailure(
      () => weighted.merge(of(new CrossEntropyLoss({ weight: [1, 2.5, 4] }))),
      TypeError,
      `${same}its weight[1] is 2.5, here 2`,
    );
    // Rows beyond what a number can count are not merged, and the meter stays as it was.
    const full = LossMeter.fromJSON({
      ...meter.toJSON(),
      rows: Number.MAX_SAFE_INTEGER,
      denominator: {
        units: (BigInt(Number.MAX_SAFE_INTEGER) << UNITS).toString(16),
        nan: 0,
        infinite: 0,
      },
    });
    const before = full.toJSON();
    const more = of(new FocalLoss()).update(logits, targets);
    expectFailure(
      () => full.merge(more),
      RangeError,
      'other has 2 rows, more than can be counted here',
    );
    expect(full.toJSON()).toEqual(before);
  });

  it('what never was a meter, by the field', () => {
    const state = new LossMeter(new FocalLoss({ alpha: [0.5, 0.25] }))
      .update(logits, targets)
      .toJSON();
    const { values, denominator, options } = state;
    const read = (wrong: unknown) => () => LossMeter.fromJSON(wrong as MeterState);
    for (const wrong of [undefined, null, 7, 'meter', true]) {
      expectFailure(
        read(wrong),
        TypeError,
        `state must be what LossMeter.toJSON returned, got ${show(wrong)}`,
      );
    }
    expectFailure(
      read([]),
      TypeError,
      'state must be what LossMeter.toJSON returned, got an Array',
    );
    expectFailure(read({}), TypeError, 'state.version is missing');
    const wrong = (change: object, kind: ErrorConstructor, message: string) =>
      expectFailure(read({ ...state, ...change }), kind, message);
    const version = 'state.version must be 1, the form that this version of focal-loss reads, got ';
    wrong({ version: 2 }, TypeError, `${version}2`);
    wrong({ version: '1' }, TypeError, `${version}"1"`);
    wrong({ loss: 'toString' }, TypeError, 'state.loss must be the name of a loss, got "toString"');
    wrong(
      { loss: 'x'.repeat(1e6) },
      TypeError,
      `state.loss must be the name of a loss, got "${'x'.repeat(40)}"`,
    );
    for (const given of [undefined, null, 7, 'x']) {
      wrong(
        { options: given },
        TypeError,
        `state.options must be the options of a loss, got ${show(given)}`,
      );
    }
    wrong({ options: [] }, TypeError, 'state.options must be the options of a loss, got an Array');
    wrong({ options: {} }, TypeError, 'state.options.alpha is missing');
    const { gamma: _, ...without } = options as { gamma: number };
    wrong({ options: without }, TypeError, 'state.options.gamma is missing');
    wrong(
      { options: { ...options, gamma: -1 } },
      RangeError,
      'state.options: gamma must be finite and not negative, got -1',
    );
    wrong(
      { options: { ...options, normalizer: null } },
      TypeError,
      'state.options: normalizer must be a number, got null',
    );
    wrong(
      { options: { ...options, reduction: 'mean' } },
      TypeError,
      `state.options.reduction must be 'sum', got "mean"`,
    );
    expect(read({ ...state, options: { ...options, weight: [1, 2] } })).toThrow(
      /^state\.options: unknown option "weight"/,
    );
    wrong({ rows: -1 }, RangeError, 'state.rows must be an integer, not negative, got -1');
    wrong({ rows: 0.5 }, RangeError, 'state.rows must be an integer, not negative, got 0.5');
    wrong(
      { rows: 2 ** 53 },
      RangeError,
      'state.rows must be an integer, not negative, got 9007199254740992',
    );
    wrong({ rows: '2' }, TypeError, 'state.rows must be a number, got "2"');
    wrong(
      { values: undefined },
      TypeError,
      'state.values must be a sum of LossMeter.toJSON, got undefined',
    );
    wrong(
      { denominator: [] },
      TypeError,
      'state.denominator must be a sum of LossMeter.toJSON, got an Array',
    );
    wrong({ values: { nan: 0, infinite: 0 } }, TypeError, 'state.values.units is missing');
    const units = 'state.values.units must be a hexadecimal number';
    wrong({ values: { ...values, units: 7 } }, TypeError, `${units} as a string, got 7`);
    for (const given of ['', 'xyz', '0x1', '-1', '01', 'A', ' 1', '1\n']) {
      wrong(
        { values: { ...values, units: given } },
        RangeError,
        `${units} in lower case, got ${JSON.stringify(given)}`,
      );
    }
    const long = 'state.values.units must have 538 digits or fewer, got 100000000';
    wrong({ values: { ...values, units: 'f'.repeat(1e8) } }, RangeError, long);
    wrong(
      { values: { ...values, nan: -1 } },
      RangeError,
      'state.values.nan must be an integer, not negative, got -1',
    );
    const terms =
      'state.values must have 2 terms or fewer that are not finite, got 2 NaN and 1 infinite';
    wrong({ values: { ...values, nan: 2, infinite: 1 } }, RangeError, terms);
    // All rows are NaN, but there is a sum of others.
    const none = /^state\.values\.units must be the sum of 0 terms of 0 to 1\.797/;
    expect(read({ ...state, values: { ...values, nan: 2 } })).toThrow(none);
    // Two rows can add up to twice the largest number, and no more.
    const most = ((((1n << 53n) - 1n) << (971n + UNITS)) * 2n).toString(16);
    const more = ((((1n << 53n) - 1n) << (971n + UNITS)) * 2n + 1n).toString(16);
    expect(LossMeter.fromJSON({ ...state, values: { ...values, units: most } }).result().sum).toBe(
      Infinity,
    );
    expect(read({ ...state, values: { ...values, units: more } })).toThrow(RangeError);
    const rows = 'state.denominator.units must be the sum of 3 terms of 1, got 2';
    wrong({ rows: 3 }, RangeError, rows);
    wrong(
      { denominator: { ...denominator, nan: 1 } },
      RangeError,
      'state.denominator must have no terms that are not finite, got 1 NaN and 0 infinite',
    );
    expect(JSON.stringify(LossMeter.fromJSON(state))).toBe(JSON.stringify(state));
    const ordinary = LossMeter.fromJSON(new LossMeter(perRow).update(logits, targets).toJSON());
    expect(ordinary.result().sum).toBe(sum(perRow.forward(logits, targets)));
  });

  it('a denominator of weights lies between those of the classes, or of probabilities', () => {
    const criterion = new CrossEntropyLoss({ weight: [0.1, 3] });
    const state = new LossMeter(criterion).update(logits, targets).toJSON();
    const of = (total: number) => () =>
      LossMeter.fromJSON({
        ...state,
        denominator: { ...state.denominator, units: unitsOf(total).toString(16) },
      });
    for (const total of [0.2, 1, 2, 6]) expect(of(total)().result().denominator).toBe(total);
    for (const total of [0, 0.19, 6.1]) {
      expect(of(total)).toThrow(
        /^state\.denominator\.units must be the sum of 2 terms of 0\.1 to 3, got /,
      );
    }
  });
});

it('a meter of another copy of the package merges', async () => {
  const { logits, targets } = randomBatch(float32, 100, 2, 8);
  const url = new URL(import.meta.resolve('focal-loss/analysis'));
  url.search = '?copy';
  const copy: typeof import('focal-loss/analysis') = await import(url.href);
  expect(copy.LossMeter).not.toBe(LossMeter);
  const theirs = new copy.LossMeter(new copy.FocalLoss({ gamma: 3 })).update(logits, targets);
  expect(theirs).not.toBeInstanceOf(LossMeter);
  const ours = new LossMeter(new FocalLoss({ gamma: 3 })).update(logits, targets);
  const twice = new LossMeter(new FocalLoss({ gamma: 3 }))
    .update(logits, targets)
    .update(logits, targets);
  expect(ours.merge(theirs).toJSON()).toEqual(twice.toJSON());
  expectFailure(
    () => new LossMeter(new FocalLoss()).merge(theirs),
    TypeError,
    'other must be for the same loss: its gamma is 3, here 2',
  );
  // The JSON of a version that has another form.
  const later = { update: () => {}, toJSON: () => ({ ...theirs.toJSON(), version: 2 }) };
  expect(() => ours.merge(later as unknown as LossMeter)).toThrow(/^state\.version must be 1, /);
});
