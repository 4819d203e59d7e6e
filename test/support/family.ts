import type { ClassIndices, Criterion, FloatArray } from 'focal-loss';
import { type AnyCriterion, LOSSES } from '../losses/index.js';
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
export function randomProbabilities(
  dtype: Dtype,
  rows: number,
  classes: number,
  seed: number,
): FloatArray {
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
  const spoiltElements = elements.map((y, i) => (i % 5 === 3 ? 255 : y));
  return LOSSES.flatMap(({ Loss, isSigmoid, forms }) =>
    forms(perClass).map(({ name, options, isSoft }): FamilyMember => {
      const criterion = new Loss({
        ...options,
        reduction: 'none',
        numClasses: classes,
      }) as AnyCriterion<'none'>;
      const ignoring = (ignoreIndex: number) =>
        criterion.with({ ignoreIndex }) as AnyCriterion<'none'>;
      if (isSoft)
        return {
          name,
          criterion,
          targets: soft,
          spoilt: soft,
          ignoring: criterion,
          width: classes,
        };
      return isSigmoid
        ? {
            name,
            criterion,
            targets: elements,
            spoilt: spoiltElements,
            ignoring: ignoring(255),
            width: 1,
          }
        : { name, criterion, targets, spoilt, ignoring: ignoring(-1), width: classes };
    }),
  );
}

/** The same criterion with another reduction. */
export function reduced(
  criterion: Criterion<'none'>,
  reduction: 'mean' | 'sum',
): Criterion<'mean'> {
  return (criterion as AnyCriterion<'none'>).with({ reduction }) as Criterion<'mean'>;
}
