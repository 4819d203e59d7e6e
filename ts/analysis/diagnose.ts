import { checkOptionNames, checkShare } from '../validate.js';
import { type Advice, adviseOn } from './advice.js';
import { checkCriterion, type SoftmaxCriterion } from './criterion.js';
import { lossFloor } from './floor.js';
import { pick, placesWhere, sum, tabulate } from './loops.js';
import { ascending } from './order.js';
import { measureRows, type RowLosses } from './row-losses.js';
import { confidencesOf, type Predictions, predictRows } from './rows.js';
import { type Logits, opened, type Targets } from './tensors.js';

/** Options of {@link diagnose}. Every option may be left out. */
export interface DiagnoseOptions {
  /**
   * The confidence above which a row is overconfident, in [0, 1].
   *
   * @defaultValue 0.95
   */
  overconfidence?: number | undefined;
  /** The number of classes, for this call. */
  numClasses?: number | undefined;
  /** With layout `'channels-first'`, the number of positions of each sample. */
  spatialSize?: number | undefined;
}

/** Where a figure of the rows lies. */
export interface Summary {
  /** Its average; NaN without rows. */
  readonly mean: number;
  /** The smallest; NaN without rows. */
  readonly min: number;
  /** The largest; NaN without rows. */
  readonly max: number;
}

/** The rows of one class. */
export interface ClassDiagnosis {
  /** How many there are. */
  readonly rows: number;
  /** The share predicted right; NaN without rows. */
  readonly accuracy: number;
  /** The average loss; NaN without rows. */
  readonly meanLoss: number;
  /** Their share of the loss of all rows; 0 where that is 0. */
  readonly lossShare: number;
  /** Their share of the gradient: of the absolute values of all its entries, added up. */
  readonly gradientShare: number;
}

/** What {@link diagnose} finds. Rows are named by their numbers in the batch. */
export interface Diagnosis {
  /** How many rows count and have a finite loss and gradient. All that follows is about them. */
  readonly rows: number;
  /** What else there is. */
  readonly nonFinite: {
    /** The rows that count but whose loss or gradient is NaN or infinite. */
    readonly rows: Uint32Array;
    /** How many logits, of all rows that count, are NaN or infinite. Masked classes, at -Infinity, are among them. */
    readonly logits: number;
  };
  /** The share predicted right. */
  readonly accuracy: number;
  /** The losses of the rows. */
  readonly loss: Summary;
  /**
   * The least that the mean loss could be, with any logits: label smoothing and soft targets keep it above 0. NaN for
   * `focusOn: 'class'` with either, for which there is no formula.
   */
  readonly floor: number;
  /** The probabilities of the predicted classes. */
  readonly confidence: Summary;
  /** The rows that are more confident than the threshold. */
  readonly overconfident: {
    /** The option `overconfidence`. */
    readonly threshold: number;
    /** Which these are, in order. */
    readonly rows: Uint32Array;
    /** How many of them are predicted wrong. */
    readonly wrong: number;
  };
  /** The rows whose loss is above the mean. */
  readonly hard: {
    /** The mean loss. */
    readonly threshold: number;
    /** Which these are, the one with the largest loss first; those with equal losses in order. */
    readonly rows: Uint32Array;
    /** Their share of the loss of all rows. */
    readonly lossShare: number;
  };
  /** The rows that are predicted right, with a probability above 1/2. */
  readonly easy: {
    /** How many there are. */
    readonly rows: number;
    /** Their share of the loss of all rows. */
    readonly lossShare: number;
  };
  /** Class by class. Where targets are probabilities, a row is of the most probable class. */
  readonly classes: readonly ClassDiagnosis[];
  /** The average of `(1 - pt) ** gamma`: 1 for cross-entropy. */
  readonly focalWeight: number;
  /**
   * How many rows of equal weight would say as much as these: `sum(w) ** 2 / sum(w ** 2)` (Kish, Survey Sampling, 1965), where `w`
   * is by how much a row's cross-entropy is multiplied, `alpha_t * (1 - pt) ** gamma`. 0 where all weights are.
   */
  readonly effectiveSampleSize: number;
  /** What stands out. */
  readonly advice: readonly Advice[];
}

