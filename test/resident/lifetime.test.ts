import { allocate, type FloatArray, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';

const criterion = new FocalLoss({ reduction: 'none' });
const STALE =
  'an array of an allocation, taken from it before the memory grew or another was disposed of: take it anew';

/** A filled allocation. */
function batchOf(rows: number, classes: number) {
  const batch = allocate(rows, classes);
  batch.logits.set(Float32Array.from({ length: rows * classes }, (_, i) => Math.sin(i)));
  batch.targets.set(Int32Array.from({ length: rows }, (_, i) => i % classes));
  return batch;
}

describe('when the memory grows', () => {
  it('in the middle of a call, that call reports it, and the next succeeds', () => {
    const batch = batchOf(100_000, 2);
    const grad = new Float32Array(200_000).fill(9);
    // As if they were one row: there is no room in the tile for that.
    const one = new FocalLoss();
    const call = () => one.backward(batch.logits, new Uint8Array(1), { grad });
    expectFailure(call, TypeError, `logits: ${STALE}`);
    expect(grad.every((x) => x === 9)).toBe(true);
    const { logits } = batch;
    expect(call()).toEqual(one.backward(Float32Array.from(logits), new Uint8Array(1)));
    batch.dispose();
  });

  it('the properties give new arrays of the same contents, and old ones are reported', () => {
    const batch = batchOf(6, 3);
    const { logits, targets, grad } = batch;
    const ordinary = { logits: logits.slice(), targets: targets.slice() };
    const expected = criterion.valueAndGrad(logits, targets, { grad });
    const copy = grad.slice();
    const large = allocate(1_000_000, 3);
    expect(logits).toHaveLength(0);
    expect(batch.logits).toEqual(ordinary.logits);
    expect(batch.targets).toEqual(ordinary.targets);
    expect(batch.grad).toEqual(copy);
    for (const [name, call] of [
      ['logits', () => criterion.forward(logits, batch.targets)],
      ['targets', () => criterion.forward(batch.logits, targets)],
      ['targets', () => new SigmoidFocalLoss().forward(batch.logits, targets)],
      ['grad', () => criterion.backward(batch.logits, batch.targets, { grad })],
      ['grad', () => criterion.backward(ordinary.logits, ordinary.targets, { grad })],
      [
        'sampleWeights',
        () => criterion.forward(batch.logits, batch.targets, { sampleWeights: grad }),
      ],
      ['gradOutput', () => criterion.backward(batch.logits, batch.targets, { gradOutput: grad })],
    ] as const) {
      expectFailure(call, TypeError, `${name}: ${STALE}`);
    }
    expect(criterion.valueAndGrad(batch.logits, batch.targets, { grad: batch.grad }).value).toEqual(
      expected.value,
    );
    batch.dispose();
    large.dispose();
  });

  it('no call with arrays of the shape of their allocation makes it grow', () => {
    const batch = batchOf(5, 20_000);
    const { logits, targets, grad } = batch;
    const soft = Float32Array.from(logits, () => 1 / 20_000);
    const numClasses = 20_000;
    criterion.valueAndGrad(logits, targets, { grad });
    new FocalLoss({ numClasses }).valueAndGrad(logits, soft, { grad });
    new FocalLoss({ numClasses, layout: 'channels-first' }).valueAndGrad(logits, targets, { grad });
    new SigmoidFocalLoss({ numClasses, reduction: 'none' }).valueAndGrad(logits, soft, { grad });
    expect(batch.logits).toBe(logits);
    batch.dispose();
  });
});

describe('dispose', () => {
  it('takes the arrays away, once and for all', () => {
    const batch = batchOf(4, 2);
    const { logits, targets, grad } = batch;
    batch.dispose();
    batch.dispose();
    for (const name of ['logits', 'targets', 'grad'] as const) {
      expectFailure(
        () => batch[name],
        TypeError,
        'the allocation has been disposed of: its arrays are gone',
      );
    }
    // An allocation that takes its place must not be seen through them.
    const next = batchOf(4, 2);
    expect([logits, targets, grad].map((array) => array.length)).toEqual([0, 0, 0]);
    expectFailure(() => criterion.forward(logits, next.targets), TypeError, `logits: ${STALE}`);
    expectFailure(() => criterion.forward(next.logits, targets), TypeError, `targets: ${STALE}`);
    expectFailure(
      () => criterion.backward(next.logits, next.targets, { grad }),
      TypeError,
      `grad: ${STALE}`,
    );
    next.dispose();
  });

  it('leaves other allocations their contents', () => {
    const [first, second] = [batchOf(4, 2), batchOf(4, 2)];
    const kept = second.logits.slice();
    first.dispose();
    expect(second.logits).toEqual(kept);
    second.dispose();
  });

  it.skipIf(Symbol.dispose === undefined)('is what a block with `using` calls', () => {
    const batch = allocate(4, 2);
    batch[Symbol.dispose]();
    expect(() => batch.logits).toThrow('disposed');
  });

  it('gives the memory back', () => {
    const size = () => {
      const batch = allocate(30_000, 10, 'float64');
      const { byteLength } = batch.logits.buffer;
      batch.dispose();
      return byteLength;
    };
    const before = size();
    for (let i = 0; i < 200; i++) size();
    expect(size()).toBe(before);
  });

  it('and memory comes back as zeros', () => {
    const batch = allocate(100, 3);
    for (const array of [batch.logits, batch.targets, batch.grad]) array.fill(7);
    batch.dispose();
    const next = allocate(100, 3);
    expect(
      [next.logits, next.targets, next.grad].every((array) =>
        (array as FloatArray).every((x) => x === 0),
      ),
    ).toBe(true);
    next.dispose();
  });
});

it('gives the same arrays as long as they are the memory, in cache lines of their own', () => {
  const batch = allocate(5, 3);
  new FocalLoss().forward(new Float64Array(14), new Uint8Array(2));
  const { logits } = batch;
  new FocalLoss().forward(new Float64Array(22), new Uint8Array(2));
  expect(batch.logits).toBe(logits);
  for (const array of [batch.logits, batch.targets, batch.grad])
    expect(array.byteOffset % 64).toBe(0);
  expect([batch.rows, batch.classes, batch.logits.length, batch.targets.length]).toEqual([
    5, 3, 15, 5,
  ]);
  batch.dispose();
});
