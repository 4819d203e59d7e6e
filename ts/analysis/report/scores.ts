import type { Counts } from './confusion.js';

/** Figures of one class, or averages of them. */
export interface Scores {
  /** The share of the rows predicted to be of the class that is. */
  readonly precision: number;
  /** The share of the rows of the class that is predicted to be: the sensitivity. */
  readonly recall: number;
  /** The share of the rows of other classes that is not predicted to be of this one. */
  readonly specificity: number;
  /** The harmonic mean of precision and recall. */
  readonly f1: number;
  /**
   * The same with recall weighing `beta ** 2` times as much as precision: F1 unless the option
   * `beta` is given.
   */
  readonly fBeta: number;
}

/** Figures of one class. */
export interface ClassScores extends Scores {
  /** The name of the class: its number, unless the option `classNames` is given. */
  readonly name: string;
  /** The rows of the class; with `sampleWeights`, what they weigh. */
  readonly support: number;
  /** The rows predicted to be of the class; with `sampleWeights`, what they weigh. */
  readonly predicted: number;
  /**
   * The area under the ROC curve of the class against all others; NaN where it has no rows, or all.
   */
  readonly auc: number;
  /** The average precision of the class against all others; NaN where it has no rows. */
  readonly averagePrecision: number;
}

/** The settings that scores depend on besides the counts. */
export interface ScoreSettings {
  readonly beta: number;
  /** The value of 0 / 0. */
  readonly zeroDivision: number;
}

/** The scores of rows that are of a class or not, and are predicted to be or not. */
export function scoresOf(
  support: number,
  negatives: number,
  right: number,
  wrong: number,
  { beta, zeroDivision }: ScoreSettings,
): Scores {
  const divide = (a: number, b: number) => (b === 0 ? zeroDivision : a / b);
  const predicted = right + wrong;
  // The weights of recall and of precision.
  const square = beta * beta;
  const recalls = square === Infinity ? 1 : square / (1 + square);
  const precisions = 1 / (1 + square);
  return {
    precision: divide(right, predicted),
    recall: divide(right, support),
    // Weights are rounded where they are added up, in another order here than there.
    specificity: divide(Math.max(negatives - wrong, 0), negatives),
    f1: divide(2 * right, support + predicted),
    fBeta: divide(right, recalls * support + precisions * predicted),
  };
}

/** The scores of each class. */
export function classScores(
  { support, negatives, right, wrong }: Counts,
  settings: ScoreSettings,
): Scores[] {
  return Array.from(right, (found, j) =>
    scoresOf(support[j] as number, negatives[j] as number, found, wrong[j] as number, settings),
  );
}

/** The scores of the classes that take part, taken together. */
export function microScores(
  counts: Counts,
  takesPart: (j: number) => boolean,
  settings: ScoreSettings,
): Scores {
  const total = (numbers: Float64Array) =>
    numbers.reduce((sum, number, j) => (takesPart(j) ? sum + number : sum), 0);
  const { support, negatives, right, wrong } = counts;
  return scoresOf(total(support), total(negatives), total(right), total(wrong), settings);
}

/**
 * An average of numbers that leaves out those that are NaN. Where the others weigh nothing, all
 * weigh the same.
 */
export class Average {
  #total = 0;
  #weight = 0;
  #sum = 0;
  #count = 0;

  add(number: number, weight: number): void {
    if (Number.isNaN(number)) return;
    this.#total += number * weight;
    this.#weight += weight;
    this.#sum += number;
    this.#count++;
  }

  /** NaN if there are no numbers. */
  get value(): number {
    return this.#weight === 0 ? this.#sum / this.#count : this.#total / this.#weight;
  }
}

/** The average of each score. */
export class ScoreAverage {
  readonly #precision = new Average();
  readonly #recall = new Average();
  readonly #specificity = new Average();
  readonly #f1 = new Average();
  readonly #fBeta = new Average();

  add({ precision, recall, specificity, f1, fBeta }: Scores, weight: number): void {
    this.#precision.add(precision, weight);
    this.#recall.add(recall, weight);
    this.#specificity.add(specificity, weight);
    this.#f1.add(f1, weight);
    this.#fBeta.add(fBeta, weight);
  }

  get value(): Scores {
    return {
      precision: this.#precision.value,
      recall: this.#recall.value,
      specificity: this.#specificity.value,
      f1: this.#f1.value,
      fBeta: this.#fBeta.value,
    };
  }
}

/** The average of numbers, of those that take part. */
export function average(
  numbers: ArrayLike<number>,
  weight: (j: number) => number,
  takesPart: (j: number) => boolean = () => true,
): number {
  const average = new Average();
  for (let j = 0; j < numbers.length; j++)
    if (takesPart(j)) average.add(numbers[j] as number, weight(j));
  return average.value;
}