/**
 * Looks into a batch through the eyes of a loss: which rows and classes it is about, how sure the model is of itself, and what
 * stands out of that.
 *
 * A figure of a row goes by its loss under the criterion, whatever its reduction. Rows to be ignored are left out, as are rows
 * whose loss or gradient is not finite, which are counted and listed. Labels, `numClasses`, `layout` and the rest are as in a call
 * of the criterion.
 *
 * @param logits - `[rows, classes]`, row-major.
 * @param targets - Class indices, or class probabilities.
 * @param criterion - A `FocalLoss` or `CrossEntropyLoss`.
 * @throws TypeError and RangeError as the criterion does.
 *
 * @example
 * ```ts
 * import { diagnose, FocalLoss } from 'focal-loss/analysis';
 *
 * const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
 * const diagnosis = diagnose(logits, new Uint8Array([0, 1, 1]), new FocalLoss());
 * diagnosis.loss.mean; // => 0.014456063646326968
 * diagnosis.confidence.mean; // => 0.807754
 * diagnosis.overconfident.rows; // => Uint32Array.of(0, 2)
 * diagnosis.hard.rows; // => Uint32Array.of(1)
 * diagnosis.classes[1].lossShare; // => 0.999558
 * diagnosis.effectiveSampleSize; // => 1.038793
 * ```
 */
export function diagnose(
  logits: Logits,
  targets: Targets,
  criterion: SoftmaxCriterion,
  options: DiagnoseOptions = {},
): Diagnosis {
  checkOptionNames(options, ['overconfidence', 'numClasses', 'spatialSize']);
  const { overconfidence = 0.95 } = options;
  checkShare('overconfidence', overconfidence);
  checkCriterion('criterion', criterion);

  const batch = opened(logits, targets, options, criterion.layout);
  const measured = measureRows(batch.logits, batch.targets, criterion, batch.options);
  const { rows, losses, factors, weights } = measured;
  const predictions = predictRows(rows);
  const count = losses.length;
  const confidences = confidencesOf(predictions);
  const isRight = (k: number) => predictions.classes[k] === rows.labels[k];
  const classes = describeClasses(measured, predictions);
  const loss = summarize(losses);
  const total = sum(losses);

  const overconfident = placesWhere(count, (k) => (confidences[k] as number) > overconfidence);
  const easy = placesWhere(count, (k) => isRight(k) && (confidences[k] as number) > 0.5);
  const hard = placesWhere(count, (k) => (losses[k] as number) > loss.mean);
  const lossesOf = (places: Uint32Array) => pick(losses, places, new Float64Array(places.length));
  const numbersOf = (places: Uint32Array) => pick(rows.numbers, places, new Uint32Array(places.length));
  const hardestFirst = ascending(tabulate(hard.length, (i) => -(losses[hard[i] as number] as number)));
  const findings = {
    rows: count,
    nonFinite: { rows: measured.nonFinite, logits: measured.nonFiniteLogits },
    accuracy: placesWhere(count, isRight).length / count,
    loss,
    floor: lossFloor(rows, criterion),
    confidence: summarize(confidences),
    overconfident: {
      threshold: overconfidence,
      rows: numbersOf(overconfident),
      wrong: placesWhere(overconfident.length, (i) => !isRight(overconfident[i] as number)).length,
    },
    hard: {
      threshold: loss.mean,
      rows: numbersOf(pick(hard, hardestFirst, new Uint32Array(hard.length))),
      lossShare: shareOf(sum(lossesOf(hard)), total),
    },
    easy: { rows: easy.length, lossShare: shareOf(sum(lossesOf(easy)), total) },
    classes,
    focalWeight: sum(factors) / count,
    effectiveSampleSize: shareOf(sum(weights) ** 2, sum(tabulate(count, (k) => (weights[k] as number) ** 2))),
  };
  return { ...findings, advice: adviseOn(findings, criterion) };
}

function summarize(values: Float64Array): Summary {
  if (values.length === 0) return { mean: NaN, min: NaN, max: NaN };
  let min = Infinity;
  let max = -Infinity;
  for (let k = 0; k < values.length; k++) {
    const value = values[k] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  // Where all values are the same, rounding must not move the mean away from them.
  return { mean: Math.min(Math.max(sum(values) / values.length, min), max), min, max };
}

/** A part of a whole, and of nothing none. */
function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function describeClasses({ rows, losses, gradients }: RowLosses, predictions: Predictions): ClassDiagnosis[] {
  const { labels, classes } = rows;
  const counts = new Float64Array(classes);
  const right = new Float64Array(classes);
  const lossOf = new Float64Array(classes);
  const gradientOf = new Float64Array(classes);
  for (let k = 0; k < labels.length; k++) {
    const label = labels[k] as number;
    counts[label] = (counts[label] as number) + 1;
    lossOf[label] = (lossOf[label] as number) + (losses[k] as number);
    gradientOf[label] = (gradientOf[label] as number) + (gradients[k] as number);
    if (predictions.classes[k] === label) right[label] = (right[label] as number) + 1;
  }
  const loss = sum(lossOf);
  const gradient = sum(gradientOf);
  return Array.from(counts, (count, j) => ({
    rows: count,
    accuracy: (right[j] as number) / count,
    meanLoss: (lossOf[j] as number) / count,
    lossShare: shareOf(lossOf[j] as number, loss),
    gradientShare: shareOf(gradientOf[j] as number, gradient),
  }));
}
