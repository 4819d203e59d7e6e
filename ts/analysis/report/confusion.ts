/** The counts that figures of classes are made of: rows, or their weight. */
export interface Counts {
  /** The rows of each class. */
  readonly support: Float64Array;
  /** The rows that are not. */
  readonly negatives: Float64Array;
  /** The rows of each class that are predicted to be. */
  readonly right: Float64Array;
  /** The rows that are predicted to be of each class, and are not. */
  readonly wrong: Float64Array;
  /** 1 for each class that is the target or the prediction of a row, whatever it weighs. */
  readonly occurs: Uint8Array;
}

export function emptyCounts(classes: number): Counts {
  const zeros = () => new Float64Array(classes);
  return {
    support: zeros(),
    negatives: zeros(),
    right: zeros(),
    wrong: zeros(),
    occurs: new Uint8Array(classes),
  };
}

/** Counts a row of one class of several. Who is done with them calls {@link countOthers}. */
export function countRow(
  { support, right, wrong, occurs }: Counts,
  label: number,
  predicted: number,
  weight: number,
) {
  support[label] = (support[label] as number) + weight;
  const which = label === predicted ? right : wrong;
  which[predicted] = (which[predicted] as number) + weight;
  occurs[label] = 1;
  occurs[predicted] = 1;
}

/**
 * Puts the rows from one on to before another into a confusion matrix, of which the predictions
 * begin with the first.
 */
export function fillMatrix(
  matrix: Uint32Array | Float64Array,
  classes: number,
  labels: Int32Array,
  predictions: Int32Array,
  weights: Float64Array | undefined,
  start: number,
  end: number,
): void {
  for (let k = start; k < end; k++) {
    const cell = (labels[k] as number) * classes + (predictions[k - start] as number);
    matrix[cell] = (matrix[cell] as number) + (weights === undefined ? 1 : (weights[k] as number));
  }
}

/**
 * The rows that are not of a class are those of the others. Nothing is subtracted, so that few stay
 * exact.
 */
export function countOthers({ support, negatives }: Counts): void {
  let before = 0;
  for (let j = 0; j < support.length; j++) {
    negatives[j] = before;
    before += support[j] as number;
  }
  let behind = 0;
  for (let j = support.length - 1; j >= 0; j--) {
    negatives[j] = (negatives[j] as number) + behind;
    behind += support[j] as number;
  }
}

/** Counts whether a label is right, which is 1 or 0 as is what is predicted. */
export function countLabel(
  counts: Counts,
  j: number,
  label: number,
  predicted: number,
  weight: number,
): void {
  const { support, negatives, right, wrong, occurs } = counts;
  const all = label === 1 ? support : negatives;
  all[j] = (all[j] as number) + weight;
  if (predicted === 1) {
    const which = label === 1 ? right : wrong;
    which[j] = (which[j] as number) + weight;
  }
  if (label === 1 || predicted === 1) occurs[j] = 1;
}

/** Room for a confusion matrix of so many entries. */
export function makeMatrix(
  classes: number,
  entries: number,
  isWeighted: boolean,
): Uint32Array | Float64Array {
  try {
    return isWeighted ? new Float64Array(entries) : new Uint32Array(entries);
  } catch {
    throw new RangeError(
      `not enough memory for a confusion matrix of ${classes} classes: leave it out with confusion: false`,
    );
  }
}
