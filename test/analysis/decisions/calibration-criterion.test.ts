import {
  Calibrator,
  CrossEntropyLoss,
  FocalLoss,
  fitCalibration,
  posterior,
  SigmoidFocalLoss,
} from 'focal-loss/analysis';
import { expect, it } from 'vitest';
import { expectFailure } from '../../support/failure.js';
import { generator } from '../../support/random.js';

const random = generator(20_261_129);

/** Logits at the minimum of a focal loss for rows with these probabilities of class 1 of two. */
function rowsAtMinimum(criterion: FocalLoss, count: number) {
  const logits = new Float64Array(2 * count);
  const targets = new Uint8Array(count);
  for (let row = 0; row < count; row++) {
    const truth = 0.02 + 0.96 * random();
    let [low, high] = [-40, 40];
    for (let step = 0; step < 60; step++) {
      const x = (low + high) / 2;
      const eta = posterior(Float64Array.of(0, x), criterion, { numClasses: 2 });
      if ((eta[1] as number) < truth) low = x;
      else high = x;
    }
    logits[2 * row + 1] = low;
    targets[row] = Number(random() < truth);
  }
  return { logits, targets };
}

const criterion = new FocalLoss({ alpha: 0.9, gamma: 2, labelSmoothing: 0.1 });
const { logits, targets } = rowsAtMinimum(criterion, 4000);

it('what is at the minimum of its loss needs no further fit', () => {
  const { parameters, before, after } = fitCalibration(logits, targets, { criterion });
  expect(parameters.temperature).toBeGreaterThan(0.9);
  expect(parameters.temperature).toBeLessThan(1.1);
  expect(before.calibrationError).toBeGreaterThan(0.1);
  expect(after.calibrationError).toBeLessThan(0.03);
  // Without the loss, no temperature mends a shift.
  expect(fitCalibration(logits, targets).after.calibrationError).toBeGreaterThan(0.05);
  const platt = fitCalibration(logits, targets, { method: 'platt', criterion });
  expect(platt.parameters.slopes[0]).toBeCloseTo(1, 0);
  expect(platt.parameters.intercepts[0]).toBeCloseTo(0, 0);
  const { apply } = Calibrator.prototype;
  expect(apply.call(platt, Float64Array.of(0, 1))[1]).toBeCloseTo(
    posterior(Float64Array.of(0, 1), criterion, { numClasses: 2 })[1] as number,
    1,
  );
});

it('a calibration after a loss goes through JSON, and says which loss', () => {
  const plain = fitCalibration(logits, targets);
  expect(plain.toJSON()).not.toHaveProperty('criterion');
  expect(plain.criterion).toBeUndefined();
  for (const method of ['temperature', 'platt', 'isotonic'] as const) {
    const calibrator = fitCalibration(logits, targets, { method, criterion });
    expect(calibrator.criterion?.loss).toBe('FocalLoss');
    expect(calibrator.criterion?.options).toMatchObject({ gamma: 2, labelSmoothing: 0.1 });
    const json = JSON.parse(JSON.stringify(calibrator));
    const same = Calibrator.fromJSON(json);
    expect([...same.apply(logits)]).toEqual([...calibrator.apply(logits)]);
    expect(JSON.parse(JSON.stringify(same))).toEqual(json);
  }
});

it('the weight of a cross-entropy is what a fit without it would have to find', () => {
  const weight = [1, 3];
  // The odds of class 1 are trained to be three times as large.
  const weighted = logits.map((x, k) => (k % 2 === 0 ? x : x + Math.log(3)));
  const given = fitCalibration(weighted, targets, {
    method: 'platt',
    criterion: new CrossEntropyLoss({ weight }),
  });
  const without = fitCalibration(logits, targets, { method: 'platt' });
  expect(given.parameters.slopes[0]).toBeCloseTo(without.parameters.slopes[0] as number, 9);
  expect(given.parameters.intercepts[0]).toBeCloseTo(without.parameters.intercepts[0] as number, 9);
});

it('takes one logit per row with a loss on such, and clipped rows', () => {
  const single = Float64Array.from(targets, (_, row) => logits[2 * row + 1] as number);
  const sigmoid = new SigmoidFocalLoss({ alpha: 0.8, labelSmoothing: 0.1 });
  const options = { numClasses: 1, criterion: sigmoid };
  const calibrator = fitCalibration(single, targets, options);
  expect(calibrator.after.logLoss).toBeLessThan(calibrator.before.logLoss);
  const far = calibrator.apply(Float64Array.of(-1e30, -50, 50, 1e30, NaN));
  expect(far.slice(0, 4).every((p) => p > 0 && p < 1)).toBe(true);
  expect(far[4]).toBeNaN();
});

it('refuses a loss of another kind', () => {
  const sigmoid = new SigmoidFocalLoss();
  expectFailure(
    () => fitCalibration(logits, targets, { criterion: sigmoid }),
    TypeError,
    'criterion must be a loss on softmax logits where rows have several, got a SigmoidFocalLoss',
  );
  expectFailure(
    () => fitCalibration(logits.subarray(0, 4000), targets, { criterion }),
    TypeError,
    'criterion must be a loss on yes-or-no logits where rows have one, got a FocalLoss',
  );
  expectFailure(
    () => fitCalibration(logits, targets, { criterion: {} as FocalLoss }),
    TypeError,
    'criterion must be a loss of this package, got an object',
  );
  const state = fitCalibration(logits, targets, { criterion }).toJSON();
  const broken = { ...state, criterion: { loss: 'Loss', options: {} } };
  expectFailure(
    () => Calibrator.fromJSON(broken as unknown as typeof state),
    TypeError,
    'state.criterion.loss must be the name of a loss, got "Loss"',
  );
});
