// The rows that a calibration is fitted to: those that count and weigh anything, one behind the
// other in float64.

import { lengthOf } from '../../../arrays/typed-arrays.js';
import type { FloatArray } from '../../../arrays/types.js';
import { outOfRange } from '../../../call/checks.js';
import type { JudgedBatch } from '../../report/batch.js';
import { warningOf } from '../../rows/probability-watch.js';
import { type Rows, readElements, readRows, selectRows } from '../../rows/rows.js';
import { checkRowWeights, weighNothing } from '../../rows/weights.js';

/** The end of a fit. */
export type CalibrationOutcome = 'fitted' | 'separable' | 'reversed' | 'constant' | 'one-class';

/** Parameters, and how they came about. */
export interface Fit<P> {
  readonly parameters: P;
  readonly outcome: CalibrationOutcome;
}

/** The rows of a fit; where each logit is yes or no by itself, a row for each. */
export interface Evidence {
  readonly rows: number;
  /** Two where each logit is yes or no by itself. */
  readonly classes: number;
  /** The labels of a row, each of which is yes or no by itself; 1 for one logit per row, else 0. */
  readonly labels: number;
  /** The places of the rows among those of the batch. */
  readonly numbers: Uint32Array;
  /** The logits, row-major; of yes-or-no logits pairs with a 0 before each. */
  readonly pairs: Float64Array;
  /** The class of each row. */
  readonly targets: Int32Array;
  /** The probabilities of the classes, where targets are probabilities. */
  readonly shares: Float64Array | undefined;
  /** The weights of the rows, all above 0. */
  readonly weights: Float64Array | undefined;
  /** The warning that the logits look like probabilities, if they do. */
  readonly warning: string | undefined;
}

/** Checks a batch, and takes from it the rows that count. */
export function evidenceOf(
  { logits, targets, options, isMultiLabel }: JudgedBatch,
  sampleWeights: FloatArray | undefined,
): Evidence {
  const all = (isMultiLabel ? readElements : readRows)(logits, targets, options);
  const labels = isMultiLabel ? (options.numClasses as number) : all.isPaired ? 1 : 0;
  const width = labels > 0 ? labels : all.classes;
  if (sampleWeights !== undefined)
    checkRowWeights(sampleWeights, width === 0 ? 0 : lengthOf(logits) / width);
  if (all.numbers.length === 0)
    throw new RangeError('targets must have a row that counts, got none');
  const weightOf = (number: number) =>
    sampleWeights === undefined
      ? 1
      : (sampleWeights[labels > 1 ? Math.floor(number / labels) : number] as number);
  const rows = selectRows(all, (k) => weightOf(all.numbers[k] as number) > 0);
  const { numbers } = rows;
  if (numbers.length === 0) throw weighNothing();
  for (let label = 0; labels > 1 && label < labels; label++) {
    if (!numbers.some((number) => number % labels === label))
      throw new RangeError(`targets of label ${label} must have a row that counts, got none`);
  }
  return {
    rows: numbers.length,
    classes: rows.classes,
    labels,
    numbers,
    pairs: logitsOf(rows, labels),
    targets: rows.labels,
    shares: sharesOf(rows),
    weights: sampleWeights && Float64Array.from(numbers, weightOf),
    warning: warningOf(rows),
  };
}

/** The logits of rows, all of which must be finite. */
function logitsOf(rows: Rows, labels: number): Float64Array {
  const { numbers, classes, stride } = rows;
  const logits = new Float64Array(numbers.length * classes);
  for (let k = 0; k < numbers.length; k++) {
    const start = rows.start(k);
    for (let j = 0; j < classes; j++) {
      const logit = rows.logits[start + j * stride] as number;
      if (!Number.isFinite(logit)) {
        const where = whereOf(numbers[k] as number, j, labels);
        throw outOfRange(`logits: ${where}`, 'finite', logit);
      }
      logits[k * classes + j] = logit;
    }
  }
  return logits;
}

/** The place of a logit, in words. */
function whereOf(number: number, j: number, labels: number): string {
  if (labels === 0) return `that of class ${j} of row ${number}`;
  if (labels === 1) return `that of row ${number}`;
  return `that of label ${number % labels} of row ${Math.floor(number / labels)}`;
}

/** The probabilities that rows have for targets. */
function sharesOf({ numbers, classes, stride, soft, start }: Rows): Float64Array | undefined {
  if (soft === undefined) return undefined;
  const shares = new Float64Array(numbers.length * classes);
  for (let k = 0; k < numbers.length; k++) {
    for (let j = 0; j < classes; j++)
      shares[k * classes + j] = soft[start(k) + j * stride] as number;
  }
  return shares;
}

/** The share of each row that is of a class, in [0, 1]. */
export function membersOf({ rows, classes, targets, shares }: Evidence, j: number): Float64Array {
  const members = new Float64Array(rows);
  for (let k = 0; k < rows; k++) {
    members[k] =
      shares === undefined ? Number(targets[k] === j) : (shares[k * classes + j] as number);
  }
  return members;
}
