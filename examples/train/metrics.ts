/** The quality of a classifier; recall, precision and F1 are those of class 1. */
export interface Metrics {
  readonly accuracy: number;
  /** The share of the rows of class 1 that was found. */
  readonly recall: number;
  /** The share of the rows called class 1 that are of it; 0 when none was called so. */
  readonly precision: number;
  /** Harmonic mean of recall and precision; 0 when both are. */
  readonly f1: number;
}

/** The class with the largest logit, for each row of `classes` logits. */
export function predict(logits: Float32Array, classes: number): Int32Array {
  const predictions = new Int32Array(logits.length / classes);
  for (const row of predictions.keys()) {
    const rowLogits = logits.subarray(row * classes, (row + 1) * classes);
    predictions[row] = rowLogits.indexOf(Math.max(...rowLogits));
  }
  return predictions;
}

export function evaluate(predictions: Int32Array, targets: Int32Array): Metrics {
  let correct = 0;
  let found = 0;
  let called = 0;
  let positives = 0;
  for (const [row, target] of targets.entries()) {
    const prediction = predictions[row];
    if (prediction === target) correct++;
    if (prediction === 1) called++;
    if (target === 1) positives++;
    if (prediction === 1 && target === 1) found++;
  }
  return {
    accuracy: correct / targets.length,
    recall: share(found, positives),
    precision: share(found, called),
    f1: share(2 * found, called + positives),
  };
}

/**
 * Mean and standard deviation (n − 1) of one or more numbers; the deviation of a single one is NaN.
 */
export function meanAndDeviation(values: readonly number[]): { mean: number; deviation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
