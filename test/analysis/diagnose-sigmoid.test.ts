import { FocalLoss, SigmoidFocalLoss, type SigmoidFocalLossOptions } from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import {
  CrossEntropyLoss,
  compareLosses,
  type Diagnosis,
  diagnose,
  sweep,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { randomBatch, sum } from '../support/batch.js';
import { dtypes, float32, float64 } from '../support/dtypes.js';

const at = (value: number | readonly number[], column: number) =>
  typeof value === 'number' ? value : value[column];

interface Options {
  alpha: number | number[] | null;
  gamma: number;
  posWeight: number | number[];
  labelSmoothing: number;
}

/**
 * All of it in plain loops, from the loss's definition. Logit `i` counts unless its target is -1.
 */
function naive(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  columns: number,
  options: Options,
) {
  const { gamma, labelSmoothing } = options;
  const counted = Array.from(logits, (x, i) => {
    const given = targets[i];
    const column = i % columns;
    const y = given * (1 - labelSmoothing) + labelSmoothing / 2;
    const s = 1 / (1 + Math.exp(-x));
    const [yes, no] = [Math.log1p(Math.exp(-x)), Math.log1p(Math.exp(x))];
    const n = y * (1 - s) + (1 - y) * s;
    const positive = at(options.posWeight, column);
    const alpha = options.alpha === null ? undefined : at(options.alpha, column);
    const a = alpha === undefined ? 1 : alpha * y + (1 - alpha) * (1 - y);
    const entropy = y * yes + (1 - y) * no;
    const weighted = y * positive * yes + (1 - y) * no;
    const slope = (1 - y) * s - y * positive * (1 - s);
    const dn = (1 - 2 * y) * s * (1 - s);
    const grad =
      a * (n ** gamma * slope + (gamma === 0 ? 0 : gamma * n ** (gamma - 1) * dn * weighted));
    const value = a * n ** gamma * weighted;
    const label = given > 0.5 ? 1 : 0;
    return {
      i,
      given,
      column,
      label,
      value,
      entropy,
      size: Math.abs(grad),
      factor: n ** gamma,
      p: Math.max(s, 1 - s),
    };
  })
    .filter(({ given }) => given !== -1)
    .map((one) => ({ ...one, right: logits[one.i] > 0 === (one.label === 1) }));
  const total = sum(counted.map(({ value }) => value));
  const sizes = sum(counted.map(({ size }) => size));
  const weights = counted.map(({ value, entropy }) => value / entropy);
  const group = (own: typeof counted) => ({
    rows: own.length,
    accuracy: own.filter(({ right }) => right).length / own.length,
    lossShare: sum(own.map(({ value }) => value)) / total,
    gradientShare: sum(own.map(({ size }) => size)) / sizes,
  });
  return {
    rows: counted.length,
    mean: total / counted.length,
    hard: counted
      .filter(({ value }) => value > total / counted.length)
      .sort((a, b) => b.value - a.value || a.i - b.i)
      .map(({ i }) => i),
    confidence: sum(counted.map(({ p }) => p)) / counted.length,
    classes: [0, 1].map((label) => group(counted.filter((one) => one.label === label))),
    columns: Array.from({ length: columns }, (_, j) =>
      group(counted.filter(({ column }) => column === j)),
    ),
    positives: Array.from(
      { length: columns },
      (_, j) => counted.filter(({ column, label }) => column === j && label === 1).length,
    ),
    focalWeight: sum(counted.map(({ factor }) => factor)) / counted.length,
    effectiveSampleSize: sum(weights) ** 2 / sum(weights.map((weight) => weight ** 2)),
  };
}

function compare(actual: Diagnosis, expected: ReturnType<typeof naive>, tolerance: number): void {
  const near = (a: number, b: number) =>
    expect(Math.abs(a - b)).toBeLessThanOrEqual(tolerance * Math.abs(b));
  expect(actual.rows).toBe(expected.rows);
  near(actual.loss.mean, expected.mean);
  near(actual.confidence.mean, expected.confidence);
  expect([...actual.hard.rows]).toEqual(expected.hard);
  near(actual.focalWeight, expected.focalWeight);
  near(actual.effectiveSampleSize, expected.effectiveSampleSize);
  const { columns = [] } = actual;
  const groups = [...actual.classes, ...columns];
  const wanted = [...expected.classes, ...expected.columns].slice(0, groups.length);
  for (const [k, one] of groups.entries()) {
    expect(one.rows).toBe(wanted[k].rows);
    near(one.accuracy, wanted[k].accuracy);
    near(one.lossShare, wanted[k].lossShare);
    near(one.gradientShare, wanted[k].gradientShare);
  }
  if (columns.length > 0)
    expect(columns.map(({ positives }) => positives)).toEqual(expected.positives);
}

describe.each(dtypes)('$name', (dtype) => {
  const { logits } = randomBatch(dtype, 60, 4, 61, 3);
  const targets = Int8Array.from(logits, (x, k) =>
    k % 11 === 5 ? -1 : x + 2 * Math.sin(k) > 0.5 ? 1 : 0,
  );

  it.each<[number, Options]>([
    [1, { alpha: 0.25, gamma: 2, posWeight: 1, labelSmoothing: 0 }],
    [1, { alpha: null, gamma: 0, posWeight: 3, labelSmoothing: 0 }],
    [4, { alpha: 0.75, gamma: 1.5, posWeight: 2, labelSmoothing: 0.1 }],
    [4, { alpha: [0.1, 0.5, 0.9, 0.25], gamma: 2, posWeight: [1, 2, 0.5, 4], labelSmoothing: 0 }],
  ])('agrees with plain loops: %i columns, %j', (columns, options) => {
    const criterion = new SigmoidFocalLoss({ ...options, ignoreIndex: -1, numClasses: columns });
    const actual = diagnose(logits, targets, criterion);
    expect(actual.columns?.length).toBe(columns === 1 ? undefined : columns);
    compare(actual, naive(logits, targets, columns, options), dtype === float32 ? 4e-6 : 1e-12);
  });

  it('agrees with plain loops on targets in between', () => {
    const soft = dtype.array(
      Array.from(targets, (y, k) => (y === -1 ? -1 : 0.8 * y + (0.2 * (k % 7)) / 7)),
    );
    const options = { alpha: 0.25, gamma: 2, posWeight: 2, labelSmoothing: 0 };
    const actual = diagnose(logits, soft, new SigmoidFocalLoss({ ...options, ignoreIndex: -1 }), {
      numClasses: 4,
    });
    compare(actual, naive(logits, soft, 4, options), dtype === float32 ? 4e-6 : 1e-12);
  });

  it('sees the same in one part and in many', () => {
    const many = 3 * 2 ** 18;
    const long = dtype.array(Array.from({ length: many }, (_, k) => logits[k % 240]));
    const labels = Int8Array.from({ length: many }, (_, k) => targets[k % 240]);
    const criterion = new SigmoidFocalLoss({
      alpha: [0.1, 0.5, 0.9],
      posWeight: [1, 2, 3],
      ignoreIndex: -1,
      numClasses: 3,
    });
    const actual = diagnose(long, labels, criterion);
    const losses = criterion.with({ reduction: 'none' }).forward(long, labels);
    const count = labels.filter((label) => label !== -1).length;
    expect(actual.rows).toBe(count);
    expect(Math.abs(actual.loss.mean - sum(losses) / count)).toBeLessThanOrEqual(
      1e-12 * actual.loss.mean,
    );
    actual.columns?.forEach(({ lossShare }, j) => {
      const own = sum(losses.filter((_, k) => k % 3 === j));
      expect(Math.abs(lossShare - own / sum(losses))).toBeLessThanOrEqual(1e-12);
    });
    expect(actual.hard.rows.at(-1)).toBeLessThan(many);
  });
});

const { logits } = randomBatch(float64, 40, 2, 62, 2);
const targets = Uint8Array.from(logits, (x, k) => (x + Math.cos(k) > 0 ? 1 : 0));

describe('one logit per row', () => {
  const pairs = Float64Array.from({ length: 160 }, (_, k) =>
    k % 2 === 1 ? logits[(k - 1) / 2] : 0,
  );

  it.each([
    new FocalLoss(),
    new FocalLoss({ gamma: 0, alpha: 0.9, labelSmoothing: 0.1 }),
    new CrossEntropyLoss({ weight: [1, 3] }),
  ])(
    'is for a loss on softmax as two classes, of which the first has the logit 0 %#',
    (criterion) => {
      const { focalWeight, effectiveSampleSize, advice, ...rest } = diagnose(
        logits,
        targets,
        criterion,
      );
      const ofPairs = diagnose(pairs, targets, criterion);
      expect(ofPairs).toMatchObject(rest);
      expect(focalWeight).toBeCloseTo(ofPairs.focalWeight, 13);
      expect(effectiveSampleSize).toBeCloseTo(ofPairs.effectiveSampleSize, 10);
      expect(advice.map(({ code }) => code)).toEqual(ofPairs.advice.map(({ code }) => code));
      expect(diagnose(logits, targets, criterion, { numClasses: 1 })).toEqual(
        diagnose(logits, targets, criterion),
      );
    },
  );

  it.each([new FocalLoss(), new CrossEntropyLoss()])(
    'may have labels in any form that a loss takes %#',
    (criterion) => {
      const expected = diagnose(logits, targets, criterion);
      const dims = [logits.length, 1];
      const column = Array.from(logits, (logit) => [logit]);
      const list = Array.from(targets);
      const floats = Float32Array.from(targets);
      const labels = [
        list,
        list.map(Boolean),
        list.map((label) => [label]),
        floats,
        { data: floats, dims },
      ];
      for (const given of [column, { data: logits, dims }]) {
        for (const y of labels) {
          expect(diagnose(given, y, criterion)).toEqual(expected);
          expect(compareLosses(given, y, { criterion })[0].value).toBe(expected.loss.mean);
        }
      }
      for (const y of labels)
        expect(diagnose(logits, y, criterion, { numClasses: 1 })).toEqual(expected);
      const ignoring = criterion.with({ ignoreIndex: -1 });
      const first = Float64Array.from(targets, (label, row) => (row === 0 ? -1 : label));
      expect(diagnose(column, first, ignoring)).toEqual(
        diagnose(logits, Int8Array.from(first), ignoring),
      );
    },
  );

  it('is swept as a sigmoid loss, whose smoothing is another than that of a softmax', () => {
    const options = { alpha: 0.1, gamma: 0, labelSmoothing: 0.1 };
    const [swept] = sweep(logits, targets, options).losses;
    expect(swept).toBeCloseTo(new SigmoidFocalLoss(options).forward(logits, targets), 13);
    const ofPairs = new FocalLoss(options).forward(pairs, targets);
    expect(Math.abs(swept - ofPairs)).toBeGreaterThan(1e-3);
    // Here alpha is of the target class, there of the smoothed target; 1/2 makes no difference.
    const even = { ...options, alpha: 0.5 };
    expect(sweep(logits, targets, even).losses[0]).toBeCloseTo(
      new FocalLoss(even).forward(pairs, targets),
      13,
    );
    // Under focus, what is taken for the probability differs as well.
    const focused = { ...even, gamma: 2 };
    const difference =
      sweep(logits, targets, focused).losses[0] - new FocalLoss(focused).forward(pairs, targets);
    expect(Math.abs(difference)).toBeGreaterThan(1e-3);
    const hard = { ...options, gamma: 2, labelSmoothing: 0 };
    expect(sweep(logits, targets, hard).losses[0]).toBeCloseTo(
      new FocalLoss(hard).forward(pairs, targets),
      13,
    );
  });

  it('is to both kinds of focal loss the same', () => {
    const softmax = diagnose(logits, targets, new FocalLoss({ alpha: 0.25 }));
    const sigmoid = diagnose(logits, targets, new SigmoidFocalLoss({ alpha: 0.25 }));
    expect(sigmoid.loss.mean).toBeCloseTo(softmax.loss.mean, 14);
    expect(sigmoid.confidence).toEqual(softmax.confidence);
    sigmoid.classes.forEach((one, j) => {
      expect(one.gradientShare).toBeCloseTo(softmax.classes[j].gradientShare, 12);
    });
  });

  it('may be compared', () => {
    const [focal, sigmoid, plain] = compareLosses(logits, targets, {
      focal: new FocalLoss({ alpha: 0.25 }),
      sigmoid: new SigmoidFocalLoss({ alpha: 0.25 }),
      plain: new SigmoidFocalLoss({ alpha: null, gamma: 0 }),
    });
    expect(sigmoid.value).toBeCloseTo(focal.value, 14);
    expect(sigmoid.report).toBe(focal.report);
    expect(plain.value).toBeCloseTo(plain.report.logLoss, 14);
    expect(plain.report.accuracy).toBe(diagnose(logits, targets, new FocalLoss()).accuracy);
  });
});

it('takes the losses of every entry, and tensors, whose shape says how many columns there are', () => {
  const options: SigmoidFocalLossOptions = { alpha: 0.4 };
  const shape = [20, 4];
  const expected = diagnose(logits, targets, new SigmoidFocalLoss(options), { numClasses: 4 });
  expect(expected.columns).toHaveLength(4);
  expect(
    diagnose({ data: logits, shape }, { data: targets, shape }, new SigmoidFocalLoss(options)),
  ).toEqual(expected);
  expect(
    diagnose(logits, targets, new analysis.SigmoidFocalLoss({ ...options, numClasses: 4 })),
  ).toEqual(expected);
});

it('has as its floor the least loss there is without focus, and else none', () => {
  const floorOf = (options: SigmoidFocalLossOptions, y: ArrayLike<number> = targets) =>
    diagnose(logits, y as Float64Array, new SigmoidFocalLoss({ numClasses: 2, ...options })).floor;
  expect(floorOf({})).toBe(0);
  expect(floorOf({ labelSmoothing: 0.1 })).toBeNaN();
  const soft = Float64Array.from(targets, (y) => 0.2 + 0.6 * y);
  expect(floorOf({}, soft)).toBeNaN();
  for (const options of [
    { alpha: 0.25, posWeight: 3, labelSmoothing: 0.1 },
    { alpha: null, posWeight: [1, 5] },
    { alpha: [0.1, 0.8], labelSmoothing: 0.3 },
  ]) {
    const criterion = new SigmoidFocalLoss({ gamma: 0, numClasses: 2, ...options });
    // Where the derivative is 0: s / (1 - s) = posWeight * y / (1 - y).
    const best = soft.map((given, k) => {
      const y = given * (1 - criterion.labelSmoothing) + criterion.labelSmoothing / 2;
      return Math.log((at(criterion.posWeight, k % 2) * y) / (1 - y));
    });
    const { floor, loss } = diagnose(best, soft, criterion);
    expect(floor).toBeGreaterThan(0);
    expect(floor).toBeCloseTo(loss.mean, 14);
    expect(floorOf({ gamma: 0, ...options }, soft)).toBe(floor);
  }
});

it('may have no rows, or none that are finite', () => {
  const empty = diagnose(new Float32Array(0), new Uint8Array(0), new SigmoidFocalLoss());
  expect(empty).toMatchObject({
    rows: 0,
    accuracy: NaN,
    floor: NaN,
    advice: [],
    columns: undefined,
  });
  expect(empty.classes).toHaveLength(2);
  const spoilt = diagnose(
    Float64Array.of(NaN, Infinity, -Infinity, -Infinity),
    Uint8Array.of(1, 1, 1, 0),
    new SigmoidFocalLoss(),
  );
  expect(spoilt.nonFinite).toEqual({ rows: Uint32Array.of(0, 1, 2), logits: 4 });
  expect(spoilt).toMatchObject({ rows: 1, accuracy: 1, loss: { mean: 0 } });
});

it('warns of weights for the majority, where they are per column by the column', () => {
  const y = Uint8Array.from({ length: 200 }, (_, k) =>
    k % 2 === 0 ? Number(k < 40) : Number(k < 160),
  );
  const x = Float64Array.from(y, (label) => (label === 1 ? 2 : -2));
  const adviceOf = (options: SigmoidFocalLossOptions) =>
    diagnose(x, y, new SigmoidFocalLoss({ numClasses: 2, ...options })).advice.filter(
      ({ code }) => code === 'alpha-favours-majority',
    );
  expect(adviceOf({ alpha: null })).toEqual([]);
  expect(adviceOf({ alpha: [0.8, 0.2] })).toEqual([]);
  expect(adviceOf({ alpha: [0.8, 0.9] })).toEqual([
    {
      code: 'alpha-favours-majority',
      message:
        'Column 1: class 1 is 80 % of the rows, class 0 is 20 %, but a row of class 1 weighs 0.9 and one of class 0 ' +
        `${1 - 0.9}.`,
      figures: {
        column: 1,
        majority: 1,
        minority: 0,
        majorityRows: 80,
        minorityRows: 20,
        majorityWeight: 0.9,
        minorityWeight: 1 - 0.9,
      },
    },
  ]);
  // Half of all logits are yes, and a fifth of those of the first column.
  expect(adviceOf({ alpha: 0.25 })).toEqual([]);
});
