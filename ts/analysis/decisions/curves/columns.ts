// The rows of a batch as those that are of a class and those that are not, with a score each: one
// class against the rest, whatever form the batch has.

import { lengthOf } from '../../../arrays/typed-arrays.js';
import type { FloatArray } from '../../../arrays/types.js';
import { checkInteger, checkSampleWeights, outOfRange } from '../../../call/checks.js';
import { floatsOf } from '../../../call/plain-arrays.js';
import type { AnyCriterion } from '../../criteria/own-criterion.js';
import { type JudgedBatch, openBatch } from '../../report/batch.js';
import { placesWhere, tabulate } from '../../rows/loops.js';
import { warningOf } from '../../rows/probability-watch.js';
import { figuresOf, fillScores } from '../../rows/row-figures.js';
import {
  ROW_OPTIONS,
  type RowOptions,
  type Rows,
  readElements,
  readRows,
  selectRows,
} from '../../rows/rows.js';
import type { Logits, Targets } from '../../rows/tensors.js';
import { checkRowWeights, weighNothing } from '../../rows/weights.js';

/** Options of all functions that look at one class against the rest. */
export interface CurveOptions<P extends number | 'each' = number | 'each'> extends RowOptions {
  /**
   * The class that is looked for, of multi-label rows the label; all others are the rest. `'each'`
   * is for an array of results, one for each class.
   *
   * @defaultValue 1 of two classes; of more it must be given
   */
  positive?: P | undefined;
  /** One weight per row: finite numbers that are not negative. Rows that weigh 0 are left out. */
  sampleWeights?: FloatArray | readonly number[] | undefined;
  /**
   * The loss that the model was trained with, as `classificationReport` takes it: a
   * `SigmoidFocalLoss` or `AsymmetricLoss` says that logits are of yes or no, with its `numClasses`
   * of several labels.
   */
  criterion?: AnyCriterion | undefined;
}

export const CURVE_OPTIONS: readonly (keyof CurveOptions)[] = [
  ...ROW_OPTIONS,
  'positive',
  'sampleWeights',
  'criterion',
];

/** One result, or with `'each'` one for each class. */
export type PerClass<P extends number | 'each', T> = P extends 'each' ? readonly T[] : T;

/** The rows of a batch that count and weigh anything, as seen from one class. */
export interface Column {
  /** The class, or label. */
  readonly positive: number;
  /** The number of each row in the batch. */
  readonly numbers: Uint32Array;
  /**
   * The log-odds of the class where there are two, and of labels; of more classes the logarithm of
   * its probability. A row with a higher one is more likely of the class.
   */
  readonly scores: Float64Array;
  /** True where scores are log-odds. */
  readonly areOdds: boolean;
  /** 1 for rows of the class, 0 for others. */
  readonly members: Uint8Array;
  readonly weights: Float64Array | undefined;
  /** The warning that the logits look like probabilities, if they do. */
  readonly warning: string | undefined;
}

/** Makes a result of the class that is asked for, or of each. */
export function ofColumns<T>(
  logits: Logits,
  targets: Targets,
  options: CurveOptions,
  make: (column: Column) => T,
): T | T[] {
  const batch = openBatch(logits, targets, options);
  const sampleWeights = floatsOf('sampleWeights', options.sampleWeights);
  if (sampleWeights !== undefined) checkSampleWeights(sampleWeights);
  const { columnOf, classes } = batch.isMultiLabel
    ? labelsOf(batch, sampleWeights)
    : classesOf(batch, sampleWeights);
  const { positive = classes === 2 && !batch.isMultiLabel ? 1 : classes === 1 ? 0 : undefined } =
    options;
  if (positive === 'each') return Array.from({ length: classes }, (_, j) => make(columnOf(j)));
  if (positive === undefined) {
    const of = batch.isMultiLabel ? 'labels' : 'classes';
    throw new TypeError(
      `positive must be given where there are ${classes} ${of}: one of them, or 'each'`,
    );
  }
  return make(columnOf(checkInteger('positive', 0, classes - 1, positive)));
}

