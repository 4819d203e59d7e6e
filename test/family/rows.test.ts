import { type Criterion, CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch, sum } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { dtypes } from '../support/dtypes.js';
import { family, reduced } from '../support/family.js';

const ROWS = 29;
const CLASSES = 6;

describe.each(dtypes)('$name', (dtype) => {
  const { logits } = randomBatch(dtype, ROWS, CLASSES, 20);
  const members = family(dtype, ROWS, CLASSES);

  it.each(members)('shards add up to the full batch, $name', ({ ignoring, spoilt }) => {
    const normalizer = 23;
    const criterion = reduced(ignoring, 'mean');
    const whole = criterion.valueAndGrad(logits, spoilt, { normalizer });
    const grad = dtype.zeros(logits.length);
    const perRow = spoilt.length / ROWS;
    let value = 0;
    // Shards of 8 rows, so that each has rows that do not count and the last is shorter.
    for (let start = 0; start < ROWS; start += 8) {
      const end = Math.min(start + 8, ROWS);
      const shard = logits.subarray(start * CLASSES, end * CLASSES);
      const part = criterion.valueAndGrad(shard, spoilt.subarray(start * perRow, end * perRow), {
        normalizer,
      });
      grad.set(part.grad, start * CLASSES);
      value += part.value;
    }
    expectSameBits(grad, whole.grad, 'gradient');
    expect(Math.abs(value - whole.value)).toBeLessThanOrEqual(1e-14 * whole.value);
    // The criterion takes it as the call does.
    const same = (criterion as FocalLoss).with({ normalizer });
    expect(same.forward(logits, spoilt)).toBe(whole.value);
    expectSameBits(same.backward(logits, spoilt), whole.grad, 'normalizer of the criterion');
    expect(same.forward(logits, spoilt, { normalizer: 2 * normalizer })).toBe(whole.value / 2);
  });

  it.each(members)(
    'the normalizer changes nothing that is not a mean, $name',
    ({ ignoring, spoilt }) => {
      for (const reduction of ['sum', 'none'] as const) {
        const criterion = (ignoring as FocalLoss<'none'>).with({ reduction }) as Criterion;
        const plain = criterion.valueAndGrad(logits, spoilt);
        expect(criterion.valueAndGrad(logits, spoilt, { normalizer: 7 })).toEqual(plain);
      }
    },
  );

  it.each(members)(
    'sampleWeights multiply values and gradients, not the denominator, $name',
    (member) => {
      const { ignoring, spoilt, width } = member;
      const plain = ignoring.valueAndGrad(logits, spoilt);
      // Powers of 2, so that multiplying by them is exact.
      const sampleWeights = dtype.array(Array.from(plain.value, (_, i) => [1, 0, 4, 0.5][i % 4]));
      const { value, grad } = ignoring.valueAndGrad(logits, spoilt, { sampleWeights });
      expectSameBits(
        value,
        plain.value.map((x, i) => x * sampleWeights[i]),
        'values',
      );
      expectSameBits(
        grad,
        plain.grad.map((x, i) => x * sampleWeights[Math.floor(i / width)] + 0),
        'gradient',
      );
      const mean = reduced(ignoring, 'mean');
      const ratio = mean.forward(logits, spoilt, { sampleWeights }) / mean.forward(logits, spoilt);
      expect(Math.abs(ratio - sum(value) / sum(plain.value))).toBeLessThanOrEqual(
        4 * dtype.epsilon,
      );
      for (const Kind of [Float32Array, Float64Array]) {
        expect(
          ignoring.forward(logits, spoilt, { sampleWeights: Kind.from(sampleWeights) }),
        ).toEqual(value);
      }
    },
  );

  it.each(members)(
    'gradOutput is one number, or one per value, $name',
    ({ ignoring, spoilt, width }) => {
      const plain = ignoring.valueAndGrad(logits, spoilt);
      const gradOutput = dtype.array(Array.from(plain.value, (_, i) => [1, 0, -4, 0.5][i % 4]));
      const { value, grad } = ignoring.valueAndGrad(logits, spoilt, { gradOutput });
      expectSameBits(value, plain.value, 'values');
      expectSameBits(
        grad,
        plain.grad.map((x, i) => x * gradOutput[Math.floor(i / width)] + 0),
        'gradient',
      );
      expectSameBits(ignoring.backward(logits, spoilt, { gradOutput }), grad, 'gradient alone');
      const twos = dtype.zeros(plain.value.length).fill(2);
      expectSameBits(
        ignoring.backward(logits, spoilt, { gradOutput: twos }),
        ignoring.backward(logits, spoilt, { gradOutput: 2 }),
        'the same for all',
      );
    },
  );

  it.each(members)(
    'ignored rows are 0, and leave the others as they are, $name',
    ({ criterion, ...member }) => {
      const { ignoring, spoilt, targets, width } = member;
      const plain = criterion.valueAndGrad(logits, targets);
      // Whatever stands in the logits of a row that does not count.
      const hidden = logits.slice();
      const isIgnored = (i: number) => Number(spoilt[i]) === ignoring.ignoreIndex;
      for (let i = 0; i < plain.value.length; i++)
        if (isIgnored(i)) hidden.fill(NaN, i * width, (i + 1) * width);
      const { value, grad } = ignoring.valueAndGrad(hidden, spoilt);
      expectSameBits(
        value,
        plain.value.map((x, i) => (isIgnored(i) ? 0 : x)),
        'values',
      );
      expectSameBits(
        grad,
        plain.grad.map((x, i) => (isIgnored(Math.floor(i / width)) ? 0 : x)),
        'gradient',
      );
      const total = reduced(ignoring, 'sum').valueAndGrad(hidden, spoilt);
      expect(Number.isFinite(total.value)).toBe(true);
      expectSameBits(total.grad, grad, 'gradient of the sum');
    },
  );

  const losses = [
    new FocalLoss({ numClasses: 4 }),
    new FocalLoss({ numClasses: 4, labelSmoothing: 0.1, focusOn: 'class' }),
    new CrossEntropyLoss({ numClasses: 4 }),
    new CrossEntropyLoss({ numClasses: 4, weight: [1, 2, 3, 4], labelSmoothing: 0.1 }),
  ];

  it.each(losses)('the ignored index may be any integer, also a class, %o', (criterion) => {
    const { logits, targets } = randomBatch(dtype, 23, 4, 21);
    for (const [ignoreIndex, Kind] of [
      [-1, Int8Array],
      [-1, BigInt64Array],
      [-100, Int32Array],
      [-100, BigInt64Array],
      [255, Uint8Array],
      [255, Uint32Array],
      [255, BigUint64Array],
      [2147483647, Uint32Array],
      [0, Int16Array],
      [2, Uint8ClampedArray],
    ] as const) {
      const marked = Array.from(targets, (target, i) => (i % 4 === 1 ? ignoreIndex : target));
      const kept = marked.flatMap((target, i) => (target === ignoreIndex ? [] : [i]));
      const given = (Kind as typeof BigInt64Array).from(
        marked.map((x) => (Kind.name.startsWith('Big') ? BigInt(x) : x)) as bigint[],
      );
      const ignoring = criterion.with({ ignoreIndex });
      const { value, grad } = ignoring.valueAndGrad(logits, given);
      // The rows that count, by themselves: a class that is ignored stays in their softmax.
      const alone = criterion.valueAndGrad(
        dtype.array(kept.flatMap((i) => [...logits.subarray(4 * i, 4 * i + 4)])),
        Int32Array.from(kept, (i) => targets[i]),
      );
      expect(Math.abs(value - alone.value)).toBeLessThanOrEqual(1e-14 * value);
      const expected = dtype.zeros(logits.length);
      kept.forEach((i, k) => {
        expected.set(alone.grad.subarray(4 * k, 4 * k + 4), 4 * i);
      });
      expectSameBits(grad, expected, `${ignoreIndex}`);
    }
  });

  it.each(losses)(
    'where no row counts the mean is NaN, the sum 0, and the gradient 0, %o',
    (criterion) => {
      for (const rows of [1, 7, 9000]) {
        const { logits } = randomBatch(dtype, rows, 4, 22);
        const targets = new Int16Array(rows).fill(-1);
        const ignoring = criterion.with({ ignoreIndex: -1 });
        const grad = dtype.zeros(logits.length).fill(9);
        expect(ignoring.valueAndGrad(logits, targets, { grad })).toEqual({
          value: NaN,
          grad: dtype.zeros(logits.length),
        });
        expect(ignoring.valueAndGrad(logits, targets, { normalizer: 5 }).value).toBe(0);
        expectSameBits(ignoring.backward(logits, targets), dtype.zeros(logits.length), 'gradient');
        expect(ignoring.with({ reduction: 'sum' }).forward(logits, targets)).toBe(0);
        expectSameBits(
          ignoring.with({ reduction: 'none' }).forward(logits, targets),
          dtype.zeros(rows),
          'values',
        );
      }
    },
  );

  it('where no logit counts the mean is NaN, the sum 0, and the gradient 0', () => {
    const criterion = new SigmoidFocalLoss({ ignoreIndex: -1 });
    for (const count of [1, 7, 50_000]) {
      const { logits } = randomBatch(dtype, count, 1, 22);
      const targets = new Int8Array(count).fill(-1);
      expect(criterion.valueAndGrad(logits, targets)).toEqual({
        value: NaN,
        grad: dtype.zeros(count),
      });
      expect(criterion.with({ reduction: 'sum' }).forward(logits, targets)).toBe(0);
      expect(criterion.forward(logits, targets, { normalizer: 3 })).toBe(0);
    }
  });

  it('no rows: a sum of 0, a mean of NaN, nothing else', () => {
    const logits = dtype.zeros(0);
    for (const { criterion, targets } of members) {
      const none = targets.slice(0, 0);
      expect(reduced(criterion, 'mean').valueAndGrad(logits, none)).toEqual({
        value: NaN,
        grad: logits,
      });
      expect(reduced(criterion, 'mean').forward(logits, none, { normalizer: 2 })).toBe(0);
      expect(reduced(criterion, 'sum').forward(logits, none)).toBe(0);
      expect(criterion.forward(logits, none)).toEqual(logits);
    }
  });

  it('cross-entropy where all weights that count are 0: the mean is NaN, the gradient 0', () => {
    const criterion = new CrossEntropyLoss({ weight: [0, 1] });
    const result = criterion.valueAndGrad(dtype.array([1, 2, 3, 4]), new Uint8Array(2));
    expect(result).toEqual({ value: NaN, grad: dtype.zeros(4) });
  });

  it('sigmoid: sampleWeights are one per logit, or one per row of numClasses', () => {
    const { logits } = randomBatch(dtype, 5000, 3, 23);
    const targets = randomBatch(dtype, 5000, 3, 24, 1).logits.map((x) => Math.abs(x));
    const perRow = dtype.array(Array.from({ length: 5000 }, (_, i) => (i % 7) / 4));
    const perLogit = dtype.array(
      Array.from({ length: 15_000 }, (_, i) => perRow[Math.floor(i / 3)]),
    );
    const criterion = new SigmoidFocalLoss({ numClasses: 3 });
    const expected = criterion.valueAndGrad(logits, targets, { sampleWeights: perLogit });
    expect(criterion.valueAndGrad(logits, targets, { sampleWeights: perRow })).toEqual(expected);
    expect(
      new SigmoidFocalLoss().valueAndGrad(logits, targets, { sampleWeights: perLogit }),
    ).toEqual(expected);
  });
});
