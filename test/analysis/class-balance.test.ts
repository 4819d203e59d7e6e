import fc from 'fast-check';
import { CrossEntropyLoss, FocalLoss } from 'focal-loss';
import { classBalance, SigmoidFocalLoss } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';
import fixtures from './fixtures/report.json';

/** So many rows of each class. */
const rowsOf = (...counts: number[]) =>
  Uint8Array.from(counts.flatMap((count, j) => Array<number>(count).fill(j)));
const sum = (numbers: Iterable<number>) => [...numbers].reduce((a, b) => a + b, 0);

describe("the page's scenarios", () => {
  it.each([
    ['balanced', 500, 500, 0.5, 0.5],
    ['imbalanced', 750, 250, 0.25, 0.75],
    ['severely imbalanced', 900, 100, 0.1, 0.9],
    ['typical of ADNI', 60, 40, 0.4, 0.6],
  ])('%s: %i and %i', (_, negatives, positives, alpha, balancedAlpha) => {
    const balance = classBalance(rowsOf(negatives, positives));
    expect(balance).toMatchObject({
      rows: negatives + positives,
      numClasses: 2,
      alpha,
      balancedAlpha,
    });
    expect([...balance.counts]).toEqual([negatives, positives]);
    expect([...balance.fractions]).toEqual([balancedAlpha, alpha]);
    // With balancedAlpha, both classes have the same weight in all; with the page's alpha, the
    // majority has even more.
    expect(negatives * (1 - balance.balancedAlpha)).toBeCloseTo(
      positives * balance.balancedAlpha,
      10,
    );
    expect(negatives * (1 - balance.alpha)).toBeGreaterThanOrEqual(positives * balance.alpha);
  });
});

describe('the warning', () => {
  const warningOf = (counts: number[], criterion: FocalLoss | CrossEntropyLoss) =>
    classBalance(rowsOf(...counts), counts.length, { criterion }).warning;

  it("names the page's alpha for a rare positive class", () => {
    expect(warningOf([900, 100], new FocalLoss({ alpha: 0.1 }))).toBe(
      'class 0 is 90 % of the rows, class 1 is 10 %, but a row of class 0 weighs 0.9 and one of class 1 0.1',
    );
    expect(warningOf([100, 900], new FocalLoss({ alpha: 0.9 }))).toMatch(/^class 1 is 90 %/);
  });

  it('goes by the lightest of the rarer classes', () => {
    expect(warningOf([4, 2, 3], new CrossEntropyLoss({ weight: [1, 0.5, 0.25] }))).toBe(
      'class 0 is 44.4 % of the rows, class 2 is 33.3 %, but a row of class 0 weighs 1 and one of class 2 0.25',
    );
    expect(warningOf([1, 100], new FocalLoss({ alpha: [1, 3], gamma: 0 }))).toMatch(
      /^class 1 is 99 %/,
    );
  });

  it.each([
    ['balancedAlpha', [900, 100], new FocalLoss({ alpha: 0.9 })],
    ['equal weights', [900, 100], new FocalLoss({ alpha: null })],
    ['no weights', [900, 100], new CrossEntropyLoss()],
    ['balanced classes', [500, 500], new FocalLoss({ alpha: 0.1 })],
    ['a class without rows', [900, 0], new FocalLoss({ alpha: 0.1 })],
    ['no rows', [0, 0], new FocalLoss({ alpha: 0.1 })],
    ['equal weights of two rare classes', [9, 3, 1], new CrossEntropyLoss({ weight: [1, 1, 2] })],
  ])('is silent for %s', (_, counts, criterion) => {
    expect(warningOf(counts, criterion)).toBeUndefined();
  });
});

describe('without a criterion', () => {
  const warningOf = (...counts: number[]) => classBalance(rowsOf(...counts), counts.length).warning;

  it('alpha is what the warning is about', () => {
    expect(warningOf(900, 100)).toBe(
      'with alpha 0.1, positives / total, class 0 is 90 % of the rows, class 1 is 10 %, but a row of class 0 weighs 0.9 and one of ' +
        'class 1 0.1: balancedAlpha, 0.9, weighs all classes the same',
    );
    expect(warningOf(100, 900)).toMatch(/^with alpha 0.9, .* balancedAlpha, 0.1, weighs/);
    expect(warningOf(900, 50, 50)).toMatch(
      /^with alpha 0.05, .*: inverseFrequency weighs all classes the same$/,
    );
  });

  it('there is none for balanced classes, and none about classes without rows', () => {
    for (const counts of [
      [500, 500],
      [3, 3, 3],
      [9, 0],
      [0, 9],
      [0, 0],
    ])
      expect(warningOf(...counts)).toBeUndefined();
  });
});

