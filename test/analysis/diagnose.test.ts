import fc from 'fast-check';
import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import {
  type AdviceCode,
  type Diagnosis,
  diagnose,
  type SoftmaxCriterion,
} from 'focal-loss/analysis';
import * as slim from 'focal-loss/slim';
import { describe, expect, it } from 'vitest';
import { randomBatch, sum } from '../support/batch.js';
import { dtypes, float32, float64 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';
import { randomProbabilities } from '../support/family.js';
import { focalRow, weightOf } from '../support/oracle.js';

/** Numbers that may differ by rounding. */
function expectNear(actual: number, expected: number, where: string, tolerance = 1e-12): void {
  if (Number.isNaN(expected)) expect(actual, where).toBeNaN();
  else
    expect(Math.abs(actual - expected), where).toBeLessThanOrEqual(
      tolerance * Math.max(1e-3, Math.abs(expected)),
    );
}

interface Options {
  alpha: number | number[] | null;
  gamma: number;
  labelSmoothing: number;
}

/** All of it in plain loops, from the loss's definition. Row `i` counts unless its target is -1. */
function naive(rows: number[][], targets: number[], { alpha, gamma, labelSmoothing }: Options) {
  const classes = rows[0].length;
  const counted = targets.flatMap((target, i) => {
    if (target === -1) return [];
    const terms = rows[i].map((x) => Math.exp(x - Math.max(...rows[i])));
    const p = terms.map((term) => term / sum(terms));
    const predicted = p.indexOf(Math.max(...p));
    const weight = weightOf(alpha, target);
    const { value, grad } = focalRow(rows[i], target, { weight, gamma, labelSmoothing });
    const { value: entropy } = focalRow(rows[i], target, { weight: 1, gamma: 0, labelSmoothing });
    const factor = (-Math.expm1(-entropy)) ** gamma;
    const right = predicted === target;
    return [
      {
        i,
        target,
        p: p[predicted],
        right,
        value,
        size: sum(grad.map(Math.abs)),
        weight: weight * factor,
        factor,
      },
    ];
  });
  const total = sum(counted.map(({ value }) => value));
  const mean = total / counted.length;
  const hard = counted
    .filter(({ value }) => value > mean)
    .sort((a, b) => b.value - a.value || a.i - b.i);
  return {
    rows: counted.length,
    accuracy: counted.filter(({ right }) => right).length / counted.length,
    meanLoss: mean,
    confidence: counted.map(({ p }) => p),
    overconfident: counted.filter(({ p }) => p > 0.8),
    hard: hard.map(({ i }) => i),
    hardShare: sum(hard.map(({ value }) => value)) / total,
    easyShare:
      sum(counted.filter(({ right, p }) => right && p > 0.5).map(({ value }) => value)) / total,
    classes: Array.from({ length: classes }, (_, j) => {
      const own = counted.filter(({ target }) => target === j);
      const loss = sum(own.map(({ value }) => value));
      return {
        rows: own.length,
        accuracy: own.filter(({ right }) => right).length / own.length,
        meanLoss: loss / own.length,
        lossShare: loss / total,
        gradientShare: sum(own.map(({ size }) => size)) / sum(counted.map(({ size }) => size)),
      };
    }),
    focalWeight: sum(counted.map(({ factor }) => factor)) / counted.length,
    effectiveSampleSize:
      sum(counted.map(({ weight }) => weight)) ** 2 /
      sum(counted.map(({ weight }) => weight * weight)),
  };
}

/** Compares all of a diagnosis but the floor and the advice. */
function compare(actual: Diagnosis, expected: ReturnType<typeof naive>, tolerance: number): void {
  const near = (a: number, b: number, where: string) => expectNear(a, b, where, tolerance);
  expect(actual.rows).toBe(expected.rows);
  near(actual.accuracy, expected.accuracy, 'accuracy');
  near(actual.loss.mean, expected.meanLoss, 'mean loss');
  near(actual.confidence.mean, sum(expected.confidence) / expected.rows, 'mean confidence');
  near(actual.confidence.min, Math.min(...expected.confidence), 'least confidence');
  near(actual.confidence.max, Math.max(...expected.confidence), 'largest confidence');
  expect([...actual.overconfident.rows]).toEqual(expected.overconfident.map(({ i }) => i));
  expect(actual.overconfident.wrong).toBe(
    expected.overconfident.filter(({ right }) => !right).length,
  );
  expect([...actual.hard.rows]).toEqual(expected.hard);
  near(actual.hard.lossShare, expected.hardShare, 'share of hard rows');
  near(actual.easy.lossShare, expected.easyShare, 'share of easy rows');
  actual.classes.forEach((one, j) => {
    const wanted = expected.classes[j];
    expect(one.rows).toBe(wanted.rows);
    for (const name of ['accuracy', 'meanLoss', 'lossShare', 'gradientShare'] as const) {
      near(one[name], wanted[name], `${name} of class ${j}`);
    }
  });
  near(actual.focalWeight, expected.focalWeight, 'focal weight');
  near(actual.effectiveSampleSize, expected.effectiveSampleSize, 'effective sample size');
}

describe.each(dtypes)('$name', (dtype) => {
  it.each<[number, number, Options]>([
    [60, 2, { alpha: 0.25, gamma: 2, labelSmoothing: 0 }],
    [60, 2, { alpha: null, gamma: 0, labelSmoothing: 0 }],
    [80, 5, { alpha: [1, 2, 0.5, 3, 1], gamma: 1.5, labelSmoothing: 0.1 }],
    [5000, 3, { alpha: 0.9, gamma: 5, labelSmoothing: 0 }],
  ])('agrees with plain loops: [%i, %i], %j', (rows, classes, options) => {
    const { logits, targets } = randomBatch(dtype, rows, classes, 31, 3);
    for (let i = 3; i < rows; i += 7) targets[i] = -1;
    const criterion = new FocalLoss({ ...options, ignoreIndex: -1 });
    const actual = diagnose(logits, targets, criterion, { overconfidence: 0.8 });
    const perRow = Array.from({ length: rows }, (_, i) => [
      ...logits.subarray(i * classes, (i + 1) * classes),
    ]);
    compare(actual, naive(perRow, [...targets], options), dtype === float32 ? 2e-6 : 1e-12);
  });
});

it('agrees with plain loops for weighted cross-entropy', () => {
  const { logits, targets } = randomBatch(float64, 50, 3, 32);
  const actual = diagnose(logits, targets, new CrossEntropyLoss({ weight: [1, 2, 3] }), {
    overconfidence: 0.8,
  });
  const perRow = Array.from({ length: 50 }, (_, i) => [...logits.subarray(3 * i, 3 * i + 3)]);
  compare(
    actual,
    naive(perRow, [...targets], { alpha: [1, 2, 3], gamma: 0, labelSmoothing: 0 }),
    1e-12,
  );
});

const batches = fc
  .record({ rows: fc.integer({ min: 1, max: 40 }), classes: fc.integer({ min: 2, max: 5 }) })
  .chain(({ rows, classes }) =>
    fc.record({
      classes: fc.constant(classes),
      rows: fc.array(
        fc.record({
          logits: fc.array(
            fc.oneof(
              fc.integer({ min: -3, max: 3 }),
              fc.double({ min: -200, max: 200, noNaN: true }),
            ),
            {
              minLength: classes,
              maxLength: classes,
            },
          ),
          target: fc.nat(classes - 1),
          order: fc.nat(),
        }),
        { minLength: rows, maxLength: rows },
      ),
      criterion: fc
        .record({
          alpha: fc.constantFrom(null, 0.1, 0.75),
          gamma: fc.constantFrom(0, 0.5, 2, 5),
          labelSmoothing: fc.constantFrom(0, 0.1, 1),
          focusOn: fc.constantFrom('smoothed', 'target', 'class'),
        })
        .map((options) => new FocalLoss(options)),
    }),
  );

type Row = { logits: number[]; target: number };

const flatten = (rows: Row[]) =>
  [
    Float64Array.from(rows.flatMap(({ logits }) => logits)),
    Uint8Array.from(rows, ({ target }) => target),
  ] as const;

it('has shares that add up to 1, and the hardest rows first', () => {
  fc.assert(
    fc.property(batches, ({ rows, criterion }) => {
      const [logits, targets] = flatten(rows);
      const { loss, classes, hard, easy, effectiveSampleSize, focalWeight, floor } = diagnose(
        logits,
        targets,
        criterion,
      );
      const losses = criterion.with({ reduction: 'none' }).forward(logits, targets);
      if (loss.mean > 0) {
        expect(sum(classes.map(({ lossShare }) => lossShare))).toBeCloseTo(1, 12);
        expect(sum(classes.map(({ gradientShare }) => gradientShare))).toBeCloseTo(1, 12);
      }
      expect(sum(classes.map((one) => one.rows))).toBe(rows.length);
      expect([...hard.rows]).toEqual(
        [...losses.keys()]
          .filter((i) => losses[i] > loss.mean)
          .sort((a, b) => losses[b] - losses[a] || a - b),
      );
      for (const share of [hard.lossShare, easy.lossShare]) {
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThanOrEqual(1 + 1e-12);
      }
      expect(effectiveSampleSize).toBeLessThanOrEqual(rows.length * (1 + 1e-12));
      expect(focalWeight).toBeLessThanOrEqual(1 + 1e-12);
      if (!Number.isNaN(floor)) expect(loss.mean).toBeGreaterThanOrEqual(floor * (1 - 1e-12));
    }),
    { numRuns: 300, seed: 33 },
  );
});

it('does not depend on the order of the rows, but for the names of rows', () => {
  fc.assert(
    fc.property(batches, ({ rows, criterion }) => {
      const order = [...rows.keys()].sort((a, b) => rows[a].order - rows[b].order || a - b);
      const one = diagnose(...flatten(rows), criterion);
      const other = diagnose(...flatten(order.map((i) => rows[i])), criterion);
      const named = (numbers: Uint32Array) =>
        Array.from(numbers, (i) => order[i]).sort((a, b) => a - b);
      expect(named(other.overconfident.rows)).toEqual([...one.overconfident.rows]);
      expectNear(other.loss.mean, one.loss.mean, 'mean loss');
      expectNear(other.focalWeight, one.focalWeight, 'focal weight');
      expectNear(other.effectiveSampleSize, one.effectiveSampleSize, 'effective sample size');
      expectNear(other.floor, one.floor, 'floor');
      one.classes.forEach((wanted, j) => {
        expect(other.classes[j]).toMatchObject({ rows: wanted.rows, accuracy: wanted.accuracy });
        expectNear(other.classes[j].lossShare, wanted.lossShare, 'share of the loss', 1e-11);
        expectNear(
          other.classes[j].gradientShare,
          wanted.gradientShare,
          'share of the gradient',
          1e-11,
        );
      });
      expect(other.advice.map(({ code }) => code)).toEqual(one.advice.map(({ code }) => code));
    }),
    { numRuns: 200, seed: 34 },
  );
});

describe('the floor', () => {
  const targets = Uint8Array.of(0, 1, 2, 1);
  const logits = randomBatch(float64, 4, 3, 35).logits;

  it.each<[string, SoftmaxCriterion]>([
    ['focal', new FocalLoss({ labelSmoothing: 0.1 })],
    [
      'focal, weights and gammas per class',
      new FocalLoss({ labelSmoothing: 0.3, alpha: [1, 2, 3], gamma: [0, 1.5, 3] }),
    ],
    [
      'focal on the target, without gamma',
      new FocalLoss({ labelSmoothing: 0.2, focusOn: 'target', gamma: 0 }),
    ],
    ['cross-entropy', new CrossEntropyLoss({ labelSmoothing: 0.1 })],
  ])('is what the loss is where the probabilities are the smoothed target: %s', (_, criterion) => {
    const { labelSmoothing } = criterion;
    const best = new Float64Array(12).fill(Math.log(labelSmoothing / 3));
    targets.forEach((target, i) => {
      best[3 * i + target] = Math.log(1 - labelSmoothing + labelSmoothing / 3);
    });
    const { floor } = diagnose(logits, targets, criterion);
    expect(floor).toBeGreaterThan(0);
    expectNear(diagnose(best, targets, criterion).loss.mean, floor, 'loss at the best');
    expect(diagnose(best, targets, criterion).floor).toBe(floor);
  });

  it('under class weights is where no step leads lower', () => {
    const criterion = new CrossEntropyLoss({
      labelSmoothing: 0.2,
      weight: [1, 4, 0.5],
      reduction: 'none',
    });
    const best = logits.slice();
    for (let step = 0; step < 4000; step++) {
      const grad = criterion.backward(best, targets);
      best.forEach((x, k) => {
        best[k] = x - grad[k];
      });
    }
    const { floor, loss } = diagnose(best, targets, criterion);
    expectNear(loss.mean, floor, 'loss after descent');
  });

  it('under soft targets is their entropy, focused', () => {
    const soft = randomProbabilities(float64, 4, 3, 36);
    for (const criterion of [
      new FocalLoss({ numClasses: 3, alpha: [1, 2, 3] }),
      new FocalLoss({ numClasses: 3, labelSmoothing: 0.2 }),
      new CrossEntropyLoss({ numClasses: 3 }),
    ]) {
      const best = soft.map((q) =>
        Math.log(q * (1 - criterion.labelSmoothing) + criterion.labelSmoothing / 3),
      );
      const { floor } = diagnose(logits, soft, criterion);
      expect(floor).toBeGreaterThan(0);
      expectNear(diagnose(best, soft, criterion).loss.mean, floor, 'loss at the best');
    }
  });

  it('is 0 without smoothing, and where focus on the target can take all', () => {
    expect(diagnose(logits, targets, new FocalLoss()).floor).toBe(0);
    const onTarget = new FocalLoss({ labelSmoothing: 0.1, focusOn: 'target', alpha: null });
    expect(diagnose(logits, targets, onTarget).floor).toBe(0);
    const sure = new Float64Array(12);
    targets.forEach((target, i) => {
      sure[3 * i + target] = 30;
    });
    expect(diagnose(sure, targets, onTarget).loss.mean).toBeLessThan(1e-20);
  });

  it('is NaN where there is no formula', () => {
    expect(
      diagnose(logits, targets, new FocalLoss({ labelSmoothing: 0.1, focusOn: 'class' })).floor,
    ).toBeNaN();
    expect(diagnose(logits, targets, new FocalLoss({ focusOn: 'class' })).floor).toBe(0);
  });
});

describe('advice', () => {
  const codesOf = (logits: number[], targets: number[], criterion: SoftmaxCriterion) =>
    diagnose(Float64Array.from(logits), Uint8Array.from(targets), criterion).advice.map(
      ({ code }) => code,
    );
  /**
   * Rows of two classes: so many of each, with the gap by which their logits favour the right one.
   */
  const rowsOf = (...groups: [rows: number, target: number, gap: number][]) => ({
    logits: groups.flatMap(([rows, target, gap]) =>
      Array(rows)
        .fill(target === 1 ? [0, gap] : [gap, 0])
        .flat(),
    ),
    targets: groups.flatMap(([rows, target]) => Array(rows).fill(target)),
  });
  const none = new FocalLoss({ alpha: null });

  it.each<[string, [number, number, number][], SoftmaxCriterion, AdviceCode[]]>([
    [
      'nothing',
      [
        [50, 0, 2],
        [50, 1, -1],
      ],
      none,
      [],
    ],
    [
      "the page's very high loss",
      [
        [5, 0, -30],
        [5, 1, -30],
      ],
      none,
      ['high-loss', 'overconfident'],
    ],
    [
      "the page's very low loss",
      [
        [5, 0, 8],
        [5, 1, 8],
      ],
      none,
      ['low-loss', 'raise-gamma'],
    ],
    [
      'too sure of what is wrong',
      [
        [9, 0, 4],
        [1, 1, -4],
        [9, 1, 4],
      ],
      none,
      ['overconfident'],
    ],
    [
      'easy rows that are not sure',
      [
        [50, 0, 0.5],
        [50, 1, 0.5],
      ],
      none,
      ['lower-gamma'],
    ],
    [
      'the same without focus',
      [
        [50, 0, 0.5],
        [50, 1, 0.5],
      ],
      none.with({ gamma: 0 }),
      ['raise-gamma'],
    ],
    [
      'many easy rows',
      [
        [96, 0, 1.5],
        [96, 1, 1.5],
        [1, 0, -1],
      ],
      new CrossEntropyLoss(),
      ['raise-gamma'],
    ],
    [
      'a very rare class',
      [
        [300, 0, 4],
        [2, 1, -3],
      ],
      none,
      ['extreme-imbalance'],
    ],
    [
      'the same with all the focus there is',
      [
        [300, 0, 4],
        [2, 1, -3],
      ],
      none.with({ gamma: 5 }),
      [],
    ],
    [
      "the page's alpha",
      [
        [90, 0, 2],
        [10, 1, -2.5],
      ],
      none.with({ alpha: 0.1 }),
      ['alpha-favours-majority'],
    ],
    [
      'the balanced one',
      [
        [90, 0, 2],
        [10, 1, -2.5],
      ],
      none.with({ alpha: 0.9 }),
      [],
    ],
  ])('on %s', (_, groups, criterion, codes) => {
    const { logits, targets } = rowsOf(...groups);
    expect(codesOf(logits, targets, criterion)).toEqual(codes);
  });

  it('on what smoothing leaves', () => {
    // The probabilities are the smoothed targets.
    const { logits, targets } = rowsOf([5, 0, Math.log(19)], [5, 1, Math.log(19)]);
    const criterion = new CrossEntropyLoss({ labelSmoothing: 0.1 });
    expect(codesOf(logits, targets, criterion)).toEqual(['at-floor', 'raise-gamma']);
  });

  it('on rows that are not finite', () => {
    const logits = Float64Array.of(2, 0, NaN, 0, 0, Infinity, 0, -1);
    const { advice } = diagnose(logits, Uint8Array.of(0, 0, 1, 1), none);
    expect(advice[0]).toEqual({
      code: 'non-finite',
      message:
        "2 of 4 rows have a loss or gradient that is NaN or infinite: check the model's outputs.",
      figures: { rows: 2, logits: 2 },
    });
  });

  it('says why, and what to try', () => {
    const sentences = [
      diagnose(Float64Array.of(0, 30), Uint8Array.of(0), none),
      diagnose(Float64Array.of(8, 0), Uint8Array.of(0), none),
      diagnose(Float64Array.of(0.5, 0), Uint8Array.of(0), none),
      diagnose(
        Float64Array.of(2, 0, 2, 0, 0, -1),
        Uint8Array.of(0, 0, 1),
        new FocalLoss({ alpha: 0.25 }),
      ),
    ].flatMap(({ advice }) => advice.map(({ message, figures }) => [message, figures]));
    expect(sentences).toEqual([
      [
        "The mean loss, 30, is very high: check the model's outputs.",
        { loss: expect.closeTo(30, 9), limit: 10 },
      ],
      [
        'Of 1 rows with a confidence above 0.95, 100 % are wrong: labelSmoothing, such as 0.1, helps.',
        { rows: 1, wrong: 1, threshold: 0.95 },
      ],
      [
        'The mean loss, 3.77e-11, is very low: possibly overfitting. Focusing alone makes it small, too: it multiplies the ' +
          'cross-entropy by 1.12e-7 on average.',
        {
          loss: expect.closeTo(3.77e-11, 12),
          limit: 0.01,
          focalWeight: expect.closeTo(1.12e-7, 9),
        },
      ],
      [
        '1 of 1 rows are right already and make 100 % of the loss: a higher gamma, 3 instead of 2, plays them down.',
        { rows: 1, lossShare: 1, gamma: 2, proposed: 3 },
      ],
      [
        'The model is right in 100 % of the rows, but sure of itself to 62.2 % only: it struggles with easy rows, to which a ' +
          'lower gamma, 1 instead of 2, gives more weight.',
        { accuracy: 1, confidence: expect.closeTo(0.622, 3), gamma: 2, proposed: 1 },
      ],
      [
        'Class 0 is 66.7 % of the rows, class 1 is 33.3 %, but a row of class 0 weighs 0.75 and one of class 1 0.25.',
        {
          majority: 0,
          minority: 1,
          majorityRows: 2,
          minorityRows: 1,
          majorityWeight: 0.75,
          minorityWeight: 0.25,
        },
      ],
    ]);
  });
});

describe('input', () => {
  const { logits, targets } = randomBatch(float64, 30, 3, 37);
  const criterion = new FocalLoss({ numClasses: 3, alpha: [1, 2, 3] });
  const expected = diagnose(logits, targets, criterion);

  it('may be judged by criteria of any entry of the package', async () => {
    await slim.init(
      await import('node:fs/promises').then(({ readFile }) => readFile('dist/focal-loss.wasm')),
    );
    for (const { FocalLoss, CrossEntropyLoss } of [analysis, slim]) {
      expect(diagnose(logits, targets, new FocalLoss({ numClasses: 3, alpha: [1, 2, 3] }))).toEqual(
        expected,
      );
      expect(diagnose(logits, targets, new CrossEntropyLoss())).toEqual(
        diagnose(logits, targets, new CrossEntropyLoss({ reduction: 'sum' })),
      );
    }
  });

  it('may have targets of any integer kind', () => {
    for (const Kind of [
      Int8Array,
      Uint8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Uint32Array,
    ]) {
      expect(diagnose(logits, Kind.from(targets), criterion)).toEqual(expected);
    }
    for (const Kind of [BigInt64Array, BigUint64Array]) {
      expect(diagnose(logits, Kind.from(Array.from(targets, BigInt)), criterion)).toEqual(expected);
    }
  });

  it('may lie in the memory of a module', () => {
    for (const { allocate } of [analysis, slim]) {
      const resident = allocate(30, 3, 'float64');
      resident.logits.set(logits);
      resident.targets.set(targets);
      expect(diagnose(resident.logits, resident.targets, criterion)).toEqual(expected);
      resident.dispose();
    }
  });

  it('may have the classes first', () => {
    for (const spatialSize of [30, 10, 5]) {
      const turned = new Float64Array(90);
      for (let i = 0; i < 30; i++) {
        const sample = Math.floor(i / spatialSize);
        for (let j = 0; j < 3; j++)
          turned[(sample * 3 + j) * spatialSize + (i % spatialSize)] = logits[3 * i + j];
      }
      expect(
        diagnose(turned, targets, criterion.with({ layout: 'channels-first' }), { spatialSize }),
      ).toEqual(expected);
    }
  });

  it('may have probabilities for targets: a row is of the most probable class', () => {
    const soft = randomProbabilities(float64, 30, 3, 38);
    const actual = diagnose(logits, soft, new FocalLoss(), { numClasses: 3 });
    const losses = new FocalLoss({ numClasses: 3, reduction: 'none' }).forward(logits, soft);
    const labels = Array.from({ length: 30 }, (_, i) => {
      const row = [...soft.subarray(3 * i, 3 * i + 3)];
      return row.indexOf(Math.max(...row));
    });
    expectNear(actual.loss.mean, sum(losses) / 30, 'mean loss');
    actual.classes.forEach((one, j) => {
      const own = losses.filter((_, i) => labels[i] === j);
      expect(one.rows).toBe(own.length);
      expectNear(one.lossShare, sum(own) / sum(losses), `share of class ${j}`);
    });
  });

  it.runIf(globalThis.Float16Array !== undefined)('may be in half precision', () => {
    const half = Float16Array.from(logits);
    expect(diagnose(half, targets, criterion)).toEqual(
      diagnose(new Float32Array(half), targets, criterion),
    );
    const soft = randomProbabilities(float64, 30, 3, 38);
    const actual = diagnose(half, Float16Array.from(soft), criterion);
    expect(actual).toEqual(
      diagnose(new Float32Array(half), new Float32Array(Float16Array.from(soft)), criterion),
    );
  });

  it('may have no rows, or none that count', () => {
    const nothing = diagnose(new Float32Array(0), new Uint8Array(0), criterion);
    expect(nothing).toMatchObject({
      rows: 0,
      accuracy: NaN,
      floor: NaN,
      focalWeight: NaN,
      effectiveSampleSize: 0,
      advice: [],
    });
    expect(nothing.loss).toEqual({ mean: NaN, min: NaN, max: NaN });
    expect(nothing.classes).toEqual(
      Array(3).fill({ rows: 0, accuracy: NaN, meanLoss: NaN, lossShare: 0, gradientShare: 0 }),
    );
    expect(
      diagnose(logits, new Int8Array(30).fill(-1), criterion.with({ ignoreIndex: -1 })),
    ).toEqual(nothing);
    expect(diagnose(new Float32Array(0), new Uint8Array(0), new FocalLoss()).classes).toEqual([]);
  });

  it('may have rows that are not finite, which are listed and left out', () => {
    const spoilt = new Float64Array(99);
    spoilt.set(logits);
    // A NaN, a logit of Infinity, and a target that is masked.
    spoilt.set([NaN, 0, 0, 0, Infinity, 0, -Infinity, 0, 0], 90);
    const labels = Uint8Array.of(...targets, 0, 1, 0);
    const { nonFinite, advice, ...rest } = diagnose(spoilt, labels, criterion);
    expect(nonFinite).toEqual({ rows: Uint32Array.of(30, 31, 32), logits: 3 });
    expect(rest).toEqual((({ nonFinite, advice, ...rest }) => rest)(expected));
    expect(advice).toEqual([expect.objectContaining({ code: 'non-finite' }), ...expected.advice]);
  });

  it.each(dtypes)('may have rows that are left out wherever they stand: $name', (dtype) => {
    const [rows, few] = [13, 30];
    const { logits, targets } = randomBatch(dtype, few, 2);
    const ignoring = new FocalLoss({ ignoreIndex: -1 });
    const expected = diagnose(logits, targets, ignoring);
    const numbers = Array.from({ length: few }, (_, row) => row);
    for (let place = 0; place < rows; place++) {
      for (const [value, target] of [
        [NaN, 1],
        [0, -1],
      ]) {
        const others = numbers.map((row) => (row < place ? row : row + 1));
        const shifted = (list: Uint32Array) => list.map((row) => others[row]);
        const spoilt = dtype.zeros(2 * few + 2);
        spoilt.set(logits.subarray(0, 2 * place));
        spoilt.set([value, 0], 2 * place);
        spoilt.set(logits.subarray(2 * place), 2 * place + 2);
        const labels = [...targets];
        labels.splice(place, 0, target);
        const found = diagnose(spoilt, Int32Array.from(labels), ignoring);
        expect(found.nonFinite.rows).toEqual(Uint32Array.from(target < 0 ? [] : [place]));
        expect(found.classes).toEqual(expected.classes);
        expect(found.loss).toEqual(expected.loss);
        expect(found.hard).toEqual({ ...expected.hard, rows: shifted(expected.hard.rows) });
        expect(found.overconfident).toEqual({
          ...expected.overconfident,
          rows: shifted(expected.overconfident.rows),
        });
      }
    }
  });

  it('may have equal losses, none of which is above their mean', () => {
    const { hard, loss } = diagnose(
      new Float64Array(6).fill(0.1),
      new Uint8Array(3),
      new CrossEntropyLoss(),
    );
    expect(hard.rows).toHaveLength(0);
    expect(loss.mean).toBe(loss.max);
  });

  it('may have losses that have become 0', () => {
    const sure = new Float32Array([1000, 0, 0, 1000]);
    expect(diagnose(sure, Uint8Array.of(0, 1), new FocalLoss())).toMatchObject({
      loss: { mean: 0, min: 0, max: 0 },
      focalWeight: 0,
      effectiveSampleSize: 0,
      hard: { lossShare: 0 },
      classes: [{ lossShare: 0, gradientShare: 0 }, { lossShare: 0 }],
    });
    // Weights of 0.75 and 0.25.
    expect(diagnose(sure, Uint8Array.of(0, 1), new FocalLoss({ gamma: 0 }))).toMatchObject({
      focalWeight: 1,
      effectiveSampleSize: 1.6,
    });
  });
});

const two = [new Float32Array(4), new Uint8Array(2)] as const;

it.each<[() => unknown, ErrorConstructor, string]>([
  [
    () => diagnose(...two, {} as never),
    TypeError,
    'criterion must be a loss of this package, got an object',
  ],
  [
    () => diagnose(...two, undefined as never),
    TypeError,
    'criterion must be a loss of this package, got undefined',
  ],
  [
    () => diagnose(...two, new SigmoidFocalLoss()),
    RangeError,
    'targets.length must be logits.length, 4, got 2',
  ],
  [
    () => diagnose(new Float32Array(4), Uint8Array.of(0, 1, 3, 0), new SigmoidFocalLoss()),
    RangeError,
    'targets[2] must be in [0, 1], got 3',
  ],
  [
    () =>
      diagnose(new Float32Array(6), new Uint8Array(6), new SigmoidFocalLoss(), { numClasses: 4 }),
    RangeError,
    'logits.length must be a multiple of numClasses, 4, got 6',
  ],
  [
    () => diagnose(new Float32Array(3), Uint8Array.of(0, 1, 2), new FocalLoss()),
    RangeError,
    'targets[2] must be a class in [0, 2), got 2',
  ],
  [
    () =>
      diagnose(new Float32Array(3), Float32Array.of(0, 1, 0.5), new FocalLoss(), { numClasses: 1 }),
    RangeError,
    'targets[2] must be a class index where there is one logit per row, unless for a SigmoidFocalLoss, got 0.5',
  ],
  [
    () => diagnose([[2], [-1]], [1, NaN], new CrossEntropyLoss()),
    RangeError,
    'targets[1] must be a class index where there is one logit per row, unless for a SigmoidFocalLoss, got NaN',
  ],
  [
    () => diagnose(new Float32Array(1.2e6), new Uint8Array(4e5).fill(3, 399_999), new FocalLoss()),
    RangeError,
    'targets[399999] must be a class in [0, 3), got 3',
  ],
  [
    () => diagnose(new Float32Array(6e5), new Uint8Array(6e5).fill(2, 599_999), new FocalLoss()),
    RangeError,
    'targets[599999] must be a class in [0, 2), got 2',
  ],
  [
    () =>
      diagnose(new Float32Array(0), new Uint8Array(0), new FocalLoss({ numClasses: 400_000_000 })),
    RangeError,
    'numClasses must be at most 65536 where there are no rows, got 400000000',
  ],
  [
    () => diagnose(two[0], Uint8Array.of(0, 2), new FocalLoss()),
    RangeError,
    'targets[1] must be a class in [0, 2), got 2',
  ],
  [
    () => diagnose(...two, new FocalLoss({ alpha: [1, 2, 3] })),
    RangeError,
    'alpha must have one entry per class, 2, got 3',
  ],
  [
    () => diagnose(...two, new FocalLoss(), { overconfidence: 2 }),
    RangeError,
    'overconfidence must be in [0, 1], got 2',
  ],
  [
    () => diagnose(...two, new FocalLoss(), { threshold: 1 } as never),
    TypeError,
    'unknown option "threshold"; known are overconfidence, numClasses, spatialSize',
  ],
])('refuses what it cannot make sense of %#', expectFailure);
