import { readFileSync } from 'node:fs';
import type { FloatArray } from 'focal-loss';
import { describe, expect, it, vi } from 'vitest';
import {
  blockRows,
  invalidTarget,
  type Job,
  plan,
  reduce,
  runBlocks,
} from '../../ts/call/blocks.js';
import { BACKWARD, FORWARD, VALUE_AND_GRAD } from '../../ts/call/method.js';
import { type Criterion, specOf } from '../../ts/losses/criterion.js';
import * as losses from '../../ts/losses/index.js';
import { randomBatch } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { dtypes, float32, float64 } from '../support/dtypes.js';
import { family } from '../support/family.js';
import { sampled } from '../support/sample.js';

// A batch is cut into blocks of rows, whose sums make up the total. So a call may be computed in
// parts, anywhere, and gives the bits of the whole.

vi.mock('../../ts/module/embedded.js', () => ({
  moduleBytes: () => readFileSync(new URL('../../dist/focal-loss.wasm', import.meta.url)),
}));

/** The sources' own criterion with the options of one, and others instead. */
function made(criterion: object, changes: object = {}): Criterion {
  const [, Loss] =
    Object.entries(losses).find(([name]) => name === criterion.constructor.name) ?? [];
  return new (Loss as unknown as new (options: object) => Criterion)({ ...criterion, ...changes });
}

/** The largest part, in blocks: three are neither one nor all. */
const PART = 3;

/** Values and gradients for all rows of a job. */
function resultsOf({ logits, rows, width }: Job) {
  const zeros = (length: number): FloatArray =>
    logits instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
  return { values: zeros(rows), grad: zeros(rows * width) };
}

/** A job in parts of one, two or three blocks, of which the last comes first. */
function inParts(job: Job) {
  const { rows, width, spec, denominator } = job;
  const length = blockRows(width);
  const partials = new Float64Array(Math.ceil(rows / length));
  const { values, grad } = resultsOf(job);
  for (let size = 1, end = partials.length; end > 0; size = (size % PART) + 1) {
    const first = Math.max(end - size, 0);
    const last = Math.min(end * length, rows);
    runBlocks(job, first * length, last, partials.subarray(first, end), values, grad);
    end = first;
  }
  const value = spec.reduction === 'none' ? values : reduce(partials, denominator);
  return { value, grad, partials };
}

/** Rows around the blocks of their width and what the tile holds of them. */
const SHAPES = [
  [4096, 2],
  [4097, 2],
  [8191, 2],
  [12_289, 2],
  [8193, 3],
  [6145, 10],
  [1025, 64],
  [97, 1000],
  [13, 9000],
];

describe.each(dtypes)('$name', (dtype) => {
  it.each(sampled(SHAPES))('gives the bits of the whole in parts, [%i, %i]', (rows, classes) => {
    const { logits } = randomBatch(dtype, rows, classes, 20);
    for (const { name, ignoring, spoilt, width } of family(dtype, rows, classes)) {
      const values = (rows * classes) / width;
      const sampleWeights = randomBatch(dtype, rows, 1, 21).logits.map((x) => Math.abs(x));
      const gradOutput = randomBatch(dtype, values, 1, 22).logits;
      const calls = [
        [{ reduction: 'mean' }, {}],
        [{ reduction: 'sum' }, { sampleWeights, gradOutput: 0.7 }],
        [{ reduction: 'mean', normalizer: 77 }, { sampleWeights }],
        [{ reduction: 'none' }, { sampleWeights, gradOutput }],
      ] as const;
      for (const [changes, options] of calls) {
        const here = `${name}, ${JSON.stringify(changes)}`;
        const criterion = made(ignoring, changes);
        const whole = criterion.valueAndGrad(logits, spoilt, options);
        const { job } = plan(specOf(criterion), VALUE_AND_GRAD, logits, spoilt, options);
        const { value, grad, partials } = inParts(job);
        if (typeof value === 'number') expect(value, here).toBe(whole.value);
        else expectSameBits(value, whole.value as FloatArray, here);
        expectSameBits(grad, whole.grad as FloatArray, here);
        expect(partials.length, here).toBe(Math.ceil(values / blockRows(width)));
      }
    }
  });
});

it('has as many rows in a block as 32 768 logits are, within 4 and 4096, as a power of two', () => {
  const rows = [1, 2, 8, 9, 10, 16, 17, 1000, 1024, 1025, 8192, 8193, 16_384, 1e6, 2 ** 31];
  expect(rows.map(blockRows)).toEqual([
    4096, 4096, 4096, 2048, 2048, 2048, 1024, 32, 32, 16, 4, 4, 4, 4, 4,
  ]);
});