describe('a beta that is too small for the classes', () => {
  const issue = [900_000, 700_000, 60_000];
  const labels = rowsOf(...issue);
  const balanced = new CrossEntropyLoss({ weight: [...classBalance(labels, 3).inverseFrequency] });
  const warningOf = (targets: Uint8Array, beta?: number) =>
    classBalance(targets, undefined, { criterion: balanced.with({ weight: null }), beta }).warning;

  it('is said, with one that tells them apart', () => {
    const { effectiveNumber, warning, rows } = classBalance(labels, 3, { criterion: balanced });
    expect([...effectiveNumber].map((weight) => weight.toFixed(3))).toEqual([
      '1.000',
      '1.000',
      '1.000',
    ]);
    expect(warning).toBe(
      'beta 0.999 is too small for classes of so many rows: effectiveNumber weighs all of them the same, although the largest has ' +
        `15 times the rows of the smallest; 1 - 1 / rows, ${1 - 1 / 1_660_000}, tells them apart`,
    );
    const better = classBalance(labels, 3, { criterion: balanced, beta: 1 - 1 / rows });
    expect(better.warning).toBeUndefined();
    expect(better.effectiveNumber[2]).toBeGreaterThan(5 * better.effectiveNumber[0]);
    expect(warningOf(labels, 0.9999)).toMatch(/^beta 0.9999 is too small/);
  });

  it('is not said of a beta of 0, of small classes or of equal ones', () => {
    expect(warningOf(labels, 0)).toBeUndefined();
    expect(warningOf(rowsOf(900, 100))).toBeUndefined();
    expect(warningOf(rowsOf(100_000, 100_000))).toBeUndefined();
    expect(warningOf(rowsOf(0, 100_000))).toBeUndefined();
    expect(warningOf(rowsOf(12_000, 10_000))).toMatch(/1.2 times/);
  });

  it('may come with the other warning', () => {
    expect(classBalance(rowsOf(40_000, 10_000)).warning).toMatch(
      /^with alpha 0.2, .* the same; beta 0.999 is too small/,
    );
  });
});

it('is a table as text', () => {
  expect(`${classBalance(rowsOf(6, 2))}`).toBe(
    [
      'class  rows  fraction  inverse frequency  effective number',
      '0         6    0.7500             0.6667            0.5008',
      '1         2    0.2500             2.0000            1.4992',
      '',
      'rows                           8',
      'classes                        2',
      'balanced alpha            0.7500',
      'alpha, positives / total  0.2500',
      '',
      'warning: with alpha 0.25, positives / total, class 0 is 75 % of the rows, class 1 is 25 %, but a row of class 0 weighs 0.75 ' +
        'and one of class 1 0.25: balancedAlpha, 0.75, weighs all classes the same',
    ].join('\n'),
  );
  expect(`${classBalance(Float32Array.of(0.5, 0.5), 2)}`).not.toContain('warning');
});

describe('weights', () => {
  it.each(fixtures.cases)('by inverse frequency are those of scikit-learn: $name', (one) => {
    const { inverseFrequency } = classBalance(Uint8Array.from(one.targets), one.classes);
    inverseFrequency.forEach((weight, j) => {
      expect(weight).toBeCloseTo(one.balancedWeights[j], 14);
    });
  });

  it('by effective number are the published formula', () => {
    const counts = [5000, 500, 5];
    for (const beta of [0, 0.9, 0.99, 0.999, 0.9999]) {
      const { effectiveNumber } = classBalance(Uint8Array.from(rowsOf(...counts)), 3, { beta });
      const raw = counts.map((count) => (1 - beta) / (1 - beta ** count));
      effectiveNumber.forEach((weight, j) => {
        expect(weight).toBeCloseTo((raw[j] * 3) / sum(raw), 11);
      });
    }
  });

  it('by effective number become those by inverse frequency as beta nears 1', () => {
    const { effectiveNumber, inverseFrequency } = classBalance(rowsOf(700, 200, 100), 3, {
      beta: 1 - 2 ** -52,
    });
    const scale = 3 / sum(inverseFrequency);
    effectiveNumber.forEach((weight, j) => {
      expect(weight).toBeCloseTo(inverseFrequency[j] * scale, 10);
    });
  });

  it('sum as they say, whatever the order of the rows', () => {
    const batch = fc.array(fc.nat(6), { minLength: 1, maxLength: 200 });
    const beta = fc.constantFrom(0, 0.5, 0.99, 0.9999);
    fc.assert(
      fc.property(batch, beta, fc.boolean(), (labels, beta, ignores) => {
        const options = { beta, ignoreIndex: ignores ? 3 : undefined };
        const balance = classBalance(Int16Array.from(labels), 7, options);
        const counted = labels.filter((label) => !(ignores && label === 3));
        const { counts, fractions, inverseFrequency, effectiveNumber, rows } = balance;
        expect([...counts]).toEqual(
          Array.from({ length: 7 }, (_, j) => counted.filter((label) => label === j).length),
        );
        expect(rows).toBe(counted.length);
        expect(balance).toEqual(classBalance(Int16Array.from(labels.toSorted()), 7, options));
        if (rows === 0) return;
        const present = new Set(counted).size;
        expect(sum(fractions)).toBeCloseTo(1, 13);
        expect(sum(inverseFrequency.map((weight, j) => weight * counts[j]))).toBeCloseTo(rows, 10);
        expect(sum(effectiveNumber)).toBeCloseTo(present, 12);
        expect(balance.alpha + balance.balancedAlpha).toBeCloseTo(1, 14);
        counts.forEach((count, j) => {
          if (count === 0) expect([inverseFrequency[j], effectiveNumber[j]]).toEqual([0, 0]);
        });
      }),
      { numRuns: 300, seed: 21 },
    );
  });
});

