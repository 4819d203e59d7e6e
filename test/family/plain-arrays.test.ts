import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';
import { generator } from '../support/random.js';

const random = generator(11);
const typed = Float64Array.from({ length: 12 }, () => 8 * random() - 4);
const rows = Array.from({ length: 4 }, (_, row) =>
  Array.from(typed.subarray(3 * row, 3 * row + 3)),
);
const flat = Array.from(typed);
const labels = Int32Array.of(0, 2, 1, 0);
const weights = Float64Array.of(1, 0.5, 0, 2);
const soft = Float64Array.of(0.25, 0.75, 0, 1, 0, 0, 0, 1, 0, 0.5, 0.25, 0.25);
const softRows = Array.from({ length: 4 }, (_, row) =>
  Array.from(soft.subarray(3 * row, 3 * row + 3)),
);

const criterion = new FocalLoss();
const perRow = new FocalLoss({ reduction: 'none' });

describe('plain arrays give what a Float64Array gives', () => {
  const all = (x: typeof typed, y: Int32Array) => [
    criterion.valueAndGrad(x, y),
    criterion.forward(x, y),
    criterion.backward(x, y),
    criterion.hessianDiag(x, y),
    criterion.gammaGrad(x, y),
    perRow.forward(x, y),
  ];
  it.each<[string, unknown]>([
    ['rows', rows],
    ['numbers', flat],
    ['rows that are typed arrays', rows.map((row) => Float64Array.from(row))],
    ['a tensor by its dims', { data: flat, dims: [4, 3] }],
    ['a tensor by its shape', { data: flat, shape: [4, 3] }],
  ])('logits as %s', (_, x) => {
    const expected = all(typed, labels);
    for (const y of [labels, [0, 2, 1, 0], [0n, 2n, 1n, 0n], { data: [0, 2, 1, 0], dims: [4] }]) {
      expect(all(x as typeof typed, y as typeof labels)).toEqual(expected);
    }
  });

  it('targets beside typed logits, whose kind the result has', () => {
    const single = Float32Array.from(typed);
    const { grad } = criterion.valueAndGrad(single, [0, 2, 1, 0]);
    expect(grad).toEqual(criterion.backward(single, labels));
    expect(grad).toBeInstanceOf(Float32Array);
  });

  it('booleans are 0 and 1', () => {
    const x = [
      [2.5, -1],
      [0.5, 0.5],
    ];
    expect(criterion.forward(x, [false, true])).toBe(criterion.forward(x, [0, 1]));
    const sigmoid = new SigmoidFocalLoss();
    expect(sigmoid.forward([2, -1], [true, false])).toBe(
      sigmoid.forward(Float64Array.of(2, -1), Uint8Array.of(1, 0)),
    );
    const oneHot = criterion.forward(x, [
      [true, false],
      [false, true],
    ]);
    expect(oneHot).toBeCloseTo(criterion.forward(x, [0, 1]), 15);
  });

  it('rows of probabilities', () => {
    const expected = criterion.valueAndGrad(typed, soft, { numClasses: 3 });
    for (const x of [typed, flat, rows])
      expect(criterion.valueAndGrad(x, softRows)).toEqual(expected);
    expect(criterion.valueAndGrad(rows, soft)).toEqual(expected);
    expect(criterion.valueAndGrad(flat, Array.from(soft), { numClasses: 3 })).toEqual(expected);
    expect(criterion.valueAndGrad(rows, { data: Array.from(soft), dims: [4, 3] })).toEqual(
      expected,
    );
    expect(new CrossEntropyLoss().forward(rows, softRows)).toBe(
      new CrossEntropyLoss().forward(typed, soft, { numClasses: 3 }),
    );
  });

  it('the sigmoid loss, with columns', () => {
    const columns = new SigmoidFocalLoss({ alpha: [0.2, 0.5, 0.9] });
    const expected = columns.valueAndGrad(typed, soft, { numClasses: 3, sampleWeights: weights });
    const given = columns.valueAndGrad(rows, softRows, { sampleWeights: Array.from(weights) });
    expect(given).toEqual(expected);
    expect(
      columns.valueAndGrad(flat, Array.from(soft), { numClasses: 3, sampleWeights: weights }),
    ).toEqual(expected);
  });

  it('the classes first', () => {
    const dense = new CrossEntropyLoss({ layout: 'channels-first' });
    const expected = dense.valueAndGrad(typed, labels, { numClasses: 3, spatialSize: 2 });
    const image = [0, 1].map((s) =>
      [0, 1, 2].map((j) => flat.slice(6 * s + 2 * j, 6 * s + 2 * j + 2)),
    );
    expect(dense.valueAndGrad(image, labels)).toEqual(expected);
    const nested = [
      [0, 2],
      [1, 0],
    ];
    expect(dense.valueAndGrad(image, nested)).toEqual(expected);
    expect(
      dense.valueAndGrad(typed, { data: [0, 2, 1, 0], dims: [2, 2] }, { numClasses: 3 }),
    ).toEqual(expected);
  });

  it('weights and upstream gradients', () => {
    const expected = perRow.valueAndGrad(typed, labels, {
      sampleWeights: weights,
      gradOutput: weights,
    });
    const lists = { sampleWeights: Array.from(weights), gradOutput: Array.from(weights) };
    expect(perRow.valueAndGrad(typed, labels, lists)).toEqual(expected);
    const grad = new Float64Array(12);
    expect(perRow.valueAndGrad(rows, labels, { ...lists, grad }).grad).toBe(grad);
    expect(grad).toEqual(expected.grad);
  });

  it('no rows', () => {
    expect(criterion.valueAndGrad([], [])).toEqual({ value: NaN, grad: new Float64Array(0) });
    expect(criterion.with({ reduction: 'sum' }).forward([], new Uint8Array(0))).toBe(0);
  });

  it('what is no number of a row, as of a Float64Array', () => {
    const given = perRow.valueAndGrad(
      [
        [NaN, 0],
        [0, -Infinity],
      ],
      [0, 0],
    );
    expect(given).toEqual(
      perRow.valueAndGrad(Float64Array.of(NaN, 0, 0, -Infinity), Uint8Array.of(0, 0)),
    );
  });
});

