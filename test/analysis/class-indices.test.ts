import { vectorFromArray } from 'apache-arrow';
import fc from 'fast-check';
import { FocalLoss } from 'focal-loss';
import { type ClassIndicesOptions, classIndices } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';

/** The indices and the names of the classes, as plain arrays. */
function encode(values: Iterable<unknown>, options?: ClassIndicesOptions): [number[], string[]] {
  const { targets, classNames } = classIndices(values, options);
  expect(targets).toBeInstanceOf(Int32Array);
  return [[...targets], classNames];
}

describe('labels by themselves', () => {
  it.each<[string, Iterable<unknown>, number[], string[]]>([
    [
      'strings, in the order of their code units',
      ['b', 'a', 'B', 'b'],
      [2, 1, 0, 2],
      ['B', 'a', 'b'],
    ],
    ['a single string', ['x', 'x'], [0, 0], ['x']],
    ['numbers among strings that are none', ['10', '9', 'other'], [0, 1, 2], ['10', '9', 'other']],
    ['booleans', [true, false, true], [1, 0, 1], ['false', 'true']],
    ['booleans of which one occurs', [true, true], [1, 1], ['false', 'true']],
    ['numbers', [0, 2, 0], [0, 2, 0], ['0', '1', '2']],
    ['numbers of which the largest do not occur', [0, 0], [0, 0], ['0', '1']],
    ['BigInts', [1n, 0n], [1, 0], ['0', '1']],
    ['BigInts and numbers', [1n, 0], [1, 0], ['0', '1']],
    ['zero with a sign', [-0, 1], [0, 1], ['0', '1']],
    ['floats that are integers', new Float32Array([1, 0, 3]), [1, 0, 3], ['0', '1', '2', '3']],
    ['64-bit integers', new BigInt64Array([1n, 0n]), [1, 0], ['0', '1']],
    ['bytes', new Uint8Array([255, 0]), [255, 0], Array.from({ length: 256 }, (_, j) => String(j))],
    ['a Set', new Set([1, 0]), [1, 0], ['0', '1']],
    ['a vector of strings', vectorFromArray(['no', 'yes', 'no']), [0, 1, 0], ['no', 'yes']],
    ['no rows', [], [], []],
  ])('%s', (_, values, targets, classNames) => {
    expect(encode(values)).toEqual([targets, classNames]);
  });

  it('gives the loss what it takes', () => {
    const { targets } = classIndices(['no', 'yes']);
    expect(new FocalLoss().forward(Float64Array.of(2.5, -1, 0.5, 0.5), targets)).toBeCloseTo(
      0.02167,
      5,
    );
  });

  it('takes indices up to 2 ** 20', () => {
    const { targets, classNames } = classIndices([2 ** 20 - 1]);
    expect([targets[0], classNames.length, classNames.at(-1)]).toEqual([
      1048575,
      1048576,
      '1048575',
    ]);
  });
});

describe('given classes', () => {
  it.each<[string, Iterable<unknown>, ClassIndicesOptions, number[]]>([
    ['in their order', ['CN', 'AD'], { classes: ['CN', 'AD'] }, [0, 1]],
    ['some of which do not occur', ['c'], { classes: ['a', 'b', 'c'] }, [2]],
    ['numbers as text', ['10', '9'], { classes: ['9', '10'] }, [1, 0]],
    ['numbers for text', [10, 9n], { classes: ['9', '10'] }, [1, 0]],
    ['text for numbers', ['3', '-1'], { classes: [-1, 3] }, [1, 0]],
    ['fractions', [0.5, 1.5], { classes: [1.5, 0.5] }, [1, 0]],
    ['booleans', [true, false], { classes: [true, false] }, [0, 1]],
    ['booleans as text', ['true', false], { classes: ['false', true] }, [1, 0]],
    ['several kinds', ['x', 1, true], { classes: ['x', 1, true] }, [0, 1, 2]],
    ['the empty string', ['', 'x'], { classes: ['x', ''] }, [1, 0]],
  ])('%s', (_, values, options, targets) => {
    expect(encode(values, options)).toEqual([targets, options.classes?.map(String)]);
  });

  it('encode other rows in the same way', () => {
    const { classNames } = classIndices([0, 2, 1]);
    expect(encode([1, 0], { classes: classNames })).toEqual([
      [1, 0],
      ['0', '1', '2'],
    ]);
  });
});

