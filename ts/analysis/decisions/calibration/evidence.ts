// The rows that a calibration is fitted to: those that count and weigh anything, one behind the
// other in float64.

import { lengthOf } from '../../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray } from '../../../arrays/types.js';
import { checkPerRow, checkWeights, outOfRange } from '../../../call/checks.js';
import { warningOf } from '../../rows/probability-watch.js';
import { type RowOptions, type Rows, readRows, selectRows } from '../../rows/rows.js';

/** The end of a fit. */
export type CalibrationOutcome = 'fitted' | 'separable' | 'reversed' | 'constant' | 'one-class';

/** Parameters, and how they came about. */
export interface Fit<P> {
  readonly parameters: P;
  readonly outcome: CalibrationOutcome;
}

/** The rows of a fit. */
export interface Evidence {
  readonly rows: number;
  /** Two where rows have one logit. */
  readonly classes: number;
  /** True where rows have one logit, that of class 1 of two. */
  readonly isSingle: boolean;
  /** The logits, row-major; of single logits pairs with a 0 before each. */
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
  logits: FloatArray,
  targets: ClassIndices | FloatArray,
  options: RowOptions,
  sampleWeights: FloatArray | undefined,
): Evidence {
  const all = readRows(logits, targets, options);
  if (sampleWeights !== undefined) {
    checkPerRow(
      'sampleWeights',
      sampleWeights,
      all.classes === 0 ? 0 : rowsOf(logits, all.isPaired, all.classes),
    );
    checkWeights(sampleWeights);
  }
  if (all.numbers.length === 0)
    throw new RangeError('targets must have a row that counts, got none');
  const weightOf = (number: number) =>
    sampleWeights === undefined ? 1 : (sampleWeights[number] as number);
  const rows = selectRows(all, (k) => weightOf(all.numbers[k] as number) > 0);
  const count = rows.numbers.length;
  if (count === 0)
    throw new RangeError(
      'sampleWeights must be above 0 for a row that counts, got 0 for all of them',
    );
  return {
    rows: count,
    classes: rows.classes,
    isSingle: rows.isPaired,
    pairs: logitsOf(rows),
    targets: rows.labels,
    shares: sharesOf(rows),
    weights: sampleWeights && Float64Array.from(rows.numbers, weightOf),
    warning: warningOf(rows),
  };
}

/** The logits of rows, all of which must be finite. */
function logitsOf(rows: Rows): Float64Array {
  const { numbers, classes, stride, isPaired } = rows;
  const logits = new Float64Array(numbers.length * classes);
  for (let k = 0; k < numbers.length; k++) {
    const start = rows.start(k);
    for (let j = 0; j < classes; j++) {
      const logit = rows.logits[start + j * stride] as number;
      if (!Number.isFinite(logit)) {
        const whose = isPaired ? 'that' : `that of class ${j}`;
        throw outOfRange(`logits: ${whose} of row ${numbers[k]}`, 'finite', logit);
      }
      logits[k * classes + j] = logit;
    }
  }
  return logits;
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

function rowsOf(logits: FloatArray, isSingle: boolean, classes: number): number {
  return lengthOf(logits) / (isSingle ? 1 : classes);
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