describe('class indices among floats', () => {
  it.each([Float32Array, Float64Array])('%o', (Float) => {
    const given = Float.from(labels);
    for (const x of [typed, rows, { data: typed, dims: [4, 3] }]) {
      expect(criterion.valueAndGrad(x, given)).toEqual(criterion.valueAndGrad(typed, labels));
      expect(criterion.forward(x, { data: given, dims: [4] })).toBe(
        criterion.forward(typed, labels),
      );
    }
    const ignoring = new CrossEntropyLoss({ ignoreIndex: -100, numClasses: 3 });
    const expected = ignoring.valueAndGrad(typed, Int32Array.of(0, -100, 1, 2));
    expect(ignoring.valueAndGrad(typed, Float.of(-0, -100, 1, 2))).toEqual(expected);
  });

  it('what is refused names the row, the value as given, and what to do', () => {
    const DO =
      'class indices are integers, as Int32Array.from(...) makes them, and probabilities are one per logit';
    const two = Float64Array.of(1, 2, 3, 4);
    const wrong = (targets: unknown, kind: ErrorConstructor, message: string) =>
      expectFailure(() => criterion.forward(two, targets as Int32Array), kind, message);
    for (const make of [(y: number[]) => Float32Array.from(y), (y: number[]) => y]) {
      wrong(make([0, 0.5]), RangeError, `targets[1] must be an integer, got 0.5: ${DO}`);
      wrong(make([NaN, 1]), RangeError, `targets[0] must be an integer, got NaN: ${DO}`);
      wrong(make([0, Infinity]), RangeError, `targets[1] must be an integer, got Infinity: ${DO}`);
      wrong(
        make([0, 2 ** 32]),
        RangeError,
        'targets[1] must be a class, an integer of 32 bits, got 4294967296',
      );
      wrong(
        make([0, -(2 ** 31) - 2 ** 20]),
        RangeError,
        'targets[1] must be a class, an integer of 32 bits, got -2148532224',
      );
      wrong(make([0, 2]), RangeError, 'targets[1] must be a class in [0, 2), got 2');
      wrong(make([-1, 1]), RangeError, 'targets[0] must be a class in [0, 2), got -1');
    }
    const long = 2n ** 53n + 1n;
    wrong([0n, long], RangeError, `targets[1] must be a class, an integer of 32 bits, got ${long}`);
    wrong([0, '1'], TypeError, 'targets[1] must be a number or a boolean, got "1"');
    wrong([0, null], TypeError, 'targets[1] must be a number or a boolean, got null');
  });
});

describe('rows that are none are refused', () => {
  it.each<[string, unknown, unknown, ErrorConstructor, string]>([
    [
      'of other lengths',
      [[1, 2], [3]],
      [0, 1],
      RangeError,
      'logits[1] must have 2 entries, as the first has, got 1',
    ],
    [
      'a number',
      [[1, 2], 3],
      [0, 1],
      TypeError,
      'logits[1] must be an array of 2 entries, as the first is, got 3',
    ],
    [
      'deeper',
      [
        [1, 2],
        [3, [4]],
      ],
      [0, 1],
      TypeError,
      'logits[1][1] must be a number, got an Array',
    ],
    [
      'a gap',
      [
        [1, 2],
        [3, undefined],
      ],
      [0, 1],
      TypeError,
      'logits[1][1] must be a number, got undefined',
    ],
    ['a text', [['1', 2]], [0], TypeError, 'logits[0][0] must be a number, got "1"'],
    ['a boolean', [[1, true]], [0], TypeError, 'logits[0][1] must be a number, got true'],
    [
      'nothing, very often',
      new Array(2 ** 32 - 1),
      [0],
      TypeError,
      'logits[0] must be a number, got undefined',
    ],
    [
      'one column',
      [[1], [2]],
      [0, 0],
      RangeError,
      'numClasses must be an integer in [2, 2147483647], got 1',
    ],
    ['targets', [[1, 2, 3]], [[1, 0]], RangeError, 'targets must have the shape [1,3], got [1,2]'],
    [
      'probabilities',
      [
        [1, 2],
        [3, 4],
      ],
      [
        [0.5, 0.6],
        [0, 1],
      ],
      RangeError,
      'targets: the probabilities of row 0 must add up to 1, within 0.001, got 1.1',
    ],
    [
      'targets of other lengths',
      [[1, 2]],
      [[1, 0], [1]],
      RangeError,
      'targets[1] must have 2 entries, as the first has, got 1',
    ],
  ])('%s', (_, logits, targets, kind, message) => {
    const grad = new Float64Array(4).fill(7);
    expectFailure(
      () => criterion.backward(logits as number[], targets as number[], { grad }),
      kind,
      message,
    );
    expect(grad).toEqual(new Float64Array(4).fill(7));
  });

  it('an array that contains itself', () => {
    const round: unknown[] = [];
    round.push(round);
    expectFailure(
      () => criterion.forward(round as number[], [0]),
      RangeError,
      'logits must be nested no deeper than 16 arrays',
    );
  });

  it('a plain array as a buffer', () => {
    const grad = [0, 0] as unknown as Float64Array;
    const message = 'grad must be a Float64Array like the logits, got an Array';
    expectFailure(() => criterion.backward([1, 2], [0], { grad }), TypeError, message);
  });
});
