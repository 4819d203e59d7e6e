import { execFileSync } from 'node:child_process';
import { allocate, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';

describe('allocate rejects', () => {
  const INTEGER = 'must be an integer in [1, 2147483647], got';
  const DTYPE = "dtype must be 'float32' or 'float64', got";

  it.each([
    [[0, 2], RangeError, `rows ${INTEGER} 0`],
    [[-1, 2], RangeError, `rows ${INTEGER} -1`],
    [[1.5, 2], RangeError, `rows ${INTEGER} 1.5`],
    [[NaN, 2], RangeError, `rows ${INTEGER} NaN`],
    [['8', 2], TypeError, 'rows must be a number, got "8"'],
    [[], TypeError, 'rows must be a number, got undefined'],
    [[8, 0], RangeError, `classes ${INTEGER} 0`],
    [[8, Infinity], RangeError, `classes ${INTEGER} Infinity`],
    [[8], TypeError, 'classes must be a number, got undefined'],
    [[8, 2, 'float16'], TypeError, `${DTYPE} "float16"`],
    [[8, 2, null], TypeError, `${DTYPE} null`],
    [[2 ** 20, 2 ** 12], RangeError, 'not enough memory for 1048576 rows of 4096 classes'],
    [[2 ** 30, 2 ** 30], RangeError, 'not enough memory for 1073741824 rows of 1073741824 classes'],
    [[1, 2 ** 30], RangeError, 'not enough memory for 1 rows of 1073741824 classes'],
  ] as const)('%o', (given, kind, message) => {
    expectFailure(() => allocate(...(given as unknown as [number, number])), kind, message);
  });
});

describe.each([
  ['in one piece', 5],
  ['in several tiles', 9001],
])('a batch %s', (_, rows) => {
  it.each([0, rows >> 1, rows - 1])(
    'reports a bad target before anything is written, row %i',
    (row) => {
      const batch = allocate(rows, 2);
      const soft = allocate(rows, 2);
      soft.logits.fill(0.5);
      batch.targets[row] = 2;
      soft.logits[2 * row + 1] = 0.75;
      batch.grad.fill(9);
      const { grad } = batch;
      const mustBe = `targets[${row}] must be a class in [0, 2)`;
      const calls: [() => unknown, string][] = [
        [
          () => new FocalLoss().valueAndGrad(batch.logits, batch.targets, { grad }),
          `${mustBe}, got 2`,
        ],
        [
          () =>
            new FocalLoss({ ignoreIndex: -1, reduction: 'none' }).backward(
              batch.logits,
              batch.targets,
              { grad },
            ),
          `${mustBe} or ignoreIndex, -1, got 2`,
        ],
        [
          () => new FocalLoss().backward(new Float32Array(2 * rows), batch.targets, { grad }),
          `${mustBe}, got 2`,
        ],
        [
          () => new FocalLoss().backward(batch.logits, batch.targets.slice(), { grad }),
          `${mustBe}, got 2`,
        ],
        [
          () => new FocalLoss({ numClasses: 2 }).backward(batch.logits, soft.logits, { grad }),
          `targets: the probabilities of row ${row} must add up to 1, within 0.001, got 1.25`,
        ],
      ];
      for (const [call, message] of calls) expectFailure(call, RangeError, message);
      soft.logits[2 * row] = 1.5;
      expectFailure(
        () => new SigmoidFocalLoss().backward(batch.logits, soft.logits, { grad }),
        RangeError,
        `targets[${2 * row}] must be in [0, 1], got 1.5`,
      );
      expect(grad.every((x) => x === 9)).toBe(true);
      batch.dispose();
      soft.dispose();
    },
  );
});

it('checks resident arrays as it does all others', () => {
  const batch = allocate(4, 2);
  const criterion = new FocalLoss();
  const { logits, targets, grad } = batch;
  for (const [call, kind, message] of [
    [
      () => criterion.backward(logits, targets, { grad: logits }),
      RangeError,
      'grad must not share memory with logits',
    ],
    [
      () =>
        criterion.backward(logits.subarray(0, 4), targets.subarray(0, 2), {
          grad: logits.subarray(2, 6),
        }),
      RangeError,
      'grad must not share memory with logits',
    ],
    [
      () => criterion.backward(logits, targets, { grad: grad.subarray(1) }),
      RangeError,
      'grad.length must be logits.length, 8, got 7',
    ],
    [
      () => criterion.forward(logits, targets.subarray(1)),
      RangeError,
      'logits.length must be a multiple of targets.length, 3, got 8',
    ],
  ] as const) {
    expectFailure(call, kind, message);
  }
  batch.dispose();
});

it('keeps off the rest of the memory', () => {
  const batch = allocate(4, 2);
  const criterion = new FocalLoss();
  const { logits, targets } = batch;
  const outside = (name: string) =>
    `${name} must lie within an allocation where it lies in the memory of one`;
  const before = new Float32Array(logits.buffer, logits.byteOffset - 64, 8);
  const across = new Float32Array(logits.buffer, logits.byteOffset - 4, 8);
  for (const grad of [before, across]) {
    expectFailure(() => criterion.backward(logits, targets, { grad }), RangeError, outside('grad'));
    expectFailure(
      () => criterion.backward(new Float32Array(8), targets, { grad }),
      RangeError,
      outside('grad'),
    );
    expectFailure(() => criterion.forward(grad, targets), RangeError, outside('logits'));
  }
  // The very beginning, in which the module keeps what it works with.
  const start = new Float32Array(logits.buffer, 0, 8);
  expectFailure(
    () => criterion.backward(logits, targets, { grad: start }),
    RangeError,
    outside('grad'),
  );
  const all = new Float32Array(logits.buffer);
  const numClasses = all.length / 4;
  expectFailure(
    () =>
      criterion.backward(new Float32Array(all.length), new Int8Array(4), { grad: all, numClasses }),
    RangeError,
    outside('grad'),
  );
  const indices = new Int32Array(logits.buffer, 1024, 4);
  expectFailure(() => criterion.forward(logits, indices), RangeError, outside('targets'));
  batch.dispose();
});

it('memory that cannot be had is a RangeError, and the module works on', () => {
  const script = `
    import { allocate, FocalLoss } from 'focal-loss';
    const results = [];
    // The second has room itself, but the tile has none for four such rows and what may come with
    // them.
    for (const [rows, classes] of [[1_000_000, 2], [1, 60_000], [1, 60_000], [1000, 100]]) {
      try {
        const batch = allocate(rows, classes);
        batch.logits[0] = NaN;
        results.push(new FocalLoss().forward(batch.logits, batch.targets));
      } catch (error) {
        results.push(error.name + ': ' + error.message);
      }
    }
    console.log(JSON.stringify(results));
  `;
  // 80 pages are 5 MiB.
  const output = execFileSync(
    process.execPath,
    ['--wasm-max-mem-pages=80', '--input-type=module', '--eval', script],
    {
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url),
    },
  );
  const wide = 'RangeError: not enough memory for rows of 60000 classes';
  const large = 'RangeError: not enough memory for 1000000 rows of 2 classes';
  expect(JSON.parse(output)).toEqual([large, wide, wide, null]);
});