describe('missing labels', () => {
  it.each<[string, Iterable<unknown>, ClassIndicesOptions, number[], string[]]>([
    [
      'among strings',
      ['b', null, 'a', undefined],
      { ignoreIndex: -100 },
      [1, -100, 0, -100],
      ['a', 'b'],
    ],
    ['among numbers', [1, null, 0], { ignoreIndex: -1 }, [1, -1, 0], ['0', '1']],
    [
      'that are marked by the index',
      [1, -1, 0n, -1n],
      { ignoreIndex: -1 },
      [1, -1, 0, -1],
      ['0', '1'],
    ],
    [
      'that are marked by an index of a class',
      [0, 3, 1],
      { ignoreIndex: 3 },
      [0, 3, 1],
      ['0', '1'],
    ],
    ['among booleans', [null, true], { ignoreIndex: 2 }, [2, 1], ['false', 'true']],
    [
      'among given classes',
      ['b', null],
      { classes: ['a', 'b'], ignoreIndex: 255 },
      [1, 255],
      ['a', 'b'],
    ],
    [
      'that are marked as text',
      ['b', '-1'],
      { classes: ['a', 'b'], ignoreIndex: -1 },
      [1, -1],
      ['a', 'b'],
    ],
    ['and no others', [null, null], { ignoreIndex: -1 }, [-1, -1], []],
    // biome-ignore lint/suspicious/noSparseArray: An array may have a hole.
    ['that are holes', [1, , 0], { ignoreIndex: -1 }, [1, -1, 0], ['0', '1']],
    ['in a vector', vectorFromArray(['b', null, 'a']), { ignoreIndex: -1 }, [1, -1, 0], ['a', 'b']],
  ])('%s', (_, values, options, targets, classNames) => {
    expect(encode(values, options)).toEqual([targets, classNames]);
  });
});

