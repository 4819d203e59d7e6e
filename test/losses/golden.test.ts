import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.js';
import { type Dtype, dtypes } from '../support/dtypes.js';
import { golden, largestOf, targetsOf } from '../support/golden.js';
import { type AnyCriterion, LOSSES } from './index.js';

/** A case of golden vectors: what is not named here are options of the loss. */
interface Case {
  kind: string;
  classes?: number;
  soft?: boolean;
  logits: number[][] | number[];
  targets: number[][] | number[];
  loss: number[];
  grad: number[][] | number[];
  labelSmoothing?: number;
  focusOn?: string;
  posWeight?: unknown;
}

function criterionOf(Loss: new (options: object) => AnyCriterion, given: Case): AnyCriterion<'none'> {
  const { kind, classes, soft, logits, targets, loss, grad, posWeight, ...options } = given;
  const weighted = posWeight === undefined || posWeight === null ? options : { ...options, posWeight };
  return new Loss({ ...weighted, reduction: 'none', numClasses: classes }) as AnyCriterion<'none'>;
}

/** The largest exponent among the options, with which the bound grows. */
function gammaOf(given: Case): number {
  const gammas = Object.entries(given).filter(([name]) => name.startsWith('gamma'));
  return Math.max(0, ...gammas.flatMap(([, gamma]) => gamma as number | number[]));
}

/**
 * A test whether errors are relative to each entry of the gradient: under smoothing, say, an entry
 * can pass through 0.
 */
function isHard({ labelSmoothing = 0, soft, focusOn = 'smoothed' }: Case): boolean {
  return labelSmoothing === 0 && !soft && focusOn === 'smoothed';
}

function describeCase(given: Case): string {
  const { logits, targets, loss, grad, ...options } = given;
  return JSON.stringify(options);
}

/** Every value and every gradient entry of a case of a softmax loss. Returns how many there are. */
function checkSoftmax(accuracy: Accuracy, dtype: Dtype, criterion: AnyCriterion<'none'>, given: Case): number {
  const [logits, expected] = [given.logits as number[][], given.grad as number[][]];
  const { value, grad } = criterion.valueAndGrad(dtype.array(logits.flat()), targetsOf(given.targets, given.soft));
  const bound = dtype.bound(gammaOf(given));
  logits.forEach((row, i) => {
    const where = `${describeCase(given)}, logits ${row}, target ${given.targets[i]}`;
    accuracy.add(`value: ${where}`, value[i], given.loss[i], bound);
    const scale = isHard(given) ? undefined : largestOf(expected[i]);
    expected[i].forEach((entry, j) => {
      accuracy.add(`grad[${j}]: ${where}`, grad[i * row.length + j], entry, bound, scale);
    });
  });
  return logits.length + logits.flat().length;
}

/** The same of a loss whose every logit is a row by itself. */
function checkSigmoid(accuracy: Accuracy, dtype: Dtype, criterion: AnyCriterion<'none'>, given: Case): number {
  const { labelSmoothing = 0, loss } = given;
  const [logits, targets, expected] = [given.logits as number[], given.targets as number[], given.grad as number[]];
  const { value, grad } = criterion.valueAndGrad(dtype.array(logits), Float64Array.from(targets));
  const bound = dtype.bound(gammaOf(given));
  // A soft target's gradient passes through 0. There, its error is relative to the largest of the
  // case.
  const largest = largestOf(expected);
  targets.forEach((y, i) => {
    const where = `${describeCase(given)}, logit ${logits[i]}, target ${y}`;
    const isHard = labelSmoothing === 0 && (y === 0 || y === 1);
    accuracy.add(`value: ${where}`, value[i], loss[i], bound);
    accuracy.add(`grad: ${where}`, grad[i], expected[i], bound, isHard ? undefined : largest);
  });
  return 2 * targets.length;
}

const FILES = LOSSES.flatMap(({ golden, ...loss }) =>
  Object.entries(golden).map(([file, count]) => ({ file, count, ...loss })),
);

describe.each(dtypes)('$name', (dtype) => {
  it.each(FILES)('$name meets the contract in $file', ({ file, count, Loss, isSigmoid }) => {
    const cases = golden<Case>(file);
    expect(cases).toHaveLength(count);
    for (const [title, group] of [
      ['relative to each entry', cases.filter(isHard)],
      ['relative to the largest entry', cases.filter((given) => !isHard(given))],
    ] as const) {
      if (group.length === 0) continue;
      const accuracy = new Accuracy(dtype);
      const check = isSigmoid ? checkSigmoid : checkSoftmax;
      const results = group.map((given) => check(accuracy, dtype, criterionOf(Loss, given), given));
      const checked = results.reduce((sum, count) => sum + count, 0);
      expect(checked).toBeGreaterThan(0);
      accuracy.report(`${file}, ${title}, ${group.length} cases`, checked);
    }
  });
});
