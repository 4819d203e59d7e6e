import fc from 'fast-check';
import {
  CrossEntropyLoss,
  classificationReport,
  compareLosses,
  diagnose,
  FocalLoss,
  probabilitiesToLogits,
  SigmoidFocalLoss,
  softmax,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectSameBits } from '../support/bits.js';
import { expectFailure } from '../support/failure.js';

/** The contents of a classifier's file: float32, rounded to six decimals, two of them sure. */
const TABLE = [
  [0.7, 0.2, 0.1],
  [0.05, 0.9, 0.05],
  [0.333333, 0.333333, 0.333334],
  [0, 0.25, 0.75],
  [1, 0, 0],
];
const LABELS = [0, 1, 2, 1, 0];

describe('logits of probabilities', () => {
  it('have the log loss that the probabilities have', () => {
    const logits = probabilitiesToLogits(Float64Array.from(TABLE.flat()), 3);
    const targets = Uint8Array.from(LABELS);
    const expected = -LABELS.reduce((sum, label, i) => sum + Math.log(TABLE[i][label]), 0) / 5;
    expect(expected).toBeCloseTo(0.589388, 6);
    expect(new CrossEntropyLoss().forward(logits, targets)).toBeCloseTo(expected, 14);
    expect(classificationReport(logits, targets).logLoss).toBeCloseTo(expected, 14);
    // The probabilities as they are give another.
    expect(
      new CrossEntropyLoss().forward(Float64Array.from(TABLE.flat()), targets),
    ).toBeGreaterThan(0.8);
    const ofFloat32 = probabilitiesToLogits(Float32Array.from(TABLE.flat()), 3);
    expect(new CrossEntropyLoss().forward(ofFloat32, targets)).toBeCloseTo(expected, 7);
  });

  it('have the softmax that they are, 0 and 1 included', () => {
    const given = Float64Array.from(TABLE.flat());
    const back = softmax(probabilitiesToLogits(given, 3), 3);
    back.forEach((p, k) => {
      expect(Math.abs(p - given[k])).toBeLessThanOrEqual(1e-15);
    });
    expect([...back.subarray(12)]).toEqual([1, 0, 0]);
    expect([...probabilitiesToLogits(Float32Array.of(0, -0, 1), 3)]).toEqual([
      -Infinity,
      -Infinity,
      0,
    ]);
  });

  it('are infinite losses where the target has no probability', () => {
    const logits = probabilitiesToLogits(Float64Array.of(1, 0, 0.5, 0.5), 2);
    const losses = new CrossEntropyLoss({ reduction: 'none' }).forward(logits, Uint8Array.of(1, 0));
    expect(losses[0]).toBe(Infinity);
    expect(losses[1]).toBeCloseTo(Math.LN2, 14);
  });

  it('of single probabilities are those of yes', () => {
    const p = Float64Array.of(0.9, 0.25, 0.5, 0, 1, 1e-300, 1 - 2 ** -53, 5e-324);
    const targets = Uint8Array.of(1, 1, 0, 0, 1, 0, 1, 0);
    const logits = probabilitiesToLogits(p, 1);
    expect([...logits.subarray(2, 5)]).toEqual([0, -Infinity, Number.MAX_VALUE]);
    const expected = -Math.log(0.9) - Math.log(0.25) - Math.log(0.5) + 2 ** -53;
    const criterion = new SigmoidFocalLoss({ alpha: null, gamma: 0, reduction: 'sum' });
    expect(criterion.forward(logits, targets)).toBeCloseTo(expected, 14);
    expect(classificationReport(logits, targets).logLoss).toBeCloseTo(expected / 8, 14);
    // Several labels are columns of such.
    expect(probabilitiesToLogits({ data: p, shape: [4, 2] }, 1)).toEqual(logits);
  });

  it('are equal for equal probabilities, and in order for others', () => {
    const share = fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 100 }).map((n) => n / 100),
    );
    fc.assert(
      fc.property(
        fc.array(share, { minLength: 1, maxLength: 9 }),
        fc.array(share, { maxLength: 9 }),
        (some, others) => {
          const alone = probabilitiesToLogits(Float64Array.from(some), 1);
          const among = probabilitiesToLogits(Float64Array.from([...others, ...some]), 1);
          // Whatever lies before them in memory.
          expectSameBits(among.slice(others.length), alone, 'behind others');
          some.forEach((p, i) => {
            some.forEach((q, k) => {
              if (p === q) expect(alone[i]).toBe(alone[k]);
              if (p < q) expect(alone[i]).toBeLessThanOrEqual(alone[k]);
            });
          });
        },
      ),
      { numRuns: 300, seed: 71 },
    );
  });

  it('of float32 stay apart where the probabilities are', () => {
    const p = new Float32Array(4000);
    new Uint32Array(p.buffer).forEach((_, i, bits) => {
      bits[i] = 0x3eb8_0000 + i;
    });
    const logits = probabilitiesToLogits(p, 1);
    for (let i = 1; i < 4000; i++) expect(logits[i]).toBeGreaterThan(logits[i - 1]);
  });

  it('have the bits of the logarithm of the module, in every engine', () => {
    const p = Float64Array.from({ length: 20_001 }, (_, i) => (i + 0.5) / 20_002);
    const logits = probabilitiesToLogits(p, 1);
    let hash = 0n;
    for (const bits of new BigUint64Array(logits.buffer))
      hash = BigInt.asUintN(64, hash * 6364136223846793005n + bits);
    expect(hash.toString(16)).toBe('fc609b75606d9155');
    p.forEach((one, i) => {
      const odds = one / (1 - one);
      expect(Math.abs(logits[i] - Math.log(odds))).toBeLessThanOrEqual(
        2 * 2 ** -52 * Math.abs(Math.log(odds)),
      );
    });
  });

  it('may be none', () => {
    expect(probabilitiesToLogits(new Float32Array(0), 3)).toEqual(new Float64Array(0));
  });

  it('may have been rounded', () => {
    expect(probabilitiesToLogits(Float32Array.of(1.0000001, 0), 2)[0]).toBe(0);
    expect(probabilitiesToLogits(Float32Array.of(1.0000001), 1)[0]).toBe(Number.MAX_VALUE);
    expect(() => probabilitiesToLogits(Float64Array.of(0.33, 0.33, 0.33), 3)).not.toThrow();
  });
});

