import { SigmoidFocalLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.js';
import { dtypes } from '../support/dtypes.js';
import { golden, largestOf, type SigmoidCase } from '../support/golden.js';

describe.each(dtypes)('$name', (dtype) => {
  it.each([
    ['sigmoid', 60],
    ['sigmoid-ext', 30],
  ])('meets the contract in %s', (name, count) => {
    const cases = golden<SigmoidCase>(name);
    expect(cases).toHaveLength(count);
    const accuracy = new Accuracy(dtype);
    let checked = 0;
    for (const { classes, alpha, gamma, posWeight, labelSmoothing = 0, logits, targets, loss, grad } of cases) {
      const criterion = new SigmoidFocalLoss({
        alpha,
        gamma,
        labelSmoothing,
        posWeight: posWeight ?? 1,
        numClasses: classes,
        reduction: 'none',
      });
      const actual = criterion.valueAndGrad(dtype.array(logits), Float64Array.from(targets));
      // A soft target's gradient passes through 0. There, its error is relative to the largest of
      // the case.
      const largest = largestOf(grad);
      targets.forEach((y, i) => {
        const isHard = labelSmoothing === 0 && (y === 0 || y === 1);
        const where = `gamma ${gamma}, smoothing ${labelSmoothing}, logit ${logits[i]}, target ${y}`;
        accuracy.add(`value: ${where}`, actual.value[i], loss[i], dtype.bound(gamma));
        accuracy.add(`grad: ${where}`, actual.grad[i], grad[i], dtype.bound(gamma), isHard ? undefined : largest);
        checked += 2;
      });
    }
    accuracy.report(`${name}, ${count} cases`, checked);
  });
});
