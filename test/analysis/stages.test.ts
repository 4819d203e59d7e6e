import { CrossEntropyLoss, FocalLoss } from 'focal-loss';
import { stages } from 'focal-loss/analysis';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { expectFailure } from '../support/failure.js';

describe("the page's stages", () => {
  const criterionOf = stages([
    { until: 5, gamma: 1 },
    { until: 20, gamma: 2 },
    { gamma: 3, labelSmoothing: 0.1 },
  ]);

  it.each([
    [0, 1, 0],
    [4, 1, 0],
    [5, 2, 0],
    [19, 2, 0],
    [20, 3, 0.1],
    [1e9, 3, 0.1],
  ])('epoch %i has gamma %f and labelSmoothing %f', (epoch, gamma, labelSmoothing) => {
    expect(criterionOf(epoch)).toMatchObject({
      alpha: 0.25,
      gamma,
      labelSmoothing,
      reduction: 'mean',
    });
  });

  it('are made once each', () => {
    expect(criterionOf(5)).toBe(criterionOf(19));
    expect(criterionOf(4)).not.toBe(criterionOf(5));
  });
});

it('change the criterion that is given, each by itself', () => {
  const base = new FocalLoss({ alpha: [1, 2, 3], gamma: 4, reduction: 'none', ignoreIndex: -1 });
  const criterionOf = stages([{ until: 1, gamma: 0, labelSmoothing: 0.2 }, { until: 2 }], base);
  expectTypeOf(criterionOf).returns.toEqualTypeOf<FocalLoss<'none'>>();
  expect(criterionOf(0)).toMatchObject({
    alpha: [1, 2, 3],
    gamma: 0,
    labelSmoothing: 0.2,
    reduction: 'none',
  });
  expect(criterionOf(1)).toMatchObject({
    alpha: [1, 2, 3],
    gamma: 4,
    labelSmoothing: 0,
    ignoreIndex: -1,
  });
  const losses = criterionOf(0).forward(new Float32Array(6), Int8Array.of(0, -1));
  expect(losses[1]).toBe(0);
});

it('are for cross-entropy, too', () => {
  const criterionOf = stages(
    [{ until: 3, labelSmoothing: 0.1 }, { weight: [1, 2] }],
    new CrossEntropyLoss(),
  );
  expect(criterionOf(2)).toMatchObject({ labelSmoothing: 0.1, weight: null });
  expect(criterionOf(3)).toMatchObject({ labelSmoothing: 0, weight: [1, 2] });
});

it.each<[() => unknown, ErrorConstructor, string]>([
  [() => stages([]), RangeError, 'stages must not be empty'],
  [() => stages({} as never), TypeError, 'stages must be an array, got an object'],
  [() => stages([3 as never]), TypeError, 'stages[0] must be an object, got 3'],
  [
    () => stages([{ gamma: 1 }, { gamma: 2 }]),
    TypeError,
    'stages[0].until must be given, unless the stage is the last',
  ],
  [
    () => stages([{ until: 5 }, { until: 5 }]),
    RangeError,
    `stages[1].until must be an integer in [6, ${2 ** 53 - 1}], got 5`,
  ],
  [
    () => stages([{ until: 0 }]),
    RangeError,
    `stages[0].until must be an integer in [1, ${2 ** 53 - 1}], got 0`,
  ],
  [
    () => stages([{ until: 1.5 }]),
    RangeError,
    `stages[0].until must be an integer in [1, ${2 ** 53 - 1}], got 1.5`,
  ],
  [() => stages([{ until: '5' as never }]), TypeError, 'stages[0].until must be a number, got "5"'],
  [
    () => stages([{ until: 1 }, { gamma: -1 }]),
    RangeError,
    'stages[1]: gamma must be finite and not negative, got -1',
  ],
  [
    () => stages([{ reduction: 'none' } as never]),
    TypeError,
    'stages[0]: the reduction is that of the criterion',
  ],
  [
    () => stages([{}], {} as never),
    TypeError,
    'criterion must be a FocalLoss, a PolyFocalLoss or a CrossEntropyLoss, got an object',
  ],
  [
    () => stages([{ until: 3 }])(3),
    RangeError,
    'epoch must be below 3, where the last stage ends, got 3',
  ],
  [() => stages([{}])(-1), RangeError, `epoch must be an integer in [0, ${2 ** 53 - 1}], got -1`],
  [() => stages([{}])('1' as never), TypeError, 'epoch must be a number, got "1"'],
])('refuse what does not fit together %#', expectFailure);