it.each<[() => unknown, ErrorConstructor, string]>([
  [
    () => probabilitiesToLogits(Float64Array.of(0.5, 0.5, 1.5, -0.5), 2),
    RangeError,
    'probabilities: that of class 0 in row 1 must be in [0, 1], got 1.5',
  ],
  [
    () => probabilitiesToLogits(Float64Array.of(0.5, 0.5, 0.75, -0.25), 2),
    RangeError,
    'probabilities: that of class 1 in row 1 must be in [0, 1], got -0.25',
  ],
  [
    () => probabilitiesToLogits(Float64Array.of(0.5, NaN), 2),
    RangeError,
    'probabilities: that of class 1 in row 0 must be in [0, 1], got NaN',
  ],
  [
    () => probabilitiesToLogits(Float64Array.of(0.5, 0.25, 1.5), 1),
    RangeError,
    'probabilities: that of row 2 must be in [0, 1], got 1.5',
  ],
  [
    () => probabilitiesToLogits(Float64Array.of(0.5, 0.5, 0.5, 0.25), 2),
    RangeError,
    'probabilities: those of row 1 must add up to 1, within 0.05, got 0.75',
  ],
  [
    () => probabilitiesToLogits(new Float64Array(4), 2),
    RangeError,
    'probabilities: those of row 0 must add up to 1, within 0.05, got 0',
  ],
  [
    () => probabilitiesToLogits(new Float64Array(5), 2),
    RangeError,
    'probabilities.length must be a multiple of numClasses, 2, got 5',
  ],
  [
    () => probabilitiesToLogits(new Float64Array(4)),
    TypeError,
    'numClasses must be given where there are no targets',
  ],
  [
    () => probabilitiesToLogits(new Float64Array(4), 0),
    RangeError,
    'numClasses must be an integer in [1, 2147483647], got 0',
  ],
  [
    () => probabilitiesToLogits(new Int8Array(4) as never, 2),
    TypeError,
    'probabilities must be a Float32Array, Float64Array or Float16Array, got an Int8Array',
  ],
])('refuses what it cannot make sense of %#', expectFailure);

