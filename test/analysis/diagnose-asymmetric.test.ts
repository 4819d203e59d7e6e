import {
  AsymmetricLoss,
  compareLosses,
  diagnose,
  diagnoseAsync,
  SigmoidFocalLoss,
  sweep,
} from 'focal-loss/analysis';
import { expect, it } from 'vitest';
import { sum } from '../support/batch.js';
import { dtypes } from '../support/dtypes.js';
import { generator } from '../support/random.js';

const random = generator(20_261_130);
const COLUMNS = 3;
const COUNT = 60 * COLUMNS;
const values = Array.from({ length: COUNT }, () => 6 * random() - 3);
const targets = Float64Array.from(values, (x, i) => (i === 7 ? -1 : Number(random() * 6 - 3 < x)));
const options = { gammaPositive: 0.5, gammaNegative: 3, margin: 0.1 };

it.each(dtypes)('is diagnosed from its own rows, $name', (dtype) => {
  const logits = dtype.array(values);
  const criterion = new AsymmetricLoss({ ...options, ignoreIndex: -1, numClasses: COLUMNS });
  const found = diagnose(logits, targets, criterion);
  const losses = criterion.with({ reduction: 'none' }).forward(logits, targets);
  const { grad } = criterion.with({ reduction: 'sum' }).valueAndGrad(logits, targets);
  const entropies = new SigmoidFocalLoss({
    alpha: null,
    gamma: 0,
    ignoreIndex: -1,
    reduction: 'none',
  }).forward(logits, targets);
  const counted = Array.from(values, (_, i) => i).filter((i) => targets[i] !== -1);
  const factors = counted.map((i) => (losses[i] as number) / (entropies[i] as number));
  const close = (got: number, expected: number) =>
    expect(Math.abs(got / expected - 1)).toBeLessThan(4 * dtype.bound(3));
  expect(found.rows).toBe(COUNT - 1);
  close(found.loss.mean, sum(counted.map((i) => losses[i] as number)) / counted.length);
  close(found.focalWeight, sum(factors) / factors.length);
  close(found.effectiveSampleSize, sum(factors) ** 2 / sum(factors.map((w) => w * w)));
  const size = (i: number) => Math.abs(grad[i] as number);
  const ofYes = counted.filter((i) => targets[i] === 1);
  close(found.classes[1]?.gradientShare as number, sum(ofYes.map(size)) / sum(counted.map(size)));
  expect(found.columns).toHaveLength(COLUMNS);
  expect(found.floor).toBe(0);
  const codes = found.advice.map(({ code }) => code);
  for (const code of ['raise-gamma', 'lower-gamma', 'alpha-favours-majority'] as const)
    expect(codes).not.toContain(code);
});

it('has no floor to be told where targets are shares', () => {
  const soft = Float64Array.from(targets, (y) => Math.abs(y) / 2 + 0.1);
  expect(diagnose(Float64Array.from(values), soft, new AsymmetricLoss(options)).floor).toBeNaN();
});

it('of sure and wrong rows, is not told to smooth', () => {
  const logits = Float64Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? 9 : -9));
  const labels = Uint8Array.from(logits, (_, i) => Number(i % 4 < 2));
  const { advice } = diagnose(logits, labels, new AsymmetricLoss());
  const { message } = advice.find(({ code }) => code === 'overconfident') ?? {};
  expect(message).toMatch(/are wrong: a calibration \(fitCalibration\) helps\.$/);
});

it('is a loss without rows that are saturated, and one with', () => {
  // A cross-entropy of 0 leaves nothing to divide by.
  const sure = Float64Array.of(-800, 800);
  const labels = Uint8Array.of(0, 1);
  const of = (changes: object) =>
    diagnose(sure, labels, new AsymmetricLoss({ gammaPositive: 0, gammaNegative: 0, ...changes }))
      .focalWeight;
  expect(of({ margin: 0 })).toBe(1);
  expect(of({ margin: 0.1 })).toBe(0.5);
  expect(of({ margin: 0, gammaNegative: 1 })).toBe(0.5);
  expect(of({ margin: 0, gammaPositive: 1 })).toBe(0.5);
});

it('is compared with others, in turns too, but not swept', async () => {
  const logits = Float64Array.from(values);
  const labels = Uint8Array.from(targets, (y) => Math.max(y, 0));
  const criterion = new AsymmetricLoss(options);
  const [asymmetric, focal] = compareLosses(logits, labels, {
    asymmetric: criterion,
    focal: { criterion: new SigmoidFocalLoss(), logits },
  });
  expect(asymmetric?.value).toBeCloseTo(criterion.forward(logits, labels), 12);
  expect(asymmetric?.report.accuracy).toBe(focal?.report.accuracy);
  const { toString: _, ...at } = await diagnoseAsync(logits, labels, criterion);
  expect(diagnose(logits, labels, criterion)).toMatchObject(at);
  expect(() => sweep(logits, labels, { criterion: criterion as never })).toThrow(
    'criterion must be a FocalLoss or a SigmoidFocalLoss, got an AsymmetricLoss',
  );
});
