import { CrossEntropyLoss, type FloatArray, FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { expectSameBits } from '../support/bits.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { randomProbabilities } from '../support/family.js';

/** `[samples, positions, classes]` as `[samples, classes, positions]`. */
function classesFirst(
  dtype: Dtype,
  array: FloatArray,
  samples: number,
  classes: number,
  positions: number,
): FloatArray {
  const result = dtype.zeros(array.length);
  for (let b = 0; b < samples; b++) {
    for (let s = 0; s < positions; s++) {
      for (let j = 0; j < classes; j++) {
        result[(b * classes + j) * positions + s] = array[(b * positions + s) * classes + j];
      }
    }
  }
  return result;
}

const SHAPES = [
  [1, 2, 1],
  [1, 3, 5],
  [3, 2, 1],
  [2, 3, 4],
  [7, 3, 5],
  [2, 4, 33],
  [3, 5, 1000],
  [301, 3, 6],
  [1, 21, 5003],
  [4, 64, 64],
  [3, 64, 131],
  [2, 2, 6001],
  [5, 3000, 3],
];

describe.each(dtypes)('$name', (dtype) => {
  it.each(SHAPES)(
    'channels first equals channels last, bit for bit, [%i, %i, %i]',
    (samples, classes, positions) => {
      const rows = samples * positions;
      const { logits, targets } = randomBatch(dtype, rows, classes, 30);
      const soft = randomProbabilities(dtype, rows, classes, 31);
      const spoilt = targets.map((target, i) => (i % 3 === 1 ? -1 : target));
      const sampleWeights = dtype.array(Array.from({ length: rows }, (_, i) => (i % 5) / 4));
      const gradOutput = dtype.array(Array.from({ length: rows }, (_, i) => (i % 7) - 3));
      const turned = classesFirst(dtype, logits, samples, classes, positions);
      const turnedSoft = classesFirst(dtype, soft, samples, classes, positions);
      const first = { numClasses: classes, layout: 'channels-first' } as const;
      const last = { numClasses: classes };
      for (const reduction of ['mean', 'none'] as const) {
        for (const [channelsFirst, channelsLast] of [
          [new FocalLoss({ ...first, reduction }), new FocalLoss({ ...last, reduction })],
          [
            new CrossEntropyLoss({ ...first, reduction }),
            new CrossEntropyLoss({ ...last, reduction }),
          ],
          [
            new FocalLoss({ ...first, reduction, labelSmoothing: 0.1, focusOn: 'class' }),
            new FocalLoss({ ...last, reduction, labelSmoothing: 0.1, focusOn: 'class' }),
          ],
        ] as const) {
          for (const [given, givenTurned, ignoreIndex] of [
            [targets, targets, undefined],
            [spoilt, spoilt, -1],
            [soft, turnedSoft, undefined],
          ] as const) {
            const options = { sampleWeights, ...(reduction === 'none' ? { gradOutput } : {}) };
            const expected = (channelsLast as FocalLoss<'none'>)
              .with({ ignoreIndex })
              .valueAndGrad(logits, given, options);
            const ignoring = (channelsFirst as FocalLoss<'none'>).with({ ignoreIndex });
            const call = { ...options, spatialSize: positions };
            const actual = ignoring.valueAndGrad(turned, givenTurned, call);
            expect(actual.value).toEqual(expected.value);
            expectSameBits(
              actual.grad,
              classesFirst(dtype, expected.grad, samples, classes, positions),
              'gradient',
            );
            expect(
              ignoring.forward(turned, givenTurned, { sampleWeights, spatialSize: positions }),
            ).toEqual(expected.value);
            const grad = dtype.zeros(turned.length).fill(NaN);
            expect(ignoring.backward(turned, givenTurned, { ...call, grad })).toBe(grad);
            expectSameBits(grad, actual.grad, 'into a buffer');
          }
        }
      }
    },
  );

  it('second derivatives, too', () => {
    const { logits, targets } = randomBatch(dtype, 2 * 700, 5, 32);
    const turned = classesFirst(dtype, logits, 2, 5, 700);
    const criterion = new FocalLoss({ reduction: 'none', numClasses: 5 });
    const turnedCriterion = criterion.with({ layout: 'channels-first' });
    const expected = classesFirst(dtype, criterion.hessianDiag(logits, targets), 2, 5, 700);
    expectSameBits(
      turnedCriterion.hessianDiag(turned, targets, { spatialSize: 700 }),
      expected,
      'hessianDiag',
    );
    const gammaGrad = turnedCriterion.gammaGrad(turned, targets, { spatialSize: 700 });
    expectSameBits(gammaGrad, criterion.gammaGrad(logits, targets), 'gammaGrad');
  });

  it('without a spatialSize there is one sample', () => {
    const { logits, targets } = randomBatch(dtype, 12, 3, 33);
    const turned = classesFirst(dtype, logits, 1, 3, 12);
    const criterion = new FocalLoss({ numClasses: 3, layout: 'channels-first' });
    const expected = new FocalLoss().forward(logits, targets);
    expect(criterion.forward(turned, targets)).toBe(expected);
    expect(criterion.forward(turned, targets, { spatialSize: 12 })).toBe(expected);
    expect(criterion.forward(turned, targets, { spatialSize: 6 })).not.toBe(expected);
  });

  it('no rows', () => {
    const criterion = new FocalLoss({ numClasses: 3, layout: 'channels-first' });
    for (const spatialSize of [undefined, 5]) {
      const result = criterion.valueAndGrad(dtype.zeros(0), new Uint8Array(0), { spatialSize });
      expect(result).toEqual({ value: NaN, grad: dtype.zeros(0) });
    }
  });

  it('names the probability that is none', () => {
    const soft = classesFirst(dtype, dtype.zeros(24).fill(0.25), 3, 4, 2);
    const logits = dtype.zeros(24);
    const criterion = new FocalLoss({ numClasses: 4, layout: 'channels-first' });
    expect(criterion.forward(logits, soft, { spatialSize: 2 })).toBeGreaterThan(0);
    // Sample 2, position 1 is row 5.
    soft[(2 * 4 + 3) * 2 + 1] = -0.25;
    expect(() => criterion.forward(logits, soft, { spatialSize: 2 })).toThrow(
      'targets: the probability of class 3 in row 5 must be finite and not negative, got -0.25',
    );
  });
});