describe('probabilities taken for logits', () => {
  const probabilities = Float64Array.from(TABLE.flat());
  const targets = Uint8Array.from(LABELS);
  const twoDecimals = (p: number) => Math.round(100 * p) / 100;
  const codesOf = (
    logits: Float64Array | Float32Array,
    y: Uint8Array,
    criterion: FocalLoss | SigmoidFocalLoss,
    options = {},
  ) => diagnose(logits, y, criterion, options).advice.map(({ code }) => code);

  it('are the one thing that a diagnosis is sure of', () => {
    expect(codesOf(probabilities, targets, new FocalLoss({ alpha: null }))).toEqual([
      'probabilities',
    ]);
    expect(
      codesOf(probabilitiesToLogits(probabilities, 3), targets, new FocalLoss({ alpha: null })),
    ).not.toContain('probabilities');
    const [advice] = diagnose(probabilities, targets, new FocalLoss({ alpha: null })).advice;
    expect(advice.message).toMatch(/look like probabilities.*probabilitiesToLogits/);
    expect(advice.figures).toEqual({ rows: 5 });
  });

  it('are not logits of which one row is no distribution', () => {
    for (const [place, value] of [
      [14, 0.02],
      [0, -0.1],
      [3, NaN],
    ]) {
      const others = probabilities.slice();
      others[place] = value;
      expect(codesOf(others, targets, new FocalLoss({ alpha: null }))).not.toContain(
        'probabilities',
      );
    }
  });

  it('may have been rounded, as files hold them', () => {
    const thirds = Float64Array.of(0.33, 0.33, 0.33, 0.17, 0.17, 0.67);
    const y = Uint8Array.of(0, 2);
    expect(codesOf(thirds, y, new FocalLoss({ alpha: null }))).toEqual(['probabilities']);
    expect(
      codesOf(Float64Array.of(0.335, 0.665).map(twoDecimals), Uint8Array.of(1), new FocalLoss()),
    ).toEqual(['probabilities']);
    expect(classificationReport(thirds, y).warning).toMatch(/look like probabilities/);
    const many = Float32Array.from({ length: 1000 }, () => 0.001).fill(0.0009, 500);
    expect(codesOf(many, Uint8Array.of(0), new FocalLoss({ alpha: null }))).toEqual([
      'probabilities',
    ]);
    const nine = new Float32Array(10).fill(0.05, 1); // of 0.0496
    nine[0] = 0.554; // of 0.5536
    expect(codesOf(nine, Uint8Array.of(1), new FocalLoss({ alpha: null }))).toEqual([
      'probabilities',
    ]);
    for (const others of [
      [0.33, 0.3],
      [0.331, 0.33], // with three decimals, a sum of 0.991 is none
      [0.33, 0.33002],
      [0.5, 0.2],
    ]) {
      const logits = Float64Array.of(...others, 0.33, 0.17, 0.17, 0.67);
      expect(codesOf(logits, y, new FocalLoss({ alpha: null }))).not.toContain('probabilities');
    }
    expect(
      codesOf(new Float32Array(1000), Uint8Array.of(0), new FocalLoss({ alpha: null })),
    ).not.toContain('probabilities');
  });

  it('are warned of under a comparison, once for all losses', () => {
    const losses = { focal: new FocalLoss({ alpha: null }), plain: new CrossEntropyLoss() };
    expect(
      `${compareLosses(probabilities, targets, losses)}`.match(/look like probabilities/g),
    ).toHaveLength(1);
    expect(
      `${compareLosses(probabilitiesToLogits(probabilities, 3), targets, losses)}`,
    ).not.toMatch(/look like/);
  });

  it('are told by the rows that count', () => {
    const padded = Float64Array.of(...probabilities, 0, 0, 0);
    const criterion = new FocalLoss({ alpha: null, ignoreIndex: 255 });
    expect(codesOf(padded, Uint8Array.of(...LABELS, 255), criterion)).toEqual(['probabilities']);
    expect(codesOf(padded, Uint8Array.of(...LABELS, 0), criterion)).not.toContain('probabilities');
  });

  it('may be single ones, if there are many', () => {
    const p = Float64Array.from({ length: 32 }, (_, i) => i / 31);
    const y = Uint8Array.from(p, (one) => Number(one > 0.4));
    for (const criterion of [
      new SigmoidFocalLoss({ alpha: null }),
      new FocalLoss({ alpha: null }),
    ]) {
      expect(codesOf(p, y, criterion)).toEqual(['probabilities']);
      expect(codesOf(p.subarray(1), y.subarray(1), criterion)).not.toContain('probabilities');
      expect(codesOf(probabilitiesToLogits(p, 1), y, criterion)).not.toContain('probabilities');
    }
  });

  it('may lie with the classes first', () => {
    const first = Float64Array.from({ length: 15 }, (_, k) => TABLE[k % 5][Math.floor(k / 5)]);
    const criterion = new FocalLoss({ alpha: null, layout: 'channels-first', numClasses: 3 });
    expect(codesOf(first, targets, criterion)).toEqual(['probabilities']);
  });
});