describe('targets', () => {
  const labels = [0, 2, 1, 1, 2, 1];

  it('may be of any integer kind', () => {
    for (const Kind of [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
    ]) {
      expect([...classBalance(Kind.from(labels)).counts], Kind.name).toEqual([1, 3, 2]);
    }
    for (const Kind of [BigInt64Array, BigUint64Array]) {
      expect([...classBalance(Kind.from(labels.map(BigInt))).counts], Kind.name).toEqual([1, 3, 2]);
    }
  });

  it('may be probabilities, which add up', () => {
    const balance = classBalance(Float32Array.of(0.5, 0.25, 0.25, 0, 0, 1), 3);
    expect([...balance.counts]).toEqual([0.5, 0.25, 1.25]);
    expect(balance).toMatchObject({ rows: 2, alpha: 0.125, balancedAlpha: 0.875 });
    expect(
      sum(balance.inverseFrequency.map((weight, j) => weight * balance.counts[j])),
    ).toBeCloseTo(2, 14);
  });

  it('say how many classes there are, if nothing else does: two at least', () => {
    expect(classBalance(new Uint8Array(3)).counts).toHaveLength(2);
    expect(classBalance(Uint8Array.of(4)).counts).toHaveLength(5);
    expect(
      classBalance(Uint8Array.of(4, 255, 1), undefined, { ignoreIndex: 255 }).counts,
    ).toHaveLength(5);
    expect(classBalance(Uint8Array.of(1), 4).counts).toHaveLength(4);
    expect(classBalance(Uint16Array.of(65_535)).counts).toHaveLength(65_536);
    const many = new Uint32Array(100_000);
    many[7] = 99_999;
    expect(classBalance(many).counts).toHaveLength(100_000);
    expect(classBalance(Uint32Array.of(1e6), 1_000_001).counts).toHaveLength(1_000_001);
    expect(
      classBalance(Uint32Array.of(1, 4e8), undefined, { ignoreIndex: 4e8 }).counts,
    ).toHaveLength(2);
  });

  it('may be none', () => {
    for (const balance of [classBalance(new Int32Array(0)), classBalance(new Float64Array(0), 2)]) {
      expect(balance).toMatchObject({
        rows: 0,
        alpha: NaN,
        balancedAlpha: NaN,
        warning: undefined,
      });
      expect([...balance.counts, ...balance.inverseFrequency, ...balance.effectiveNumber]).toEqual(
        Array(6).fill(0),
      );
      expect([...balance.fractions]).toEqual([NaN, NaN]);
    }
  });
});

