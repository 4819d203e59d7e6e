import { classificationReport, FocalLoss } from 'focal-loss/analysis';
import { expect, it } from 'vitest';
import { randomBatch } from '../support/batch.js';
import { float32, float64 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';

// More logits than are looked at in one turn.
const rows = 90_000;

it('a large batch has the log loss of the whole', () => {
  for (const dtype of [float32, float64]) {
    const { logits, targets } = randomBatch(dtype, rows, 7, 1);
    const losses = new FocalLoss({ alpha: null, gamma: 0, reduction: 'none' }).forward(
      new Float64Array(logits),
      targets,
    );
    const { logLoss } = classificationReport(logits, targets, { auc: false });
    let sum = 0;
    for (const loss of losses) sum += loss;
    expect(Math.abs(logLoss / (sum / rows) - 1)).toBeLessThan(1e-13);
  }
});

const { logits, targets } = randomBatch(float32, rows, 7, 2);
const soft = new Float32Array(7 * rows);
for (let row = 0; row < rows; row++) soft[7 * row] = row === 80_000 ? 2 : 1;

it.each<[() => unknown, ErrorConstructor, string]>([
  [
    () => classificationReport(logits, targets.with(80_000, 7)),
    RangeError,
    'targets[80000] must be a class in [0, 7), got 7',
  ],
  [
    () => classificationReport(logits, targets.subarray(1)),
    RangeError,
    'logits.length must be a multiple of targets.length, 89999, got 630000',
  ],
  [
    () => classificationReport(logits, targets, { numClasses: 6 }),
    RangeError,
    'logits must have 90000 rows (targets.length) of 6 classes (numClasses), 540000 entries in all, got 630000',
  ],
  [
    () => classificationReport(logits, soft, { numClasses: 7 }),
    RangeError,
    'targets: the probabilities of row 80000 must add up to 1, within 0.001, got 2',
  ],
])('what is wrong with a large batch is refused by its place in the whole %#', expectFailure);
