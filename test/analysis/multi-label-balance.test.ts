import fc from 'fast-check';
import { diagnose, multiLabelBalance, SigmoidFocalLoss } from 'focal-loss/analysis';
import { expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';

const TARGETS = Uint8Array.of(1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1);

it('counts the positives of each label', () => {
  const balance = multiLabelBalance(TARGETS, 3);
  expect(balance).toMatchObject({ rows: 4, numClasses: 3 });
  expect([...balance.counts]).toEqual([4, 4, 4]);
  expect([...balance.positives]).toEqual([1, 0, 3]);
  expect([...balance.fractions]).toEqual([0.25, 0, 0.75]);
  expect([...balance.posWeight]).toEqual([3, 1, 1 / 3]);
  expect([...balance.balancedAlpha]).toEqual([0.75, 0.5, 0.25]);
  expect(multiLabelBalance({ data: TARGETS, shape: [4, 3] })).toEqual(balance);
  expect(multiLabelBalance(BigInt64Array.from(TARGETS, BigInt), 3)).toEqual(balance);
  expect(`${balance}`).toBe(
    [
      'label  rows  positives  fraction  posWeight  balanced alpha',
      '0         4     1.0000    0.2500     3.0000          0.7500',
      '1         4     0.0000    0.0000     1.0000          0.5000',
      '2         4     3.0000    0.7500     0.3333          0.2500',
    ].join('\n'),
  );
});

it('takes one yes or no per row, targets in between, and some that do not count', () => {
  expect([...multiLabelBalance(TARGETS).posWeight]).toEqual([2]);
  const soft = multiLabelBalance(Float32Array.of(0.25, 0.5, -1, 1), 2, { ignoreIndex: -1 });
  expect([...soft.counts]).toEqual([1, 2]);
  expect([...soft.positives]).toEqual([0.25, 1.5]);
  expect([...soft.posWeight]).toEqual([3, 1 / 3]);
});

it('balances: yes and no have the same weight in all', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 }),
      (rows) => {
        const targets = Uint8Array.from(rows.flat(), Number);
        const { counts, positives, posWeight, balancedAlpha } = multiLabelBalance(targets, 2);
        positives.forEach((count, j) => {
          const negatives = counts[j] - count;
          if (count === 0 || negatives === 0) return;
          expect(posWeight[j] * count).toBeCloseTo(negatives, 10);
          expect(balancedAlpha[j] * count).toBeCloseTo((1 - balancedAlpha[j]) * negatives, 10);
        });
        // Both are what a loss takes, and no diagnosis warns of them.
        for (const options of [{ alpha: null, posWeight }, { alpha: balancedAlpha }]) {
          const criterion = new SigmoidFocalLoss({ ...options, numClasses: 2 });
          const logits = Float64Array.from(targets, (y) => (y === 1 ? 3 : -3));
          const codes = diagnose(logits, targets, criterion).advice.map(({ code }) => code);
          expect(codes).not.toContain('alpha-favours-majority');
        }
      },
    ),
    { numRuns: 200, seed: 91 },
  );
});

it('may have no rows', () => {
  const balance = multiLabelBalance(new Uint8Array(0), 2);
  expect(balance.rows).toBe(0);
  expect([...balance.fractions, ...balance.posWeight, ...balance.balancedAlpha]).toEqual([
    NaN,
    NaN,
    1,
    1,
    0.5,
    0.5,
  ]);
});

it.each<[() => unknown, ErrorConstructor, string]>([
  [
    () => multiLabelBalance(Uint8Array.of(0, 2), 2),
    RangeError,
    'targets[1] must be in [0, 1], got 2',
  ],
  [
    () => multiLabelBalance(Float32Array.of(0, NaN), 1, { ignoreIndex: -1 }),
    RangeError,
    'targets[1] must be in [0, 1] or ignoreIndex, -1, got NaN',
  ],
  [
    () => multiLabelBalance(TARGETS, 5),
    RangeError,
    'targets.length must be a multiple of numClasses, 5, got 12',
  ],
  [
    () => multiLabelBalance(TARGETS, 0),
    RangeError,
    'numClasses must be an integer in [1, 2147483647], got 0',
  ],
  [
    () => multiLabelBalance(new Uint8Array(0), 400_000_000),
    RangeError,
    'numClasses must be at most 65536 where there are no rows, got 400000000',
  ],
  [
    () => multiLabelBalance(TARGETS, 3, { beta: 1 } as never),
    TypeError,
    'unknown option "beta"; known are ignoreIndex',
  ],
  [
    () => multiLabelBalance('01' as never, 1),
    TypeError,
    'targets must be a float array or an integer typed array, got "01"',
  ],
])('refuses what it cannot make sense of %#', expectFailure);
