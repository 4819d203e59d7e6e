import {
  type ClassIndices,
  type Criterion,
  CrossEntropyLoss,
  type FloatArray,
  FocalLoss,
  SigmoidFocalLoss,
} from 'focal-loss';
import { randomBatch } from './batch.js';
import type { Dtype } from './dtypes.js';

/** A criterion with targets that suit it, for logits of a batch. */
export interface FamilyMember {
  name: string;
  criterion: Criterion<'none'>;
  targets: ClassIndices | FloatArray;
  /** Targets with some that are ignored by `ignoring`. */
  spoilt: ClassIndices | FloatArray;
  ignoring: Criterion<'none'>;
  /** The number of logits to a value. */
  width: number;
}

/** Probabilities for rows of so many classes. */
export function randomProbabilities(dtype: Dtype, rows: number, classes: number, seed: number): FloatArray {
  const { logits } = randomBatch(dtype, rows, classes, seed, 1);
  for (let i = 0; i < rows; i++) {
    const row = logits.subarray(i * classes, (i + 1) * classes);
    let total = 0;
    for (const x of row) total += Math.abs(x);
    for (let j = 0; j < classes; j++) row[j] = Math.abs(row[j]) / total;
  }
  return logits;
}

/** Every loss, in the forms that take different ways through the code. */
export function family(dtype: Dtype, rows: number, classes: number): FamilyMember[] {
  const { targets } = randomBatch(dtype, rows, classes, 11);
  const soft = randomProbabilities(dtype, rows, classes, 12);
  const perClass = Array.from({ length: classes }, (_, j) => ((j % 3) + 1) / 4);
  const spoilt = targets.map((target, i) => (i % 5 === 3 ? -1 : target));
  const elements = soft.map((y, i) => (i % 3 ? y : i % 2));
  const reduction = 'none';
  const numClasses = classes;
  const indices = [
    ['focal', new FocalLoss({ reduction, numClasses })],
    ['focal, smoothed', new FocalLoss({ reduction, numClasses, labelSmoothing: 0.1, alpha: perClass, gamma: 0.5 })],
    ['focal on the target', new FocalLoss({ reduction, numClasses, labelSmoothing: 0.1, focusOn: 'target', gamma: 3 })],
    ['focal on each class', new FocalLoss({ reduction, numClasses, labelSmoothing: 0.1, focusOn: 'class' })],
    [
      'focal, a gamma for each class',
      new FocalLoss({ reduction, numClasses, gamma: Array.from({ length: classes }, (_, j) => (j % 7) / 2) }),
    ],
    ['cross-entropy', new CrossEntropyLoss({ reduction, numClasses })],
    ['cross-entropy, smoothed', new CrossEntropyLoss({ reduction, numClasses, labelSmoothing: 0.1, weight: perClass })],
  ] as const;
  const members: FamilyMember[] = indices.map(([name, criterion]) => {
    return { name, criterion, targets, spoilt, ignoring: criterion.with({ ignoreIndex: -1 }), width: classes };
  });
  for (const [name, criterion] of [
    ['focal, soft', new FocalLoss({ reduction, numClasses, alpha: perClass })],
    ['focal on each class, soft', new FocalLoss({ reduction, numClasses, focusOn: 'class', alpha: perClass })],
    ['cross-entropy, soft', new CrossEntropyLoss({ reduction, numClasses, weight: perClass, labelSmoothing: 0.1 })],
  ] as const) {
    members.push({ name, criterion, targets: soft, spoilt: soft, ignoring: criterion, width: classes });
  }
  for (const [name, criterion] of [
    ['sigmoid', new SigmoidFocalLoss({ reduction })],
    [
      'sigmoid, per column',
      new SigmoidFocalLoss({
        reduction,
        numClasses,
        alpha: perClass,
        posWeight: perClass,
        labelSmoothing: 0.1,
        gamma: 1,
      }),
    ],
  ] as const) {
    members.push({
      name,
      criterion,
      targets: elements,
      spoilt: elements.map((y, i) => (i % 5 === 3 ? 255 : y)),
      ignoring: criterion.with({ ignoreIndex: 255 }),
      width: 1,
    });
  }
  return members;
}

/** The same criterion with another reduction. */
export function reduced(criterion: Criterion<'none'>, reduction: 'mean' | 'sum'): Criterion<'mean'> {
  return (criterion as FocalLoss<'none'>).with({ reduction: reduction as 'mean' });
}
