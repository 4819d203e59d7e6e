import {
  CrossEntropyLoss,
  classBalance,
  classificationReport,
  compareLosses,
  diagnose,
  FocalLoss,
  type Logits,
  LossMeter,
  logSoftmax,
  posterior,
  predict,
  SigmoidFocalLoss,
  softmax,
  sweep,
  sweepAsync,
  type Targets,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../support/failure.js';
import { generator } from '../support/random.js';

// Tensors in place of arrays: see test/family/tensor-like.test.ts for what is made of their shapes.

const random = generator(8);
const logits = Float32Array.from({ length: 30 }, () => 6 * random() - 3);
const targets = Int32Array.from({ length: 10 }, () => Math.floor(3 * random()));
const q = new Float32Array(30).fill(1 / 3);
const criterion = new FocalLoss();

const x = { data: logits, dims: [10, 3] };
const y = { data: targets, shape: [10] };
const soft = { data: q, dims: [10, 3] };

describe('a tensor in place of an array gives the same', () => {
  const text = (value: unknown) => JSON.stringify(value);
  it.each<[string, () => unknown, () => unknown]>([
    ['softmax', () => softmax(x), () => softmax(logits, 3)],
    ['logSoftmax', () => logSoftmax(x), () => logSoftmax(logits, 3)],
    ['predict', () => predict(x), () => predict(logits, 3)],
    [
      'posterior',
      () => posterior(x, criterion),
      () => posterior(logits, criterion, { numClasses: 3 }),
    ],
    ['classBalance', () => classBalance(y), () => classBalance(targets)],
    ['classBalance of probabilities', () => classBalance(soft), () => classBalance(q, 3)],
    ['diagnose', () => diagnose(x, y, criterion), () => diagnose(logits, targets, criterion)],
    [
      'diagnose of probabilities',
      () => diagnose(x, q, criterion),
      () => diagnose(logits, q, criterion, { numClasses: 3 }),
    ],
    [
      'classificationReport',
      () => classificationReport(x, y),
      () => classificationReport(logits, targets),
    ],
    [
      'compareLosses',
      () => compareLosses(x, y, { criterion }),
      () => compareLosses(logits, targets, { criterion }),
    ],
    [
      'sweep',
      () => sweep(x, soft, { gamma: [1, 2] }),
      () => sweep(logits, q, { gamma: [1, 2], numClasses: 3 }),
    ],
    [
      'LossMeter',
      () => new LossMeter(criterion).update(x, y),
      () => new LossMeter(criterion).update(logits, targets),
    ],
  ])('%s', (_, tensors, arrays) => {
    const expected = text(arrays());
    expect(expected.length).toBeGreaterThan(50);
    expect(text(tensors())).toBe(expected);
  });

  it('sweepAsync', async () => {
    expect(await sweepAsync(x, y)).toEqual(sweep(logits, targets));
  });

  const column = Float32Array.of(2, -1, 0.5, -3);
  const sigmoidLoss = new SigmoidFocalLoss();
  it.each<[string, (x: Logits, y: Targets) => unknown]>([
    ['classificationReport', (x, y) => classificationReport(x, y, { numClasses: 1 })],
    ['diagnose', (x, y) => diagnose(x, y, sigmoidLoss)],
    ['compareLosses', (x, y) => compareLosses(x, y, { sigmoidLoss })],
    ['sweep', (x, y) => sweep(x, y, { gamma: [1, 2], numClasses: 1 })],
    ['LossMeter', (x, y) => new LossMeter(sigmoidLoss).update(x, y)],
  ])('%s of one logit per row, with that axis and without', (_, figures) => {
    for (const data of [Int8Array.of(1, 0, 0, 1), Float32Array.of(1, 0, 0.25, 0.5)]) {
      const expected = text(figures(column, data));
      for (const dims of [[4], [4, 1]]) {
        for (const shape of [[4], [4, 1]]) {
          expect(text(figures({ data: column, dims }, { data, shape })), `${dims} ${shape}`).toBe(
            expected,
          );
        }
      }
      const double = text(figures(Float64Array.from(column), data));
      const rows = Array.from(column, (entry) => [entry]);
      for (const given of [Array.from(data), { data, shape: [4] }])
        expect(text(figures(rows, given))).toBe(double);
    }
  });
});

describe('plain arrays give what a Float64Array gives', () => {
  const double = Float64Array.from(logits);
  const rows = Array.from({ length: 10 }, (_, row) =>
    Array.from(double.subarray(3 * row, 3 * row + 3)),
  );
  const labels = Array.from(targets);
  const softRows = rows.map(() => [0.25, 0.5, 0.25]);
  const shares = Float64Array.from(softRows.flat());
  const weights = Float64Array.from(rows, (_, row) => row / 4);
  const text = (value: unknown) => JSON.stringify(value);
  const meter = () => new LossMeter(new CrossEntropyLoss({ weight: [1, 2, 3] }));
  const sigmoid = () => new LossMeter(new SigmoidFocalLoss({ posWeight: [1, 2, 3] }));
  it.each<[string, () => unknown, () => unknown]>([
    ['softmax', () => softmax(rows), () => softmax(double, 3)],
    ['softmax of numbers', () => softmax(Array.from(double), 3), () => softmax(double, 3)],
    ['logSoftmax', () => logSoftmax(rows), () => logSoftmax(double, 3)],
    [
      'predict',
      () => predict({ data: Array.from(double), dims: [10, 3] }),
      () => predict(double, 3),
    ],
    ['classBalance', () => classBalance(labels), () => classBalance(targets)],
    [
      'classBalance of booleans',
      () => classBalance([true, false]),
      () => classBalance(Uint8Array.of(1, 0)),
    ],
    [
      'classBalance of a tensor',
      () => classBalance({ data: labels, dims: [10] }),
      () => classBalance(targets),
    ],
    ['classBalance of probabilities', () => classBalance(softRows), () => classBalance(shares, 3)],
    [
      'diagnose',
      () => diagnose(rows, labels, criterion),
      () => diagnose(double, targets, criterion),
    ],
    [
      'diagnose of probabilities',
      () => diagnose(rows, softRows, criterion),
      () => diagnose(double, shares, criterion, { numClasses: 3 }),
    ],
    [
      'classificationReport',
      () => classificationReport(rows, labels),
      () => classificationReport(double, targets),
    ],
    [
      'classificationReport of floats',
      () => classificationReport(double, Float32Array.from(targets)),
      () => classificationReport(double, targets),
    ],
    [
      'compareLosses',
      () => compareLosses(rows, labels, { criterion, own: { criterion, logits: rows } }),
      () => compareLosses(double, targets, { criterion, own: criterion }),
    ],
    [
      'sweep',
      () => sweep(rows, labels, { gamma: [1, 2], sampleWeights: Array.from(weights) }),
      () => sweep(double, targets, { gamma: [1, 2], sampleWeights: weights }),
    ],
    ['LossMeter', () => meter().update(rows, labels), () => meter().update(double, targets)],
    [
      'LossMeter of floats',
      () => meter().update(logits, Float32Array.from(targets)),
      () => meter().update(logits, targets),
    ],
    [
      'LossMeter of probabilities',
      () => meter().update(rows, softRows),
      () => meter().update(double, shares, { numClasses: 3 }),
    ],
    [
      'LossMeter of columns',
      () => sigmoid().update(rows, softRows),
      () => sigmoid().update(double, shares, { numClasses: 3 }),
    ],
  ])('%s', (_, plain, arrays) => {
    const expected = text(arrays());
    expect(expected.length).toBeGreaterThan(50);
    expect(text(plain())).toBe(expected);
  });

  it('sweepAsync', async () => {
    expect(await sweepAsync(rows, labels, { sampleWeights: Array.from(weights) })).toEqual(
      sweep(double, targets, { sampleWeights: weights }),
    );
  });

  it('and are refused in the same words', () => {
    const calls = [
      (x: number[][]) => softmax(x),
      (x: number[][]) => predict(x),
      (x: number[][]) => diagnose(x, [0, 1], criterion),
      (x: number[][]) => classificationReport(x, [0, 1]),
      (x: number[][]) => compareLosses(x, [0, 1], { criterion }),
      (x: number[][]) => sweep(x, [0, 1]),
      (x: number[][]) => new LossMeter(criterion).update(x, [0, 1]),
    ];
    for (const call of calls) {
      expectFailure(
        () => call([[1, 2], [3]]),
        RangeError,
        'logits[1] must have 2 entries, as the first has, got 1',
      );
    }
    expectFailure(
      () => classBalance([0, 2 ** 32]),
      RangeError,
      'targets[1] must be a class, an integer of 32 bits, got 4294967296',
    );
    expectFailure(
      () => classBalance([[1, 0], [1]]),
      RangeError,
      'targets[1] must have 2 entries, as the first has, got 1',
    );
  });
});

it('a shape that does not fit is refused', () => {
  const call = () => classificationReport(x, { data: targets, dims: [5, 2] });
  expectFailure(call, RangeError, 'targets must have the shape [10], got [5,2]');
  expectFailure(() => softmax(x, 5), RangeError, 'numClasses is 3 by the shape, got 5');
});
