import { InputError } from './errors.js';
import type { Random } from './random.js';

/** A table of numbers with a class per row. */
export interface Table {
  /** What the table is, for the reader. */
  readonly title: string;
  /** Names of the feature columns. */
  readonly columns: readonly string[];
  /** Row-major, one row of `columns.length` numbers per example. */
  readonly features: Float64Array;
  /** The class of each row, as an index into `classes`. */
  readonly labels: Int32Array;
  /** Name of the column that holds the class. */
  readonly labelColumn: string;
  /** The class labels. Class 1 is the rarest: the positive class of the metrics and of the loss's scalar `alpha`. */
  readonly classes: readonly string[];
}

/** Rows ready for training or testing: standardised features, and class indices. */
export interface Part {
  readonly features: Float32Array;
  readonly targets: Int32Array;
}

export interface SplitOptions {
  /** Share of every class's rows that goes into the test part. */
  readonly testShare: number;
  /** Share of the training part's class 1 that is kept; less than 1 makes the training part (more) imbalanced. */
  readonly keepPositives: number;
}

/** How many rows each class has. */
export function countClasses(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

/**
 * Splits a table at random into a training and a test part with the same share of every class (but for `keepPositives`),
 * and standardises both.
 */
export function split(table: Table, random: Random, options: SplitOptions): { train: Part; test: Part } {
  const train: number[] = [];
  const test: number[] = [];
  for (const [label, name] of table.classes.entries()) {
    const rows = random.shuffle(rowsOfClass(table.labels, label));
    if (rows.length < 2) {
      throw new InputError(`${table.title}: class ${name} has one row only; a split into training and test needs two`);
    }
    const tested = Math.min(Math.max(Math.round(rows.length * options.testShare), 1), rows.length - 1);
    const trained = rows.length - tested;
    const kept = label === 1 ? Math.ceil(trained * options.keepPositives) : trained;
    for (const row of rows.subarray(0, tested)) test.push(row);
    for (const row of rows.subarray(tested, tested + kept)) train.push(row);
  }
  return standardise(table, train, test);
}

function rowsOfClass(labels: Int32Array, wanted: number): Int32Array {
  return Int32Array.from(labels.keys()).filter((row) => labels[row] === wanted);
}

/**
 * Brings every column to mean 0 and deviation 1. Both are taken from the training rows alone: the test rows stand for
 * examples that nobody has seen yet.
 */
function standardise(table: Table, trainRows: number[], testRows: number[]): { train: Part; test: Part } {
  const width = table.columns.length;
  const train = gather(table, trainRows);
  const test = gather(table, testRows);
  for (let column = 0; column < width; column++) {
    let sum = 0;
    for (const row of trainRows) sum += table.features[row * width + column];
    const mean = sum / trainRows.length;
    let squares = 0;
    for (const row of trainRows) squares += (table.features[row * width + column] - mean) ** 2;
    // A constant column says nothing: it becomes 0.
    const scale = squares > 0 ? 1 / Math.sqrt(squares / trainRows.length) : 0;
    for (const { features } of [train, test]) {
      for (let at = column; at < features.length; at += width) features[at] = (features[at] - mean) * scale;
    }
  }
  return { train, test };
}

function gather(table: Table, rows: readonly number[]): Part {
  const width = table.columns.length;
  const features = new Float32Array(rows.length * width);
  for (const [to, from] of rows.entries()) {
    features.set(table.features.subarray(from * width, (from + 1) * width), to * width);
  }
  return { features, targets: Int32Array.from(rows, (row) => table.labels[row]) };
}
