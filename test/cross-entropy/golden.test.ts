import { CrossEntropyLoss } from 'focal-loss';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.js';
import { dtypes } from '../support/dtypes.js';
import { type CrossEntropyCase, golden, largestOf, targetsOf } from '../support/golden.js';

/**
 * The gradient of a row with probabilities q is a multiple of p - q. In float64, where these nearly
 * cancel, its error is relative to their own size.
 */
function termsOf(logits: number[], grad: number[], q: number[]): number {
  const top = Math.max(...logits);
  const exps = logits.map((x) => Math.exp(x - top));
  const total = exps.reduce((a, e) => a + e);
  const p = exps.map((e) => e / total);
  const j = grad.findIndex((entry) => Math.abs(entry) === largestOf(grad));
  return (Math.max(...p, ...q) * Math.abs(grad[j])) / Math.abs(p[j] - q[j]);
}

describe.each(dtypes)('$name', (dtype) => {
  it('meets the contract, in all that torch.nn.CrossEntropyLoss has', () => {
    const cases = golden<CrossEntropyCase>('cross-entropy');
    expect(cases).toHaveLength(60);
    const accuracy = new Accuracy(dtype);
    let checked = 0;
    for (const {
      classes,
      weight,
      labelSmoothing,
      reduction,
      soft,
      ignoreIndex,
      logits,
      targets,
      loss,
      grad,
    } of cases) {
      const criterion = new CrossEntropyLoss({
        weight,
        labelSmoothing,
        reduction,
        ignoreIndex: ignoreIndex ?? undefined,
        numClasses: classes,
      });
      const actual = criterion.valueAndGrad(dtype.array(logits.flat()), targetsOf(targets, soft));
      const name = `reduction ${reduction}, smoothing ${labelSmoothing}, C ${classes}`;
      const values = [actual.value].flatMap((value) =>
        typeof value === 'number' ? [value] : [...value],
      );
      [loss].flat().forEach((expected, i) => {
        accuracy.add(`value ${i}: ${name}`, values[i], expected, dtype.bound(0));
        checked++;
      });
      grad.forEach((row, i) => {
        const canceled =
          soft && dtype.name === 'float64'
            ? termsOf(logits[i], row, targets[i] as number[]) / 2
            : 0;
        const scale =
          labelSmoothing === 0 && !soft ? undefined : Math.max(largestOf(row), canceled);
        row.forEach((expected, j) => {
          const entry = actual.grad[i * classes + j];
          const where = `grad[${j}]: ${name}, logits ${logits[i]}, target ${targets[i]}`;
          accuracy.add(where, entry, expected, dtype.bound(0), scale);
          // An ignored row's entries are all 0, and must be just that.
          if (targets[i] === ignoreIndex) expect(entry).toBe(0);
          checked++;
        });
      });
    }
    accuracy.report('cross-entropy, 60 cases', checked);
  });
});
