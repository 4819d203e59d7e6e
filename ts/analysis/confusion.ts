import type { Predictions, Rows } from './rows.js';

/** What a figure is made of: rows of one class. */
export interface Counts {
  /** The rows of each class. */
  readonly support: Float64Array;
  /** The rows predicted to be of each class. */
  readonly predicted: Float64Array;
  /** Those that are both. */
  readonly right: Float64Array;
}

export function countClasses({ classes, labels }: Rows, predictions: Predictions): Counts {
  const support = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  const right = new Float64Array(classes);
  for (let k = 0; k < labels.length; k++) {
    const label = labels[k] as number;
    const prediction = predictions.classes[k] as number;
    support[label] = (support[label] as number) + 1;
    predicted[prediction] = (predicted[prediction] as number) + 1;
    if (label === prediction) right[label] = (right[label] as number) + 1;
  }
  return { support, predicted, right };
}

/** How many rows of each class, line by line, are predicted to be of each. */
export function confusionMatrix({ classes, labels }: Rows, predictions: Predictions): Uint32Array {
  const matrix = makeMatrix(classes);
  for (let k = 0; k < labels.length; k++) {
    const cell = (labels[k] as number) * classes + (predictions.classes[k] as number);
    matrix[cell] = (matrix[cell] as number) + 1;
  }
  return matrix;
}

function makeMatrix(classes: number): Uint32Array {
  try {
    return new Uint32Array(classes * classes);
  } catch {
    throw new RangeError(
      `not enough memory for a confusion matrix of ${classes} classes: leave it out with confusion: false`,
    );
  }
}
