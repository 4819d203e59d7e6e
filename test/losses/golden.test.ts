import type { FocalLoss } from 'focal-loss';
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
  /** The sizes that the bounds of values and of entries are relative to, if not to themselves. */
  lossScales?: number[];
  gradScales?: number[][] | number[];
  /** Second derivatives with respect to each logit, and derivatives with respect to gamma. */
  hessianDiag?: number[][];
  gammaGrad?: number[];
}

function criterionOf(
  Loss: new (options: object) => AnyCriterion,
  given: Case,
): AnyCriterion<'none'> {
  const { kind, classes, soft, posWeight, ...rest } = given;
  const {
    logits,
    targets,
    loss,
    grad,
    lossScales,
    gradScales,
    hessianDiag,
    gammaGrad,
    ...options
  } = rest;
  const weighted =
    posWeight === undefined || posWeight === null ? options : { ...options, posWeight };
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
  const {
    logits,
    targets,
    loss,
    grad,
    lossScales,
    gradScales,
    hessianDiag,
    gammaGrad,
    ...options
  } = given;
  return JSON.stringify(options);
}

/** Every value and every gradient entry of a case of a softmax loss. Returns how many there are. */
function checkSoftmax(
  accuracy: Accuracy,
  dtype: Dtype,
  criterion: AnyCriterion<'none'>,
  given: Case,
): number {
  const [logits, expected] = [given.logits as number[][], given.grad as number[][]];
  const { value, grad } = criterion.valueAndGrad(
    dtype.array(logits.flat()),
    targetsOf(given.targets, given.soft),
  );
  const bound = dtype.bound(gammaOf(given));
  logits.forEach((row, i) => {
    const where = `${describeCase(given)}, logits ${row}, target ${given.targets[i]}`;
    accuracy.add(`value: ${where}`, value[i], given.loss[i], bound, given.lossScales?.[i]);
    const scales = (given.gradScales as number[][] | undefined)?.[i] ?? expected[i];
    const scale = isHard(given) ? undefined : largestOf(scales);
    expected[i].forEach((entry, j) => {
      accuracy.add(
        `grad[${j}]: ${where}`,
        grad[i * row.length + j],
        entry,
        bound,
        scale ?? Math.abs(scales[j]),
      );
    });
  });
  return logits.length + logits.flat().length;
}

/** The same of a loss whose every logit is a row by itself. */
function checkSigmoid(
  accuracy: Accuracy,
  dtype: Dtype,
  criterion: AnyCriterion<'none'>,
  given: Case,
): number {
  const { labelSmoothing = 0, loss } = given;
  const [logits, targets, expected] = [
    given.logits as number[],
    given.targets as number[],
    given.grad as number[],
  ];
  const { value, grad } = criterion.valueAndGrad(dtype.array(logits), Float64Array.from(targets));
  const bound = dtype.bound(gammaOf(given));
  // A soft target's gradient passes through 0. There, its error is relative to the largest of the
  // case.
  const largest = largestOf(expected);
  targets.forEach((y, i) => {
    const where = `${describeCase(given)}, logit ${logits[i]}, target ${y}`;
    const isHard = labelSmoothing === 0 && (y === 0 || y === 1);
    const scale = isHard ? (given.gradScales as number[] | undefined)?.[i] : largest;
    accuracy.add(`value: ${where}`, value[i], loss[i], bound, given.lossScales?.[i]);
    accuracy.add(`grad: ${where}`, grad[i], expected[i], bound, scale);
  });
  return 2 * targets.length;
}

/** A criterion that has second derivatives. */
type SecondCriterion = AnyCriterion<'none'> & Pick<FocalLoss<'none'>, 'hessianDiag' | 'gammaGrad'>;

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

  const seconds = FILES.flatMap(({ file, Loss }) =>
    golden<Case>(file)
      .filter(({ hessianDiag }) => hessianDiag !== undefined)
      .map((given) => ({
        given,
        title: describeCase(given),
        criterion: criterionOf(Loss, given) as SecondCriterion,
      })),
  );

  if (seconds.length === 0) return;
  it('hessianDiag and gammaGrad keep to what is said of those of FocalLoss', () => {
    const share = dtype.name === 'float32' ? 1 : 2;
    const accuracy = new Accuracy(dtype);
    let checked = 0;
    for (const { given, title, criterion } of seconds) {
      const { logits, targets, labelSmoothing = 0, hessianDiag = [], gammaGrad = [] } = given;
      const rows = logits as number[][];
      const call = [dtype.array(rows.flat()), Int32Array.from(targets as number[])] as const;
      const [second, slopes] = [criterion.hessianDiag(...call), criterion.gammaGrad(...call)];
      const bound = dtype.bound(gammaOf(given));
      rows.forEach((row, i) => {
        hessianDiag[i].forEach((expected, j) => {
          const actual = second[i * row.length + j];
          accuracy.add(
            `hessianDiag[${j}]: ${title}`,
            actual,
            expected,
            share * bound,
            largestOf(hessianDiag[i]),
          );
        });
        const gap =
          dtype.name === 'float64' && labelSmoothing > 0 ? Math.max(...row) - Math.min(...row) : 0;
        accuracy.add(
          `gammaGrad: ${title}`,
          slopes[i],
          gammaGrad[i],
          bound * (1 + gap),
          given.lossScales?.[i],
        );
        checked += row.length + 1;
      });
    }
    accuracy.report('second derivatives', checked);
  });
});