describe('errors', () => {
  const oneOf = 'a string, a number, a BigInt or a boolean';
  const index = 'a class index, an integer in [0, 1048576)';
  const cases: [unknown, ClassIndicesOptions | undefined, ErrorConstructor, string][] = [
    [
      [0, null],
      {},
      TypeError,
      'values[1] must be a label, as there is no ignoreIndex for missing ones, got null',
    ],
    [
      ['a', undefined],
      {},
      TypeError,
      'values[1] must be a label, as there is no ignoreIndex for missing ones, got undefined',
    ],
    [[0, NaN], {}, RangeError, 'values[1] must be finite, got NaN'],
    [[0, NaN], { ignoreIndex: -1 }, RangeError, 'values[1] must be finite, got NaN'],
    [[0, Infinity], { classes: ['0'] }, RangeError, 'values[1] must be finite, got Infinity'],
    [new Float32Array([0, NaN]), {}, RangeError, 'values[1] must be finite, got NaN'],
    [[0, 0.7], {}, RangeError, `values[1] must be ${index}, without classes, got 0.7`],
    [[-1], {}, RangeError, `values[0] must be ${index}, without classes, got -1`],
    [
      [-1],
      { ignoreIndex: -100 },
      RangeError,
      `values[0] must be ${index} or ignoreIndex, -100, without classes, got -1`,
    ],
    [[2 ** 20], {}, RangeError, `values[0] must be ${index}, without classes, got 1048576`],
    [
      [2n ** 64n],
      {},
      RangeError,
      `values[0] must be ${index}, without classes, got 18446744073709551616`,
    ],
    [[-1n], {}, RangeError, `values[0] must be ${index}, without classes, got -1`],
    [
      ['a', 1],
      {},
      TypeError,
      'values[1] must be a string like the labels before, without classes, got 1',
    ],
    [
      [1, 'a'],
      {},
      TypeError,
      'values[1] must be a number like the labels before, without classes, got "a"',
    ],
    [
      [null, true, 1n],
      { ignoreIndex: -1 },
      TypeError,
      'values[2] must be a boolean like the labels before, without classes, got 1',
    ],
    [
      ['a', ''],
      {},
      RangeError,
      'values[1] must be more than the empty string, without classes, got ""',
    ],
    [
      ['1', '0'],
      {},
      TypeError,
      'values[0] must be a number, or one of given classes, where all labels are numbers as text, got "1"',
    ],
    [
      [null, '0.5'],
      { ignoreIndex: -1 },
      TypeError,
      'values[1] must be a number, or one of given classes, where all labels are numbers as text, got "0.5"',
    ],
    [
      ['a', 'c'],
      { classes: ['a', 'b'] },
      RangeError,
      'values[1] must be one of the classes "a", "b", got "c"',
    ],
    [
      [0.1],
      { classes: [0, 1] },
      RangeError,
      'values[0] must be one of the classes "0", "1", got 0.1',
    ],
    [
      [-1],
      { classes: Array.from({ length: 9 }, (_, j) => j) },
      RangeError,
      'values[0] must be one of the 9 classes, got -1',
    ],
    [
      ['toString'],
      { classes: ['a'] },
      RangeError,
      'values[0] must be one of the classes "a", got "toString"',
    ],
    [[{}], {}, TypeError, `values[0] must be ${oneOf}, got an object`],
    [[[0]], {}, TypeError, `values[0] must be ${oneOf}, got an Array`],
    [[Symbol('s')], {}, TypeError, `values[0] must be ${oneOf}, got Symbol(s)`],
    [[new Date(0)], {}, TypeError, `values[0] must be ${oneOf}, got an object`],
    [[() => 0], { classes: ['a'] }, TypeError, `values[0] must be ${oneOf}, got a function`],
    [
      'ab',
      {},
      TypeError,
      'values must be an array or another iterable with one label per row, got "ab"',
    ],
    [
      null,
      {},
      TypeError,
      'values must be an array or another iterable with one label per row, got null',
    ],
    [
      { length: 1, 0: 1 },
      {},
      TypeError,
      'values must be an array or another iterable with one label per row, got an object',
    ],
    [
      [0],
      { classes: 'a' as never },
      TypeError,
      'classes must be an array with the label of each class, got "a"',
    ],
    [[0], { classes: [] }, RangeError, 'classes must be at least one label, got an Array'],
    [
      [0],
      { classes: ['a', 'b', 'a'] },
      RangeError,
      'classes[2] must be another label than classes[0], got "a"',
    ],
    [
      [0],
      { classes: [1, '1'] },
      RangeError,
      'classes[1] must be another label than classes[0], got "1"',
    ],
    [[0], { classes: [NaN] }, RangeError, 'classes[0] must be finite, got NaN'],
    [[0], { classes: [null] as never }, TypeError, `classes[0] must be ${oneOf}, got null`],
    [
      ['a', 'b'],
      { ignoreIndex: 1 },
      RangeError,
      'ignoreIndex must be the index of no class, outside [0, 2), got 1',
    ],
    [
      [true],
      { ignoreIndex: 0 },
      RangeError,
      'ignoreIndex must be the index of no class, outside [0, 2), got 0',
    ],
    [
      [5],
      { classes: [5, 7], ignoreIndex: 0 },
      RangeError,
      'ignoreIndex must be the index of no class, outside [0, 2), got 0',
    ],
    [
      [0],
      { ignoreIndex: 0.5 },
      RangeError,
      'ignoreIndex must be an integer in [-2147483647, 2147483647], got 0.5',
    ],
    [
      [0],
      { class: ['a'] } as never,
      TypeError,
      'unknown option "class"; known are classes, ignoreIndex',
    ],
    [[0], null as never, TypeError, 'options must be an object, got null'],
  ];
  it.each(cases.map(([values, options, kind, message]) => ({ values, options, kind, message })))(
    '$message',
    (row) => {
      const { values, options, kind, message } = row;
      expectFailure(() => classIndices(values as Iterable<unknown>, options), kind, message);
    },
  );
});

it('gives each label back by the name of its class, whatever its order', () => {
  const label = fc.string({ minLength: 1, maxLength: 3 }).map((text) => `x${text}`);
  fc.assert(
    fc.property(fc.array(fc.option(label), { minLength: 1 }), (values) => {
      const { targets, classNames } = classIndices(values, { ignoreIndex: -1 });
      expect(Array.from(targets, (target) => classNames[target] ?? null)).toEqual(values);
      expect(classNames).toEqual([...new Set(values.filter((value) => value !== null))].sort());
      expect(
        classIndices(values, { classes: classNames.length ? classNames : ['-'], ignoreIndex: -1 })
          .targets,
      ).toEqual(targets);
    }),
  );
});
