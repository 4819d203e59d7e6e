import {
  classBalance,
  classificationReport,
  compareLosses,
  diagnose,
  FocalLoss,
  LossMeter,
  logSoftmax,
  predict,
  softmax,
  sweep,
  sweepAsync,
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
    ['classBalance', () => classBalance(y), () => classBalance(targets)],
    ['classBalance of probabilities', () => classBalance(soft), () => classBalance(q, 3)],
    ['diagnose', () => diagnose(x, y, criterion), () => diagnose(logits, targets, criterion)],
    [
      'diagnose of probabilities',
      () => diagnose(x, q, criterion),
      () => diagnose(logits, q, criterion, { numClasses: 3 }),
    ],
    ['classificationReport', () => classificationReport(x, y), () => classificationReport(logits, targets)],
    ['compareLosses', () => compareLosses(x, y, { criterion }), () => compareLosses(logits, targets, { criterion })],
    ['sweep', () => sweep(x, soft, { gamma: [1, 2] }), () => sweep(logits, q, { gamma: [1, 2], numClasses: 3 })],
    ['LossMeter', () => new LossMeter(criterion).update(x, y), () => new LossMeter(criterion).update(logits, targets)],
  ])('%s', (_, tensors, arrays) => {
    const expected = text(arrays());
    expect(expected.length).toBeGreaterThan(50);
    expect(text(tensors())).toBe(expected);
  });

  it('sweepAsync', async () => {
    expect(await sweepAsync(x, y)).toEqual(sweep(logits, targets));
  });
});

it('a shape that does not fit is refused', () => {
  const call = () => classificationReport(x, { data: targets, dims: [5, 2] });
  expectFailure(call, RangeError, 'targets must have the shape [10], got [5,2]');
  expectFailure(() => softmax(x, 5), RangeError, 'numClasses is 3 by the shape, got 5');
});