interface Columns {
  readonly classes: number;
  columnOf(positive: number): Column;
}

/** Rows of one class each. */
function classesOf(
  { logits, targets, options }: JudgedBatch,
  sampleWeights: FloatArray | undefined,
): Columns {
  const all = readRows(logits, targets, options);
  const { classes } = all;
  const weightOf = weightingOf(
    sampleWeights,
    classes === 0 ? 0 : lengthOf(logits) / (all.isPaired ? 1 : classes),
  );
  checkCount(all.numbers);
  const rows = selectRows(all, (k) => weightOf(all.numbers[k] as number) > 0);
  const { numbers, labels } = rows;
  const weights = weightsOf(sampleWeights, numbers);
  const figures = figuresOf(rows);
  const warning = warningOf(rows);
  const columnOf = (positive: number): Column => {
    const scores = new Float64Array(numbers.length);
    fillScores(scores, rows, figures, positive, 0, scores.length);
    const unknown = scores.findIndex(Number.isNaN);
    if (unknown >= 0) throw noProbability(rows, unknown, `row ${numbers[unknown]}`);
    const members = Uint8Array.from(labels, (label) => Number(label === positive));
    return { positive, numbers, scores, areOdds: classes === 2, members, weights, warning };
  };
  return { classes, columnOf };
}

/** Rows of several labels, each of which is yes or no by itself. */
function labelsOf(
  { logits, targets, options }: JudgedBatch,
  sampleWeights: FloatArray | undefined,
): Columns {
  const rows = readElements(logits, targets, options);
  const classes = options.numClasses as number;
  const all = rows.numbers;
  const warning = warningOf(rows);
  const weightOf = weightingOf(sampleWeights, lengthOf(logits) / classes);
  const rowOf = (k: number) => Math.floor((all[k] as number) / classes);
  const columnOf = (positive: number): Column => {
    const counted = placesWhere(all.length, (k) => (all[k] as number) % classes === positive);
    checkCount(counted, `of label ${positive} `);
    const places = counted.filter((k) => weightOf(rowOf(k)) > 0);
    const numbers = places.map(rowOf);
    const weights = weightsOf(sampleWeights, numbers);
    const scores = tabulate(places.length, (k) => {
      const place = places[k] as number;
      const score = rows.logits[rows.start(place) + 1] as number;
      if (Number.isNaN(score) || score === Infinity) {
        throw noProbability(rows, place, `label ${positive} of row ${numbers[k]}`);
      }
      return score;
    });
    const members = Uint8Array.from(places, (k) => rows.labels[k] as number);
    return { positive, numbers, scores, areOdds: true, members, weights, warning };
  };
  return { classes, columnOf };
}

function checkCount(numbers: Uint32Array, whose = ''): void {
  if (numbers.length === 0)
    throw new RangeError(`targets ${whose}must have a row that counts, got none`);
}

/** The weight of each row of a batch, all of which are checked. */
function weightingOf(
  sampleWeights: FloatArray | undefined,
  rows: number,
): (number: number) => number {
  if (sampleWeights === undefined) return () => 1;
  checkRowWeights(sampleWeights, rows);
  return (number) => sampleWeights[number] as number;
}

/** The weights of the rows that have one. */
function weightsOf(
  sampleWeights: FloatArray | undefined,
  numbers: Uint32Array,
): Float64Array | undefined {
  if (numbers.length === 0) throw weighNothing();
  return (
    sampleWeights && tabulate(numbers.length, (k) => sampleWeights[numbers[k] as number] as number)
  );
}

function noProbability(
  { logits, classes, stride, start }: Rows,
  k: number,
  where: string,
): RangeError {
  const first = start(k);
  const own = Array.from({ length: classes }, (_, j) => logits[first + j * stride] as number);
  const odd = own.find((logit) => !(logit < Infinity)) ?? -Infinity;
  return outOfRange(`logits: those of ${where}`, 'such that there is a probability', odd);
}
