import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';
import { generator } from '../support/random.js';

const random = generator(7);
const numbers = (count: number) => Float32Array.from({ length: count }, () => 8 * random() - 4);

const criterion = new FocalLoss();
const logits = numbers(12);
const targets = Int32Array.of(0, 2, 1, 0);

describe('a tensor in place of an array gives the same', () => {
  it.each(['dims', 'shape'])('by its %s', (name) => {
    const expected = criterion.valueAndGrad(logits, targets);
    const tensor = { data: logits, [name]: [4, 3] } as { data: Float32Array; dims: number[] };
    const rows = { data: targets, [name]: [4] } as { data: Int32Array; dims: number[] };
    for (const given of [targets, rows])
      expect(criterion.valueAndGrad(tensor, given)).toEqual(expected);
    expect(criterion.valueAndGrad(logits, rows)).toEqual(expected);
    expect(criterion.forward(tensor, rows)).toBe(expected.value);
    expect(criterion.backward(tensor, rows)).toEqual(expected.grad);
    expect(criterion.hessianDiag(tensor, rows)).toEqual(criterion.hessianDiag(logits, targets));
    expect(criterion.gammaGrad(tensor, rows)).toEqual(criterion.gammaGrad(logits, targets));
  });

  it('of more dimensions, the last of which are the classes', () => {
    const tensor = { data: logits, dims: [2, 2, 3] };
    expect(criterion.forward(tensor, { data: targets, dims: [2, 2] })).toBe(
      criterion.forward(logits, targets),
    );
  });

  it('with probabilities, without numClasses', () => {
    const q = new Float32Array(12).fill(1 / 3);
    const expected = criterion.forward(logits, q, { numClasses: 3 });
    const dims = [4, 3];
    expect(criterion.forward({ data: logits, dims }, q)).toBe(expected);
    expect(criterion.forward(logits, { data: q, dims })).toBe(expected);
    expect(criterion.forward({ data: logits, dims }, { data: q, dims })).toBe(expected);
  });

  it('with the classes first, without numClasses and spatialSize', () => {
    const dense = new CrossEntropyLoss({ layout: 'channels-first' });
    const dims = [2, 3, 1, 2];
    const expected = dense.valueAndGrad(logits, targets, { numClasses: 3, spatialSize: 2 });
    expect(dense.valueAndGrad({ data: logits, dims }, targets)).toEqual(expected);
    expect(dense.valueAndGrad({ data: logits, dims }, { data: targets, dims: [2, 1, 2] })).toEqual(
      expected,
    );
    expect(dense.valueAndGrad(logits, { data: targets, dims: [2, 2] }, { numClasses: 3 })).toEqual(
      expected,
    );
    const plain = { data: logits, dims: [4, 3] };
    expect(dense.forward(plain, targets)).toBe(new CrossEntropyLoss().forward(logits, targets));
  });

  it('for the sigmoid loss, with columns', () => {
    const columns = new SigmoidFocalLoss({ alpha: [0.2, 0.5, 0.9] });
    const y = Uint8Array.from(logits, (x) => Number(x > 1));
    const expected = columns.valueAndGrad(logits, y, { numClasses: 3 });
    expect(columns.valueAndGrad({ data: logits, dims: [4, 3] }, y)).toEqual(expected);
    expect(columns.valueAndGrad(logits, { data: y, dims: [4, 3] })).toEqual(expected);
    const one = new SigmoidFocalLoss();
    expect(one.forward({ data: logits, dims: [12] }, { data: y, dims: [12] })).toBe(
      one.forward(logits, y),
    );
  });

  const column = Int32Array.of(1, 0, 0, 1);
  it.each([
    ['integers', column],
    ['floats', Float32Array.from(column)],
    ['shares', Float64Array.of(0.5, 0, 0.25, 1)],
  ])(
    'for the sigmoid loss on one logit per row, whichever of the two has that axis: %s',
    (_, y) => {
      const loss = new SigmoidFocalLoss({ alpha: 0.3, posWeight: 2 });
      const x = logits.subarray(0, 4);
      const expected = loss.valueAndGrad(x, y);
      for (const shape of [[4], [4, 1]]) {
        for (const dims of [[4], [4, 1]]) {
          expect(
            loss.valueAndGrad({ data: x, dims }, { data: y, shape }),
            `${dims} ${shape}`,
          ).toEqual(expected);
        }
        expect(loss.valueAndGrad(x, { data: y, shape })).toEqual(expected);
        expect(loss.valueAndGrad({ data: x, shape }, y)).toEqual(expected);
      }
      const rows = Array.from(x, (entry) => [entry]);
      const double = loss.valueAndGrad(Float64Array.from(x), y);
      for (const given of [
        y,
        { data: y, shape: [4] },
        Array.from(y),
        Array.from(y, (entry) => [entry]),
      ]) {
        expect(loss.valueAndGrad(rows, given)).toEqual(double);
      }
    },
  );

  it('for class indices that have an axis of one class', () => {
    const expected = criterion.valueAndGrad(logits, targets);
    const x = { data: logits, dims: [4, 3] };
    for (const data of [targets, Float32Array.from(targets), BigInt64Array.from(targets, BigInt)]) {
      for (const shape of [[4], [4, 1]])
        expect(criterion.valueAndGrad(x, { data, shape })).toEqual(expected);
    }
    expect(
      criterion.valueAndGrad(
        x,
        Array.from(targets, (label) => [label]),
      ),
    ).toEqual(expected);
    const dense = new CrossEntropyLoss({ layout: 'channels-first' });
    const image = { data: logits, dims: [1, 3, 2, 2] };
    const label = (...dims: number[]) => dense.forward(image, { data: targets, dims });
    expect(label(1, 1, 2, 2)).toBe(label(1, 2, 2));
  });

  it('without rows', () => {
    const { value, grad } = criterion.valueAndGrad(
      { data: new Float32Array(0), dims: [0, 3] },
      new Int8Array(0),
    );
    expect([value, grad]).toEqual([NaN, new Float32Array(0)]);
  });
});

