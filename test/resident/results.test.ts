import { allocate, type ClassIndices, type FloatArray, FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { type FamilyMember, family, reduced } from '../support/family.js';
import { sampled } from '../support/sample.js';

// Where arrays lie is nobody's business: every result must be that of ordinary ones.

/** The most rows take several tiles, the widest have one row to a tile. */
const SHAPES = [
  [1, 2],
  [7, 2],
  [9001, 2],
  [1003, 10],
  [131, 64],
  [13, 3000],
];

const PLACES = [
  { resident: 'all', logits: true, targets: true, grad: true },
  { resident: 'logits and targets', logits: true, targets: true, grad: false },
  { resident: 'logits and gradient', logits: true, targets: false, grad: true },
  { resident: 'logits', logits: true, targets: false, grad: false },
  { resident: 'targets and gradient', logits: false, targets: true, grad: true },
  { resident: 'targets', logits: false, targets: true, grad: false },
  { resident: 'gradient', logits: false, targets: false, grad: true },
];

/** Resident arrays for a batch, with targets of any form. */
function residents(
  dtype: Dtype,
  rows: number,
  classes: number,
  logits: FloatArray,
  targets: FamilyMember['targets'],
) {
  const batch = allocate(rows, classes, dtype.name as 'float32');
  // Probabilities have an allocation of their own.
  const soft =
    targets instanceof Int32Array ? undefined : allocate(rows, classes, dtype.name as 'float32');
  batch.logits.set(logits);
  (soft?.logits ?? batch.targets).set(targets as Int32Array);
  return {
    logits: () => batch.logits as FloatArray,
    targets: () => (soft?.logits ?? batch.targets) as ClassIndices | FloatArray,
    grad: () => batch.grad as FloatArray,
    dispose() {
      batch.dispose();
      soft?.dispose();
    },
  };
}

/** The arrays of a call, some of them resident. */
interface Call {
  logits: FloatArray;
  targets: ClassIndices | FloatArray;
  grad: () => Float32Array;
}

function expectSamePerRow(
  member: FamilyMember,
  logits: FloatArray,
  weights: FloatArray,
  call: Call,
): void {
  const { name, ignoring, spoilt } = member;
  for (const options of [{}, { sampleWeights: weights, gradOutput: weights }]) {
    const expected = ignoring.valueAndGrad(logits, spoilt, options);
    const actual = ignoring.valueAndGrad(call.logits, call.targets, {
      ...options,
      grad: call.grad(),
    });
    expectSameBits(actual.value, expected.value, name);
    expectSameBits(actual.grad, expected.grad, name);
    expectSameBits(ignoring.backward(call.logits, call.targets, options), expected.grad, name);
  }
}

function expectSameReduced(
  { name, ignoring, spoilt }: FamilyMember,
  logits: FloatArray,
  call: Call,
): void {
  for (const reduction of ['mean', 'sum'] as const) {
    const criterion = reduced(ignoring, reduction);
    const expected = criterion.valueAndGrad(logits, spoilt);
    const actual = criterion.valueAndGrad(call.logits, call.targets, { grad: call.grad() });
    expect(actual.value, name).toBe(expected.value);
    expectSameBits(actual.grad, expected.grad, name);
    expect(criterion.forward(call.logits, call.targets), name).toBe(expected.value);
  }
}

describe.each(dtypes)('$name', (dtype) => {
  describe.each(SHAPES)('[%i, %i]', (rows, classes) => {
    const { logits } = randomBatch(dtype, rows, classes, 70);

    it.each(sampled(PLACES))('gives the bits of ordinary arrays, resident: $resident', (places) => {
      for (const member of family(dtype, rows, classes)) {
        const { name, spoilt, width } = member;
        const batch = residents(dtype, rows, classes, logits, spoilt);
        const weights = randomBatch(dtype, (rows * classes) / width, 1, 71).logits.map((w) =>
          Math.abs(w),
        );
        const call = {
          logits: places.logits ? batch.logits() : logits,
          targets: places.targets ? batch.targets() : spoilt,
          grad: () =>
            (places.grad ? batch.grad() : dtype.zeros(logits.length)).fill(9) as Float32Array,
        };
        expectSamePerRow(member, logits, weights, call);
        expectSameReduced(member, logits, call);
        expectSameBits(batch.logits(), logits, `logits, ${name}`);
        batch.dispose();
      }
    });
  });

  it('takes part of an allocation where it is', () => {
    const { logits, targets } = randomBatch(dtype, 50, 3, 72);
    const batch = allocate(50, 3, dtype.name as 'float32');
    batch.logits.set(logits);
    batch.targets.set(targets);
    const criterion = new FocalLoss();
    for (const [start, end] of [
      [0, 20],
      [7, 50],
      [33, 34],
      [50, 50],
    ]) {
      batch.grad.fill(9);
      const expected = criterion.valueAndGrad(
        logits.subarray(3 * start, 3 * end),
        targets.subarray(start, end),
      );
      const actual = criterion.valueAndGrad(
        batch.logits.subarray(3 * start, 3 * end),
        batch.targets.subarray(start, end),
        { grad: batch.grad.subarray(3 * start, 3 * end) },
      );
      expect(actual.value).toBe(expected.value);
      expectSameBits(
        batch.grad.subarray(3 * start, 3 * end),
        expected.grad,
        `rows ${start} to ${end}`,
      );
      const rest = Array.from(batch.grad).filter((_, i) => i < 3 * start || i >= 3 * end);
      expect(rest.every((x) => x === 9)).toBe(true);
    }
    batch.dispose();
  });

  it('takes resident arrays for all that a call can have, whatever the layout', () => {
    const { logits, targets } = randomBatch(dtype, 12, 4, 73);
    const batch = allocate(12, 4, dtype.name as 'float32');
    const perRow = allocate(12, 1, dtype.name as 'float32');
    batch.logits.set(logits);
    batch.targets.set(targets);
    perRow.logits.set(logits.subarray(0, 12).map((x) => Math.abs(x)));
    const criterion = new FocalLoss({ reduction: 'none', layout: 'channels-first', numClasses: 4 });
    const options = { spatialSize: 6, sampleWeights: perRow.logits, gradOutput: perRow.logits };
    const expected = criterion.valueAndGrad(logits, targets, {
      spatialSize: 6,
      sampleWeights: perRow.logits.slice(),
      gradOutput: perRow.logits.slice(),
    });
    const actual = criterion.valueAndGrad(batch.logits, batch.targets, {
      ...options,
      grad: batch.grad,
    });
    expectSameBits(actual.value, expected.value, 'values');
    expectSameBits(batch.grad, expected.grad, 'gradient');
    const second = criterion.hessianDiag(logits, targets, { spatialSize: 6 });
    expectSameBits(
      criterion.hessianDiag(batch.logits, batch.targets, { spatialSize: 6, out: batch.grad }),
      second,
      'hessian',
    );
    const last = new FocalLoss();
    expectSameBits(
      last.hessianDiag(batch.logits, batch.targets, { out: batch.grad }) as FloatArray,
      last.hessianDiag(logits, targets) as FloatArray,
      'hessian, in place',
    );
    expect(last.gammaGrad(batch.logits, batch.targets)).toBe(last.gammaGrad(logits, targets));
    batch.dispose();
    perRow.dispose();
  });
});
