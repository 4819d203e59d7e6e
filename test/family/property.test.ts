import fc from 'fast-check';
import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { crossEntropyOracle, type FamilyResult, focalOracle, oneHot, sigmoidOracle } from '../support/family-oracle.js';
import { weightOf } from '../support/oracle.js';

const logit = fc.oneof(
  fc.double({ min: -8, max: 8, noNaN: true }),
  fc.double({ min: -60, max: 60, noNaN: true }),
  fc.integer({ min: -3, max: 3 }),
);
const gamma = fc.oneof(fc.constantFrom(0, 0.5, 1, 2, 3, 5), fc.double({ min: 0, max: 6, noNaN: true }));
const smoothing = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 1000 }).map((x) => x / 1000),
);
const factor = fc.double({ min: 0, max: 10, noNaN: true });

const arrayOf = <T>(entry: fc.Arbitrary<T>, length: number) =>
  fc.array(entry, { minLength: length, maxLength: length });

/** A row of probabilities: some are 0, and now and then all but one. */
const probabilities = (classes: number) =>
  fc.tuple(fc.nat(classes - 1), arrayOf(fc.oneof(fc.constant(0), fc.nat(9)), classes)).map(([always, parts]) => {
    parts[always] += 1;
    const total = parts.reduce((a, b) => a + b);
    return parts.map((part) => part / total);
  });

/** What goes with every batch of rows. */
const batch = fc
  .record({ rows: fc.integer({ min: 1, max: 12 }), classes: fc.integer({ min: 2, max: 40 }) })
  .chain((shape) =>
    fc.record({
      classes: fc.constant(shape.classes),
      rows: arrayOf(arrayOf(logit.map(Math.fround), shape.classes), shape.rows),
      targets: arrayOf(fc.integer({ min: -1, max: shape.classes - 1 }), shape.rows),
      soft: arrayOf(probabilities(shape.classes), shape.rows),
      isSoft: fc.boolean(),
      weights: fc.option(arrayOf(factor, shape.classes)),
      alpha: fc.double({ min: 0, max: 1, noNaN: true }),
      gamma,
      labelSmoothing: smoothing,
      sampleWeights: fc.option(arrayOf(factor.map(Math.fround), shape.rows), { nil: undefined }),
      gradOutput: fc.oneof(
        fc.double({ min: -2, max: 2, noNaN: true }),
        arrayOf(fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround), shape.rows),
      ),
    }),
  );

/** A result that may be off by the bound times the size of its terms, and is 0 where that is below the normal range. */
function expectNear(
  dtype: Dtype,
  power: number,
  factors: number,
  scale: number,
  actual: number,
  expected: number,
): void {
  // In float64 the plain loop, not the contract, sets the limit.
  const bound = dtype.name === 'float32' ? dtype.bound(power) : 2e-13 * (1 + power);
  const tolerance = bound * scale * factors + dtype.smallest * (1 + factors);
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(tolerance);
}

interface Weighed {
  sampleWeights: number[] | undefined;
  gradOutput: number | number[];
}

/** The options of a call, in the kind of array the logits have. */
function callOptions(dtype: Dtype, { sampleWeights, gradOutput }: Weighed) {
  return {
    sampleWeights: sampleWeights && dtype.array(sampleWeights),
    gradOutput: typeof gradOutput === 'number' ? gradOutput : dtype.array(gradOutput),
  };
}

/** Compares each row with the oracle's, `undefined` for one that is ignored. */
function compare(
  dtype: Dtype,
  power: number,
  given: Weighed,
  actual: { value: ArrayLike<number>; grad: ArrayLike<number> },
  expected: (FamilyResult | undefined)[],
): void {
  expected.forEach((row, i) => {
    const width = actual.grad.length / expected.length;
    const grad = Array.from({ length: width }, (_, j) => actual.grad[i * width + j]);
    if (row === undefined) {
      expect(actual.value[i]).toBe(0);
      expect(grad).toEqual(Array(width).fill(0));
      return;
    }
    const weight = given.sampleWeights?.[i] ?? 1;
    const up = typeof given.gradOutput === 'number' ? given.gradOutput : given.gradOutput[i];
    expectNear(dtype, power, weight, row.value, actual.value[i], row.value * weight);
    const factors = Math.abs(weight * up);
    grad.forEach((entry, j) => {
      expectNear(dtype, power, factors, row.scale, entry, row.grad[j] * weight * up);
    });
  });
}