it.each<[() => unknown, ErrorConstructor, string]>([
  [
    () => classBalance(new Set([0, 1]) as never),
    TypeError,
    /* as the losses say it */ 'targets must be an integer typed array of class indices, such as an Int32Array, or a float array of probabilities, got an object',
  ],
  [
    () => classBalance(Int8Array.of(0, -1)),
    RangeError,
    'targets[1] must be a class, 0 or above, got -1',
  ],
  [
    () => classBalance(Uint32Array.of(0, 2 ** 32 - 1)),
    RangeError,
    'targets[1] must be a class, 0 or above, got 4294967295',
  ],
  [
    () => classBalance(Uint32Array.of(0, 4e8)),
    RangeError,
    'targets[1] must be below 65536 where numClasses is not given, got 400000000',
  ],
  [
    () => classBalance(new BigInt64Array(70_000).fill(70_000n, 69_999)),
    RangeError,
    'targets[69999] must be below 70000 where numClasses is not given, got 70000',
  ],
  [
    () => classBalance(Uint8Array.of(0), 400_000_000),
    RangeError,
    'numClasses must be at most 16777216, the most weights a loss takes, got 400000000',
  ],
  [
    () => classBalance(Int8Array.of(0, 3), 3),
    RangeError,
    'targets[1] must be a class in [0, 3), got 3',
  ],
  [
    () => classBalance(BigInt64Array.of(0n, 2n ** 40n), 3, { ignoreIndex: -1 }),
    RangeError,
    'targets[1] must be a class in [0, 3) or ignoreIndex, -1, got 1099511627776',
  ],
  [
    () => classBalance(new Float32Array(4).fill(0.5)),
    TypeError,
    'numClasses must be given where targets are probabilities',
  ],
  [
    () => classBalance(Float64Array.of(1, 0, 0.5, 0.25), 2),
    RangeError,
    'targets: the probabilities of row 1 must add up to 1, within 0.001, got 0.75',
  ],
  [
    () => classBalance(Float64Array.of(1, 0, 1.5, -0.5), 2),
    RangeError,
    'targets: the probability of class 1 in row 1 must be finite and not negative, got -0.5',
  ],
  [
    () => classBalance(Float64Array.of(NaN, 0), 2),
    RangeError,
    'targets: the probability of class 0 in row 0 must be finite and not negative, got NaN',
  ],
  [
    () => classBalance(new Int8Array(1), 1),
    RangeError,
    'numClasses must be an integer in [2, 2147483647], got 1',
  ],
  [
    () => classBalance(new Int8Array(1), '2' as never),
    TypeError,
    'numClasses must be a number, got "2"',
  ],
  [
    () => classBalance(new Int8Array(1), 2, { beta: 1 }),
    RangeError,
    'beta must be in [0, 1), got 1',
  ],
  [
    () => classBalance(new Int8Array(1), 2, { beta: null as never }),
    TypeError,
    'beta must be a number, got null',
  ],
  [
    () => classBalance(new Float32Array(2).fill(0.5), 2, { ignoreIndex: 0 }),
    TypeError,
    'targets must be class indices where ignoreIndex is given, got a Float32Array',
  ],
  [
    () => classBalance(new Int8Array(1), 2, { gamma: 1 } as never),
    TypeError,
    'unknown option "gamma"; known are ignoreIndex, beta, criterion',
  ],
  [
    () => classBalance(new Int8Array(1), 2, { criterion: new SigmoidFocalLoss() as never }),
    TypeError,
    'criterion must be a FocalLoss, a PolyFocalLoss or a CrossEntropyLoss, got a SigmoidFocalLoss',
  ],
  [
    () => classBalance(new Int8Array(1), 3, { criterion: new FocalLoss({ alpha: [1, 2] }) }),
    RangeError,
    'alpha must have one entry per class, 3, got 2',
  ],
])('refuses what the losses would refuse %#', expectFailure);

describe('floats', () => {
  const expected = { rows: 4, numClasses: 3, counts: Float64Array.of(1, 2, 1) };
  const labels = [0, 1, 2, 1];

  it.each([
    ['a Float64Array', Float64Array.from(labels)],
    ['a Float32Array', Float32Array.from(labels)],
    ['a tensor', { data: Float32Array.from(labels), dims: [4] }],
    ['a tensor of one column', { data: Float32Array.from(labels), dims: [4, 1] }],
    ['rows of one number', labels.map((label) => [label])],
  ])('that are all integers are class indices without numClasses: %s', (_, targets) => {
    expect(classBalance(targets)).toMatchObject(expected);
  });

  it('are so with targets that are not counted', () => {
    expect(
      classBalance(Float64Array.of(0, 1, -100, 2, 1), undefined, { ignoreIndex: -100 }),
    ).toMatchObject(expected);
  });

  it('are probabilities with numClasses', () => {
    expect([...classBalance(Float64Array.of(0, 1, 1, 0, 1, 0), 2).counts]).toEqual([2, 1]);
  });

  it.each<[string, () => unknown, ErrorConstructor, string]>([
    [
      'a class below 0',
      () => classBalance(Float32Array.of(0, -1)),
      RangeError,
      'targets[1] must be a class, 0 or above, got -1',
    ],
    [
      'a class of more than 32 bits',
      () => classBalance(Float64Array.of(0, 2 ** 33)),
      RangeError,
      'targets[1] must be a class, an integer of 32 bits, got 8589934592',
    ],
    [
      'probabilities without numClasses',
      () => classBalance(Float64Array.of(0.5, 0.5)),
      TypeError,
      'numClasses must be given where targets are probabilities',
    ],
    [
      'class indices with numClasses, by their number',
      () => classBalance(Float64Array.of(0, 1, 1), 2),
      RangeError,
      'targets.length must be a multiple of numClasses, 2, as floats are probabilities where numClasses is given, got 3',
    ],
  ])('are refused where they are neither: %s', (_, compute, type, message) => {
    expectFailure(compute, type, message);
  });
});
