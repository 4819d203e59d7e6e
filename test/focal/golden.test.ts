import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { type GoldenCase, golden } from '../support/golden.js';

/** Every value and every gradient entry of a case. */
function check(accuracy: Accuracy, dtype: Dtype, name: string, given: GoldenCase): void {
  const { alpha, gamma, labelSmoothing, classes } = given;
  const criterion = new FocalLoss({ alpha, gamma, labelSmoothing, reduction: 'none' });
  const logits = dtype.array(given.logits.flat());
  const { value, grad } = criterion.valueAndGrad(logits, Int32Array.from(given.targets));
  const bound = dtype.bound(gamma);
  given.targets.forEach((target, i) => {
    const where = `${name}, C ${classes}, gamma ${gamma}, smoothing ${labelSmoothing}, logits ${given.logits[i]}, target ${target}`;
    accuracy.add(`value: ${where}`, value[i], given.loss[i], bound);
    // Under smoothing an entry can pass through 0, where it has no relative precision.
    const scale = labelSmoothing > 0 ? Math.max(...given.grad[i].map(Math.abs)) : undefined;
    given.grad[i].forEach((expected, j) => {
      accuracy.add(`grad[${j}]: ${where}`, grad[i * classes + j], expected, bound, scale);
    });
  });
}

/** How many results the cases hold. */
function resultsIn(cases: GoldenCase[]): number {
  return cases.reduce((sum, { targets, classes }) => sum + targets.length * (1 + classes), 0);
}

describe.each(dtypes)('$name', (dtype) => {
  it.each([
    ['focal', 218],
    ['focal-extreme', 5],
    ['focal-wide', 40],
    ['focal-other-gamma', 40],
  ])('meets the contract in %s', (name, count) => {
    const cases = golden(name);
    expect(cases).toHaveLength(count);
    const hard = cases.filter(({ labelSmoothing }) => labelSmoothing === 0);
    const smoothed = cases.filter(({ labelSmoothing }) => labelSmoothing > 0);
    for (const [title, group] of [
      ['hard', hard],
      ['smoothed', smoothed],
    ] as const) {
      const accuracy = new Accuracy(dtype);
      for (const given of group) check(accuracy, dtype, name, given);
      if (group.length > 0) accuracy.report(`${name}, ${title} targets, ${group.length} cases`, resultsIn(group));
    }
  });
});
