import { InputError } from './errors.js';
import type { Random } from './random.js';

/** A table of numbers with a class per row. */
export interface Table {
  /** A description of the table for the reader. */
  readonly title: string;
  /** Names of the feature columns. */
  readonly columns: readonly string[];
  /** Row-major, one row of `columns.length` numbers per example. */
  readonly features: Float64Array;
  /** The class of each row, as an index into `classes`. */
  readonly labels: Int32Array;
  /** Name of the column that holds the class. */
  readonly labelColumn: string;
  /**
   * The class labels. Class 1 is the rarest: the positive class of the metrics and of the loss's
   * scalar `alpha`.
   */
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
  /** Share of every class's rows that goes into a validation part; none unless it is given. */
  readonly validationShare?: number;
  /**
   * Share of the training part's class 1 that is kept; less than 1 makes the training part (more)
   * imbalanced.
   */
  readonly keepPositives: number;
}

/** The number of rows of each class. */
export function countClasses(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]++;
  return counts;
}

/** The parts of a table. */
export interface Parts {
  readonly train: Part;
  /** The rows on which settings are chosen, so that the test part stays unseen. */
  readonly validation: Part;
  readonly test: Part;
}

/**
 * Splits a table at random into parts with the same share of every class (but for `keepPositives`),
 * and standardises them.
 */
export function split(table: Table, random: Random, options: SplitOptions): Parts {
  const { testShare, validationShare = 0, keepPositives } = options;
  const train: number[] = [];
  const validation: number[] = [];
  const test: number[] = [];
  const others = validationShare > 0 ? 2 : 1;
  for (const [label, name] of table.classes.entries()) {
    const rows = random.shuffle(rowsOfClass(table.labels, label));
    if (rows.length <= others) throw tooFewRows(table.title, name, rows.length, others);
    // At least one row for every part.
    const share = (part: number) =>
      Math.min(Math.max(Math.round(rows.length * part), 1), rows.length - others);
    const tested = share(testShare);
    const validated = others === 1 ? 0 : Math.min(share(validationShare), rows.length - tested - 1);
    const rest = rows.subarray(tested + validated);
    const kept = label === 1 ? Math.ceil(rest.length * keepPositives) : rest.length;
    test.push(...rows.subarray(0, tested));
    validation.push(...rows.subarray(tested, tested + validated));
    train.push(...rest.subarray(0, kept));
  }
  return standardise(table, { train, validation, test });
}

function tooFewRows(title: string, name: string, rows: number, others: number): InputError {
  const count = rows === 1 ? 'one row' : `${rows} rows`;
  const [parts, needed] =
    others === 1 ? ['training and test', 'two'] : ['training, validation and test', 'three'];
  return new InputError(
    `${title}: class ${name} has ${count} only; a split into ${parts} needs ${needed}`,
  );
}

function rowsOfClass(labels: Int32Array, wanted: number): Int32Array {
  return Int32Array.from(labels.keys()).filter((row) => labels[row] === wanted);
}

/**
 * Brings every column to mean 0 and deviation 1. Both are taken from the training rows alone: the
 * others stand for examples that nobody has seen yet.
 */
function standardise(table: Table, rows: Record<keyof Parts, readonly number[]>): Parts {
  const width = table.columns.length;
  const parts = {
    train: gather(table, rows.train),
    validation: gather(table, rows.validation),
    test: gather(table, rows.test),
  };
  for (let column = 0; column < width; column++) {
    let sum = 0;
    for (const row of rows.train) sum += table.features[row * width + column];
    const mean = sum / rows.train.length;
    let squares = 0;
    for (const row of rows.train) squares += (table.features[row * width + column] - mean) ** 2;
    // A constant column says nothing: it becomes 0.
    const scale = squares > 0 ? 1 / Math.sqrt(squares / rows.train.length) : 0;
    for (const { features } of Object.values(parts)) {
      for (let at = column; at < features.length; at += width)
        features[at] = (features[at] - mean) * scale;
    }
  }
  return parts;
}

function gather(table: Table, rows: readonly number[]): Part {
  const width = table.columns.length;
  const features = new Float32Array(rows.length * width);
  for (const [to, from] of rows.entries()) {
    features.set(table.features.subarray(from * width, (from + 1) * width), to * width);
  }
  return { features, targets: Int32Array.from(rows, (row) => table.labels[row]) };
}
