import type { Counts } from './confusion.js';

/** Figures of one class, or averages of them. */
export interface Scores {
  /** Of the rows predicted to be of the class, the share that is. */
  readonly precision: number;
  /** Of the rows of the class, the share that is predicted to be. */
  readonly recall: number;
  /** The harmonic mean of precision and recall. */
  readonly f1: number;
}

/** Figures of one class. */
export interface ClassScores extends Scores {
  /** The rows of the class. */
  readonly support: number;
  /** The rows predicted to be of the class. */
  readonly predicted: number;
  /** The area under the ROC curve of the class against all others; NaN where it has no rows, or all. */
  readonly auc: number;
}

/** The figures of each class; `zeroDivision` is what 0 / 0 gives. */
export function classScores(
  { support, predicted, right }: Counts,
  areas: Float64Array,
  zeroDivision: number,
): ClassScores[] {
  const divide = (a: number, b: number) => (b === 0 ? zeroDivision : a / b);
  return Array.from(right, (found, j) => {
    const ofClass = support[j] as number;
    const calledSo = predicted[j] as number;
    return {
      support: ofClass,
      predicted: calledSo,
      precision: divide(found, calledSo),
      recall: divide(found, ofClass),
      f1: divide(2 * found, calledSo + ofClass),
      auc: areas[j] as number,
    };
  });
}

/** The weighted average of numbers, of those that are not NaN. */
export function average(numbers: ArrayLike<number>, weights: ArrayLike<number>): number {
  let total = 0;
  let weight = 0;
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    if (Number.isNaN(number)) continue;
    total += number * (weights[i] as number);
    weight += weights[i] as number;
  }
  return total / weight;
}

export function averageScores(classes: readonly ClassScores[], weights: ArrayLike<number>): Scores {
  const of = (name: keyof Scores) =>
    average(
      classes.map((scores) => scores[name]),
      weights,
    );
  return { precision: of('precision'), recall: of('recall'), f1: of('f1') };
}

/** Of two classes the area of class 1, which is that of class 0 as well; of more, their average. */
export function averageArea(areas: Float64Array, weights: ArrayLike<number>): number {
  return areas.length === 2 ? (areas[1] as number) : average(areas, weights);
}
