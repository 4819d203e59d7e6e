import { FocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { type FamilyCase, golden, largestOf, targetsOf } from '../support/golden.js';

/**
 * A test whether errors are relative to each entry of the gradient: under smoothing, say, an entry
 * can pass through 0.
 */
function isHard({ labelSmoothing, soft, focusOn }: FamilyCase): boolean {
  return labelSmoothing === 0 && !soft && (focusOn ?? 'smoothed') === 'smoothed';
}

/** Every value and every gradient entry of a case. */
function check(accuracy: Accuracy, dtype: Dtype, name: string, given: FamilyCase): void {
  const { alpha, gamma, labelSmoothing, classes, focusOn } = given;
  const criterion = new FocalLoss({ alpha, gamma, labelSmoothing, focusOn, reduction: 'none', numClasses: classes });
  const { value, grad } = criterion.valueAndGrad(
    dtype.array(given.logits.flat()),
    targetsOf(given.targets, given.soft),
  );
  const bound = dtype.bound(gamma);
  given.logits.forEach((row, i) => {
    const where = `${name}, C ${classes}, gamma ${gamma}, smoothing ${labelSmoothing}, logits ${row}, target ${given.targets[i]}`;
    accuracy.add(`value: ${where}`, value[i], given.loss[i], bound);
    const scale = isHard(given) ? undefined : largestOf(given.grad[i]);
    given.grad[i].forEach((expected, j) => {
      accuracy.add(`grad[${j}]: ${where}`, grad[i * classes + j], expected, bound, scale);
    });
  });
}

/** The number of results that the cases hold. */
function resultsIn(cases: FamilyCase[]): number {
  return cases.reduce((sum, { logits, classes }) => sum + logits.length * (1 + classes), 0);
}

describe.each(dtypes)('$name', (dtype) => {
  it.each([
    ['focal', 218],
    ['focal-extreme', 5],
    ['focal-wide', 40],
    ['focal-other-gamma', 40],
    ['focal-target', 42],
    ['focal-soft', 40],
    ['focal-class', 40],
  ])('meets the contract in %s', (name, count) => {
    const cases = golden<FamilyCase>(name);
    expect(cases).toHaveLength(count);
    const hard = cases.filter(isHard);
    const others = cases.filter((given) => !isHard(given));
    for (const [title, group] of [
      ['relative to each entry', hard],
      ['relative to the largest entry', others],
    ] as const) {
      const accuracy = new Accuracy(dtype);
      for (const given of group) check(accuracy, dtype, name, given);
      if (group.length > 0) accuracy.report(`${name}, ${title}, ${group.length} cases`, resultsIn(group));
    }
  });
});