describe('a call in parts', () => {
  const sum = (options: object = {}) =>
    new losses.FocalLoss({ alpha: null, reduction: 'sum', ...options });

  it('has a total that is the sum of the sums of its blocks', () => {
    const { logits, targets } = randomBatch(float32, 9000, 10, 23);
    const { job } = plan(specOf(sum()), FORWARD, logits, targets);
    const length = blockRows(10);
    const { partials } = inParts(job);
    const alone = Array.from(partials, (_, k) => {
      const [start, end] = [k * length, Math.min((k + 1) * length, 9000)];
      return sum().forward(logits.subarray(10 * start, 10 * end), targets.subarray(start, end));
    });
    expect(Array.from(partials)).toEqual(alone);
  });

  it('takes logits with the classes first', () => {
    for (const dtype of dtypes) {
      const { logits } = randomBatch(dtype, 3000, 7, 24);
      const { targets } = randomBatch(dtype, 3000, 7, 25);
      const criterion = sum({ layout: 'channels-first', numClasses: 7 });
      for (const spatialSize of [1, 100, 1500, 3000]) {
        const options = { spatialSize };
        const whole = criterion.valueAndGrad(logits, targets, options);
        const { job } = plan(specOf(criterion), VALUE_AND_GRAD, logits, targets, options);
        const { value, grad } = inParts(job);
        expect(value).toBe(whole.value);
        expectSameBits(grad, whole.grad, `${spatialSize}`);
      }
    }
  });

  describe('is computed in float64 where the whole is', () => {
    const { logits, targets } = randomBatch(float32, 9000, 3, 26);
    const heavy = new Float64Array(9000).fill(1);
    heavy[8999] = 1e60;
    const light = new Float64Array(9000).fill(-1e-60);
    const cases: [string, object, boolean[], 'mean' | 'none'][] = [
      ['a weight', { sampleWeights: heavy }, [true], 'mean'],
      ['a large upstream gradient', { gradOutput: 1e60 }, [false, true], 'mean'],
      ['a small one', { gradOutput: -1e-44 }, [false, true], 'mean'],
      ['a denominator', { normalizer: 1e60 }, [true], 'mean'],
      ['upstream gradients of rows', { gradOutput: light }, [false, true], 'none'],
    ];
    const layouts: [object, object][] = [
      [{ layout: 'channels-last' }, {}],
      [{ layout: 'channels-first', numClasses: 3 }, { spatialSize: 90 }],
    ];
    it.each(cases)('%s', (_, options, passes, reduction) => {
      for (const [layout, size] of layouts) {
        const criterion = made(new losses.FocalLoss(), { ...layout, reduction });
        const given = { ...options, ...size };
        const whole = criterion.valueAndGrad(logits, targets, given);
        const { job } = plan(specOf(criterion), VALUE_AND_GRAD, logits, targets, given);
        expect(job.passes.map(({ isWide }) => isWide)).toEqual(passes);
        const { value, grad } = inParts(job);
        expect(value).toEqual(whole.value);
        expectSameBits(grad, whole.grad, JSON.stringify(layout));
      }
    });
  });

  it('divides by the weights of all rows, also by those that add up to more than there is', () => {
    const { logits, targets } = randomBatch(float64, 9000, 3, 27);
    for (const weight of [
      [1, 2, 3],
      [1e308, 1.5e308, 0],
    ]) {
      const criterion = new losses.CrossEntropyLoss({ weight, ignoreIndex: 1 });
      const whole = criterion.valueAndGrad(logits, targets);
      const { job, areChecked } = plan(specOf(criterion), VALUE_AND_GRAD, logits, targets);
      expect(areChecked).toBe(true);
      const { value, grad } = inParts(job);
      expect(Number.isFinite(whole.value)).toBe(true);
      expect(value).toBe(whole.value);
      expectSameBits(grad, whole.grad, `${weight}`);
    }
  });

  it('may begin within a row of yes-or-no logits, each column of which has options', () => {
    for (const columns of [3, 1000, 9001]) {
      const rows = Math.ceil(30_000 / columns);
      const { logits } = randomBatch(float32, rows, columns, 28);
      const targets = logits.map((x) => (x > 0 ? 1 : 0));
      const perColumn = Array.from({ length: columns }, (_, j) => (j % 11) / 10);
      const sampleWeights = Float32Array.from({ length: rows }, (_, i) => i % 5);
      const criterion = new losses.SigmoidFocalLoss({
        alpha: perColumn,
        posWeight: perColumn.map((x) => x + 1),
        numClasses: columns,
      });
      const whole = criterion.valueAndGrad(logits, targets, { sampleWeights });
      const { job } = plan(specOf(criterion), VALUE_AND_GRAD, logits, targets, { sampleWeights });
      expect(job.rowsPerWeight).toBe(columns);
      const { value, grad } = inParts(job);
      expect(value).toBe(whole.value);
      expectSameBits(grad, whole.grad, `${columns}`);
      // The arrays may be parts that begin before the block, with a row.
      const start = 3 * 4096;
      const first = start - (start % columns);
      const part = { ...job, logits: logits.subarray(first), targets: targets.subarray(first) };
      const partials = new Float64Array(2);
      const gradOfPart = new Float32Array(logits.length - first);
      runBlocks(
        { ...part, sampleWeights: sampleWeights.subarray(first / columns) },
        start - first,
        start - first + 2 * 4096,
        partials,
        undefined,
        gradOfPart,
      );
      expect(Array.from(partials)).toEqual(Array.from(inParts(job).partials.subarray(3, 5)));
      expectSameBits(
        gradOfPart.subarray(start - first, start - first + 8192),
        grad.subarray(start, start + 8192) as FloatArray,
        'a part',
      );
    }
  });

  it('takes plain arrays and half precision', () => {
    const criterion = sum({ numClasses: 2 });
    const rows = Array.from({ length: 4100 }, (_, i) => [Math.sin(i), Math.cos(i)]);
    const labels = rows.map((_, i) => i % 2);
    const { job } = plan(specOf(criterion), FORWARD, rows, labels);
    expect(inParts(job).value).toBe(criterion.forward(rows, labels));
    if (typeof Float16Array === 'undefined') return;
    const logits = Float16Array.from(rows.flat());
    const half = plan(specOf(criterion), BACKWARD, logits, Int32Array.from(labels)).job;
    const grad = new Float16Array(8200);
    const partials = new Float64Array(2).fill(7);
    runBlocks(half, 0, 4096, partials, undefined, grad);
    runBlocks(half, 4096, 4100, partials, undefined, grad);
    expect(grad).toEqual(criterion.backward(logits, Int32Array.from(labels)));
    // Nobody has asked for the value.
    expect(Array.from(partials)).toEqual([7, 7]);
  });

  it('has nothing to compute where there are no rows', () => {
    const none = [new Float32Array(0), new Int32Array(0)] as const;
    for (const reduction of ['sum', 'mean'] as const) {
      const criterion = sum({ reduction, numClasses: 2 });
      const { job } = plan(specOf(criterion), FORWARD, ...none);
      const value = reduction === 'sum' ? 0 : NaN;
      expect(reduce(new Float64Array(0), job.denominator)).toBe(value);
    }
  });

  it('adds up infinite losses and such as are not numbers as the whole does', () => {
    const total = (...partials: number[]) => reduce(Float64Array.from(partials), 2);
    expect(total(1, Infinity, 3)).toBe(Infinity);
    expect(total(Infinity, 1, NaN)).toBeNaN();
    // The rest that an addition loses is carried on.
    expect(total(1, 2 ** -53, 2 ** -53)).toBe((1 + 2 ** -52) / 2);
  });

  it('refuses what the whole refuses, and finds invalid targets in any part', () => {
    const { logits, targets } = randomBatch(float32, 9000, 3, 29);
    const criterion = sum();
    expect(() => plan(specOf(criterion), FORWARD, logits, targets.subarray(1))).toThrow(RangeError);
    const soft = new Float32Array(27_000).fill(1 / 3);
    const yes = new Float32Array(27_000);
    const cases = [
      { criterion, targets, spoil: () => (targets[8500] = 3) },
      { criterion: sum({ numClasses: 3 }), targets: soft, spoil: () => (soft[25_502] = 0.5) },
      {
        criterion: new losses.SigmoidFocalLoss(),
        targets: yes,
        spoil: () => (yes[25_502] = 2),
      },
    ];
    for (const { criterion, targets, spoil } of cases) {
      const { job, areChecked } = plan(specOf(criterion), FORWARD, logits, targets);
      expect(areChecked).toBe(false);
      expect(invalidTarget(job, 0, job.rows)).toBe(undefined);
      spoil();
      const row = job.width === 1 ? 25_502 : 8500;
      expect(() => inParts(job)).toThrow(invalidTarget(job, 0, job.rows) as Error);
      expect(invalidTarget(job, 0, row)).toBe(undefined);
      expect(invalidTarget(job, row, row + 1)).toEqual(invalidTarget(job, 0, job.rows));
      const partials = new Float64Array(9);
      runBlocks(job, 0, 8192, partials, undefined, undefined);
      expect(() => inParts(job)).toThrow(RangeError);
      // The module works on.
      runBlocks(job, 0, 8192, partials, undefined, undefined);
    }
  });
});