describe('a shape that does not fit is refused', () => {
  const x = { data: logits, dims: [4, 3] };
  const dense = new FocalLoss({ layout: 'channels-first' });
  it.each<[string, () => unknown, ErrorConstructor, string]>([
    [
      'its size',
      () => criterion.forward({ data: logits, dims: [4, 4] }, targets),
      RangeError,
      'logits of shape [4,4] has 12 entries',
    ],
    [
      'no number in it',
      () => criterion.forward({ data: logits, dims: [4, NaN] }, targets),
      RangeError,
      'logits of shape [4,NaN] has 12 entries',
    ],
    [
      'a fraction',
      () => criterion.forward({ data: logits, dims: [4.8, 2.5] }, targets),
      RangeError,
      'numClasses must be an integer in [2, 2147483647], got 2.5',
    ],
    [
      'that of the targets',
      () => criterion.forward(x, { data: targets, dims: [2, 2] }),
      RangeError,
      'targets must have the shape [4], got [2,2]',
    ],
    [
      'that of targets on one logit per row',
      () =>
        new SigmoidFocalLoss().forward(
          { data: logits, dims: [12, 1] },
          { data: targets, dims: [4] },
        ),
      RangeError,
      'targets must have the shape [12], got [4]',
    ],
    [
      'that of targets on rows of a sigmoid loss',
      () =>
        new SigmoidFocalLoss().forward(
          { data: logits, dims: [1, 12] },
          { data: numbers(12), dims: [12] },
        ),
      RangeError,
      'targets must have the shape [1,12], got [12]',
    ],
    [
      'that of class indices, the axis of which is another',
      () => criterion.forward(x, { data: targets, dims: [1, 4] }),
      RangeError,
      'targets must have the shape [4], got [1,4]',
    ],
    [
      'that of probabilities',
      () => criterion.forward(x, { data: numbers(12), dims: [3, 4] }),
      RangeError,
      'targets must have the shape [4,3], got [3,4]',
    ],
    [
      'numClasses',
      () => criterion.forward(x, targets, { numClasses: 4 }),
      RangeError,
      'numClasses is 3 by the shape, got 4',
    ],
    [
      'spatialSize',
      () => dense.forward({ data: logits, dims: [2, 3, 2] }, targets, { spatialSize: 4 }),
      RangeError,
      'spatialSize is 2 by the shape, got 4',
    ],
    [
      'the number of targets',
      () => criterion.forward(x, targets.subarray(1)),
      RangeError,
      'logits must have 3 rows (targets.length) of 3 classes (numClasses), 9 entries in all, got 12',
    ],
    [
      'no array of data',
      () => criterion.forward({ data: new Set([1, 2]), dims: [1, 2] } as never, targets),
      TypeError,
      'logits.data must be an array, got an object',
    ],
    [
      'data that are missing',
      () => criterion.forward({ dims: [1, 2] } as never, targets),
      TypeError,
      'logits.data must be an array, got undefined',
    ],
    [
      'data that have to be waited for',
      () => criterion.forward({ data: async () => logits, shape: [4, 3] } as never, targets),
      TypeError,
      'logits.data must be an array, got a function: have it by await logits.data(), or take focal-loss/tfjs',
    ],
    [
      'sizes that are no numbers',
      () => criterion.forward({ data: logits, dims: [4n, 3n] } as never, targets),
      TypeError,
      'logits.dims or logits.shape must be an array of numbers, got an Array',
    ],
    [
      'no shape',
      () => criterion.forward({ data: logits } as never, targets),
      TypeError,
      'logits.dims or logits.shape must be an array of numbers, got undefined',
    ],
  ])('%s', (_, call, kind, message) => expectFailure(call, kind, message));

  it('and nothing is written', () => {
    const grad = new Float32Array(12).fill(7);
    expect(() => criterion.backward(x, { data: targets, dims: [2, 2] }, { grad })).toThrow(
      RangeError,
    );
    expect(grad).toEqual(new Float32Array(12).fill(7));
  });
});
