import {
  type Criterion,
  CrossEntropyLoss,
  type FloatArray,
  FocalLoss,
  SigmoidFocalLoss,
} from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { randomBatch, sum } from '../support/batch.js';
import { float64 } from '../support/dtypes.js';

// Every gradient there is against central differences of what it is the gradient of.

const classes = 5;
const { logits, targets } = randomBatch(float64, 7, classes, 3);
const numbers = randomBatch(float64, 7, classes, 4, 1).logits;
/** Rows of probabilities, and as many probabilities that are one per logit. */
const soft = numbers.map((x, i) => {
  const row = numbers.subarray(i - (i % classes), i - (i % classes) + classes);
  return Math.abs(x) / sum(Array.from(row, Math.abs));
});
const perClass = [0.5, 2, 0, 1, 1.5];
const sampleWeights = Float64Array.of(1, 0, 2, 0.5, 3, 1, 1);
const spoilt = targets.with(2, -1);
const step = 2 ** -17;

/** The slope of a function at each of some numbers. */
function slopes(f: (x: FloatArray) => number, at: Float64Array): number[] {
  return Array.from(at, (x, k) => (f(at.with(k, x + step)) - f(at.with(k, x - step))) / (2 * step));
}

function expectNear(actual: ArrayLike<number>, expected: number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((entry, k) => {
    expect(Math.abs(actual[k] - entry)).toBeLessThanOrEqual(2e-9);
  });
}

const focal = [0, 0.5, 1, 2, 2.7].flatMap((gamma) =>
  (['smoothed', 'target', 'class'] as const).flatMap((focusOn) =>
    [0, 0.1].map(
      (labelSmoothing) => new FocalLoss({ gamma, focusOn, labelSmoothing, numClasses: classes }),
    ),
  ),
);

type Case = [string, Criterion, Int32Array | FloatArray];

const cases: Case[] = [
  ...focal.flatMap((criterion): Case[] => [
    ['class indices', criterion, targets],
    ['ignored rows', criterion.with({ ignoreIndex: -1, alpha: perClass }), spoilt],
    ...(criterion.focusOn === 'target'
      ? []
      : ([['probabilities', criterion.with({ alpha: perClass }), soft]] as Case[])),
  ]),
  ['a gamma for each class', new FocalLoss({ gamma: [0, 0.5, 1, 2, 3.3] }), targets],
  [
    'a gamma for each class, smoothed',
    new FocalLoss({ gamma: [0, 0.5, 1, 2, 3.3], labelSmoothing: 0.1 }),
    targets,
  ],
  ...[0, 0.1].flatMap((labelSmoothing): Case[] => {
    const criterion = new CrossEntropyLoss({
      weight: perClass,
      labelSmoothing,
      numClasses: classes,
    });
    return [
      ['class indices', criterion, targets],
      ['ignored rows', criterion.with({ ignoreIndex: -1 }), spoilt],
      ['probabilities', criterion, soft],
    ];
  }),
  ...[0, 0.5, 2, 2.7].flatMap((gamma): Case[] => {
    const criterion = new SigmoidFocalLoss({ gamma, numClasses: classes });
    const perColumn = criterion.with({
      alpha: [0.5, 0, 1, 0.25, 0.9],
      posWeight: perClass,
      labelSmoothing: 0.1,
    });
    return [
      ['probabilities', criterion, soft],
      ['an alpha and a posWeight for each class', perColumn, soft],
      [
        'ignored logits',
        perColumn.with({ ignoreIndex: 255 }),
        soft.map((y, i) => (i % 3 ? y : 255)),
      ],
    ];
  }),
];

describe('the gradient equals central differences', () => {
  it.each(
    cases.map(([title, criterion, given]) => ({
      title,
      criterion,
      given,
      name: criterion.constructor.name,
    })),
  )('$name, $title, $criterion', ({ criterion, given }) => {
    for (const options of [{}, { sampleWeights }, { sampleWeights, normalizer: 3 }]) {
      const f = (x: FloatArray) => criterion.forward(x, given, options) as number;
      expectNear(criterion.backward(logits, given, options), slopes(f, logits as Float64Array));
    }
  });
});

const twice = focal.filter(
  ({ focusOn, labelSmoothing }) =>
    focusOn === 'smoothed' || (focusOn === 'target' && !labelSmoothing),
);

describe('second derivatives', () => {
  it.each(twice)(
    'hessianDiag equals central differences of the gradient, $gamma, $labelSmoothing',
    (criterion) => {
      for (const alpha of [0.25, perClass]) {
        const weighted = criterion.with({ alpha, ignoreIndex: -1 });
        for (const options of [{}, { sampleWeights, normalizer: 3 }]) {
          const expected = Array.from(logits, (x, k) => {
            const at = (moved: number) =>
              weighted.backward(logits.with(k, moved), spoilt, options)[k];
            return (at(x + step) - at(x - step)) / (2 * step);
          });
          expectNear(weighted.hessianDiag(logits, spoilt, options), expected);
        }
      }
    },
  );

  it.each(twice)(
    'the Gauss-Newton diagonal is never negative, and exact for gamma 0, $gamma, $labelSmoothing',
    (criterion) => {
      const exact = criterion.hessianDiag(logits, targets);
      const approximate = criterion.hessianDiag(logits, targets, { kind: 'gauss-newton' });
      expect(Math.min(...approximate)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...approximate)).toBeGreaterThan(0);
      if (criterion.gamma === 0) expect(approximate).toEqual(exact);
      else expect(approximate).not.toEqual(exact);
    },
  );

  it.each(focal.filter(({ focusOn, gamma }) => focusOn !== 'class' && gamma !== 0))(
    'gammaGrad equals central differences of the value, $gamma, $labelSmoothing, $focusOn',
    (criterion) => {
      const weighted = criterion.with({ alpha: perClass, ignoreIndex: -1 });
      for (const reduction of ['mean', 'sum'] as const) {
        for (const options of [{}, { sampleWeights }, { normalizer: 3 }]) {
          const at = (gamma: number) =>
            weighted.with({ gamma, reduction }).forward(logits, spoilt, options);
          const gamma = criterion.gamma as number;
          const expected = (at(gamma + step) - at(gamma - step)) / (2 * step);
          expectNear([weighted.with({ reduction }).gammaGrad(logits, spoilt, options)], [expected]);
        }
      }
    },
  );

  it('gammaGrad per row adds up to that of the sum, also with a gamma for each class', () => {
    const criterion = new FocalLoss({ gamma: [0, 0.5, 1, 2, 3.3], reduction: 'none' });
    const rows = criterion.gammaGrad(logits, targets);
    expect(rows).toHaveLength(7);
    expectNear([criterion.with({ reduction: 'sum' }).gammaGrad(logits, targets)], [sum(rows)]);
    const alone = new FocalLoss({ gamma: [0, 0.5, 1, 2, 3.3][targets[0]] });
    expect(rows[0]).toBe(alone.gammaGrad(logits.subarray(0, classes), targets.subarray(0, 1)));
  });

  it('writes into the buffer of the call', () => {
    const criterion = new FocalLoss();
    const out = new Float64Array(logits.length).fill(NaN);
    expect(criterion.hessianDiag(logits, targets, { out })).toBe(out);
    expect(out).toEqual(criterion.hessianDiag(logits, targets));
  });
});