describe.each(dtypes)('$name', (dtype) => {
  it('FocalLoss agrees with a plain loop', () => {
    const focus = fc.constantFrom('smoothed', 'target', 'class');
    fc.assert(
      fc.property(batch, focus, (given, focusOn) => {
        const { classes, rows, targets, soft, labelSmoothing } = given;
        const isSoft = given.isSoft && focusOn !== 'target';
        const alpha = given.weights ?? given.alpha;
        const criterion = new FocalLoss({
          alpha,
          gamma: given.gamma,
          labelSmoothing,
          focusOn,
          reduction: 'none',
          numClasses: classes,
          ignoreIndex: isSoft ? undefined : -1,
        });
        const logits = dtype.array(rows.flat());
        const actual = criterion.valueAndGrad(
          logits,
          isSoft ? dtype.array(soft.flat()) : Int16Array.from(targets),
          callOptions(dtype, given),
        );
        const weights = Array.from({ length: classes }, (_, j) => weightOf(alpha, j));
        const expected = rows.map((row, i) => {
          if (!isSoft && targets[i] === -1) return undefined;
          const q = isSoft ? soft[i] : oneHot(targets[i], classes);
          return focalOracle({ logits: row, q, weights, labelSmoothing, gamma: given.gamma, focusOn });
        });
        compare(dtype, given.gamma, given, actual, expected);
      }),
      { numRuns: 600, seed: 7 },
    );
  });

  it('CrossEntropyLoss agrees with a plain loop', () => {
    fc.assert(
      fc.property(batch, (given) => {
        const { classes, rows, targets, soft, isSoft, weights, labelSmoothing } = given;
        const criterion = new CrossEntropyLoss({
          weight: weights,
          labelSmoothing,
          reduction: 'none',
          numClasses: classes,
          ignoreIndex: isSoft ? undefined : -1,
        });
        const actual = criterion.valueAndGrad(
          dtype.array(rows.flat()),
          isSoft ? dtype.array(soft.flat()) : Int32Array.from(targets),
          callOptions(dtype, given),
        );
        const expected = rows.map((row, i) => {
          if (!isSoft && targets[i] === -1) return undefined;
          const q = isSoft ? soft[i] : oneHot(targets[i], classes);
          return crossEntropyOracle({ logits: row, q, weights: weights ?? Array(classes).fill(1), labelSmoothing });
        });
        compare(dtype, 0, given, actual, expected);
      }),
      { numRuns: 400, seed: 8 },
    );
  });

  const element = fc.record({
    x: logit.map(Math.fround),
    y: fc.oneof(fc.constantFrom(0, 1, 255), fc.double({ min: 0, max: 1, noNaN: true })).map(Math.fround),
  });
  const unit = fc.double({ min: 0, max: 1, noNaN: true }).map(Math.fround);
  const elements = fc
    .record({ rows: fc.integer({ min: 1, max: 9 }), classes: fc.integer({ min: 1, max: 9 }) })
    .chain((shape) =>
      fc.record({
        classes: fc.constant(shape.classes),
        elements: arrayOf(element, shape.rows * shape.classes),
        alpha: fc.oneof(unit, fc.constant(null), arrayOf(unit, shape.classes)),
        posWeight: fc.oneof(factor.map(Math.fround), arrayOf(factor.map(Math.fround), shape.classes)),
        gamma,
        labelSmoothing: smoothing,
        sampleWeights: fc.option(arrayOf(factor.map(Math.fround), shape.rows * shape.classes), { nil: undefined }),
        gradOutput: fc.oneof(
          fc.double({ min: -2, max: 2, noNaN: true }),
          arrayOf(fc.double({ min: -2, max: 2, noNaN: true }).map(Math.fround), shape.rows * shape.classes),
        ),
      }),
    );

  it('SigmoidFocalLoss agrees with a plain loop', () => {
    fc.assert(
      fc.property(elements, (given) => {
        const { classes, alpha, posWeight, labelSmoothing } = given;
        const criterion = new SigmoidFocalLoss({
          alpha,
          posWeight,
          gamma: given.gamma,
          labelSmoothing,
          ignoreIndex: 255,
          numClasses: classes,
          reduction: 'none',
        });
        const actual = criterion.valueAndGrad(
          dtype.array(given.elements.map(({ x }) => x)),
          Float32Array.from(given.elements, ({ y }) => y),
          callOptions(dtype, given),
        );
        const expected = given.elements.map(({ x, y }, i) => {
          if (y === 255) return undefined;
          const column = i % classes;
          return sigmoidOracle({
            x,
            y,
            alpha: Array.isArray(alpha) ? alpha[column] : alpha,
            posWeight: Array.isArray(posWeight) ? posWeight[column] : posWeight,
            gamma: given.gamma,
            labelSmoothing,
          });
        });
        compare(dtype, given.gamma, given, actual, expected);
      }),
      { numRuns: 600, seed: 9 },
    );
  });
});
