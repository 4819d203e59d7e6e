// Labels as files and data bases hold them: what they stand for is said by the labels themselves,
// or by `classes`.

import {
  checkIgnoreIndex,
  checkOptions,
  orIgnored,
  outOfRange,
  show,
  wrongType,
} from '../../call/checks.js';
import { figuresText, withText } from '../rows/table.js';

/** A value that stands for a class. */
export type ClassLabel = string | number | bigint | boolean;

/** Options of {@link classIndices}. */
export interface ClassIndicesOptions {
  /**
   * The label of each class, in the order of the logits. A label is compared by its text: 1, 1n and
   * `'1'` are the same. With it, every value must be one of these labels, missing, or
   * `ignoreIndex`.
   *
   * @defaultValue none: the labels themselves say what the classes are
   */
  classes?: readonly ClassLabel[] | undefined;
  /**
   * The index of missing labels, which are `null` and `undefined`; a value of this number is one as
   * well.
   *
   * @defaultValue none: a missing label is an error
   */
  ignoreIndex?: number | undefined;
}

/** Labels as the losses take them. */
export interface EncodedLabels {
  /** The class index of each label, or `ignoreIndex`. */
  readonly targets: Int32Array<ArrayBuffer>;
  /**
   * The label of each class, as text: `classNames[targets[row]]`. As `classes`, they encode other
   * rows in the same way.
   */
  readonly classNames: string[];
}

/**
 * Turns labels into class indices, or says which row holds something else: a column of Arrow or
 * DuckDB, a field of a CSV file, an array of booleans.
 *
 * Without `classes`
 *
 * - integers, as numbers of any kind or BigInts, are class indices already: 0, 1, 2, ...;
 * - booleans are the classes 0, `false`, and 1, `true`;
 * - strings are numbered in the order of their UTF-16 code units, those that occur. A part of the
 *   data may lack one: give it the `classNames` of the whole. The empty string is an error, and so
 *   are numbers as text, whose order would be that of text.
 *
 * Other values, and labels of several of these kinds, are errors. So is NaN, which is no missing
 * label here: what computed it may have failed.
 *
 * @param values - One label per row: an array, a typed array, an Arrow vector or another iterable,
 *   which is read once.
 * @throws TypeError for a value that stands for no class, as an object or a label of another kind.
 * @throws RangeError for a number that is no index, and a label that is not among the classes.
 *
 * @example
 * ```ts
 * import { classIndices } from 'focal-loss/analysis';
 *
 * const { targets, classNames } = classIndices(['CN', 'AD', null, 'CN'], { ignoreIndex: -100 });
 * targets; // => Int32Array.of(1, 0, -100, 1)
 * classNames; // => ['AD', 'CN']
 * classIndices(['CN', 'CN'], { classes: ['CN', 'AD'] }).targets; // => Int32Array.of(0, 0)
 * classIndices([1, 0n, 1]).targets; // => Int32Array.of(1, 0, 1)
 * ```
 */
export function classIndices(
  values: Iterable<unknown>,
  options: ClassIndicesOptions = {},
): EncodedLabels {
  const read = checkOptions(options, ['classes', 'ignoreIndex']);
  const ignoreIndex = checkIgnoreIndex(read.ignoreIndex);
  const given = read.classes === undefined ? undefined : checkClasses(read.classes);
  const rows = readRows(values, ignoreIndex);
  const kind = given ? 'any' : commonKind(rows);
  if (kind === 'number') return indicesAsTheyAre(rows, ignoreIndex);

  const classNames =
    given ??
    (kind === 'string' ? distinctTexts(rows) : kind === 'boolean' ? ['false', 'true'] : []);
  if (ignoreIndex !== undefined && ignoreIndex >= 0 && ignoreIndex < classNames.length) {
    throw outOfRange(
      'ignoreIndex',
      `the index of no class, outside [0, ${classNames.length})`,
      ignoreIndex,
    );
  }
  const indices = new Map(classNames.map((name, j) => [name, j]));
  const targets = Int32Array.from(rows, (label, row) => {
    if (label === MISSING) return ignoreIndex as number;
    const index = indices.get(String(label));
    if (index === undefined)
      throw outOfRange(`values[${row}]`, `one of ${listed(classNames)}`, label);
    return index;
  });
  return withText({ targets, classNames }, figuresText);
}

/**
 * Where numbers are class indices, so many at most: larger ones are identifiers of something, and
 * each class has a name.
 */
const MAX_INDICES = 2 ** 20;

/** In place of a label that is missing, and may be. */
const MISSING = undefined;

/** The labels, all of which can be, with those that are missing marked. */
function readRows(
  values: Iterable<unknown>,
  ignoreIndex: number | undefined,
): (ClassLabel | typeof MISSING)[] {
  if (
    typeof values !== 'object' ||
    values === null ||
    typeof values[Symbol.iterator] !== 'function'
  ) {
    throw wrongType('values', 'an array or another iterable with one label per row', values);
  }
  const ignored = String(ignoreIndex);
  return Array.from(values, (value, row) => {
    if (value === null || value === undefined) {
      if (ignoreIndex !== undefined) return MISSING;
      throw wrongType(
        `values[${row}]`,
        'a label, as there is no ignoreIndex for missing ones',
        value,
      );
    }
    const label = checkLabel(`values[${row}]`, value);
    return ignoreIndex !== undefined && String(label) === ignored ? MISSING : label;
  });
}

function checkLabel(name: string, value: unknown): ClassLabel {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw outOfRange(name, 'finite', value);
    return value;
  }
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean')
    return value;
  throw wrongType(name, 'a string, a number, a BigInt or a boolean', value);
}

/** The labels of the classes, as text. */
function checkClasses(classes: readonly ClassLabel[]): string[] {
  if (!Array.isArray(classes))
    throw wrongType('classes', 'an array with the label of each class', classes);
  if (classes.length === 0) throw outOfRange('classes', 'at least one label', classes);
  const names = Array.from(classes, (label, j) => String(checkLabel(`classes[${j}]`, label)));
  const first = new Map<string, number>();
  for (const [j, name] of names.entries()) {
    const before = first.get(name);
    if (before !== undefined)
      throw outOfRange(`classes[${j}]`, `another label than classes[${before}]`, classes[j]);
    first.set(name, j);
  }
  return names;
}

type Kind = 'string' | 'number' | 'boolean';

function kindOfLabel(label: ClassLabel): Kind {
  return typeof label === 'bigint' ? 'number' : (typeof label as Kind);
}

/** The kind that all labels are of, where there is one. */
function commonKind(rows: readonly (ClassLabel | typeof MISSING)[]): Kind | undefined {
  const first = rows.find((label) => label !== MISSING);
  if (first === undefined) return undefined;
  const kind = kindOfLabel(first);
  const row = rows.findIndex((label) => label !== MISSING && kindOfLabel(label) !== kind);
  if (row >= 0)
    throw wrongType(
      `values[${row}]`,
      `a ${kind} like the labels before, without classes`,
      rows[row],
    );
  return kind;
}

function indicesAsTheyAre(
  rows: readonly (ClassLabel | typeof MISSING)[],
  ignoreIndex: number | undefined,
): EncodedLabels {
  let largest = 1;
  const targets = Int32Array.from(rows, (label, row) => {
    if (label === MISSING) return ignoreIndex as number;
    const index = Number(label);
    if (!(Number.isInteger(index) && index >= 0 && index < MAX_INDICES)) {
      const expected = `a class index, an integer in [0, ${MAX_INDICES})${orIgnored(ignoreIndex)}, without classes`;
      throw outOfRange(`values[${row}]`, expected, label);
    }
    if (index > largest) largest = index;
    return index;
  });
  const classNames: string[] = [];
  for (let j = 0; j <= largest; j++) classNames.push(String(j));
  return withText({ targets, classNames }, figuresText);
}

/** The strings that occur, in order. */
function distinctTexts(rows: readonly (ClassLabel | typeof MISSING)[]): string[] {
  const empty = rows.indexOf('');
  if (empty >= 0)
    throw outOfRange(`values[${empty}]`, 'more than the empty string, without classes', '');
  const names = [...new Set(rows)]
    .filter((label) => label !== MISSING)
    .map(String)
    .sort();
  if (names.every((name) => Number.isFinite(Number(name)))) {
    const row = rows.findIndex((label) => label !== MISSING);
    const expected = 'a number, or one of given classes, where all labels are numbers as text';
    throw wrongType(`values[${row}]`, expected, rows[row]);
  }
  return names;
}

/** The classes as an error names them. */
function listed(classNames: readonly string[]): string {
  return classNames.length > 8
    ? `the ${classNames.length} classes`
    : `the classes ${classNames.map(show).join(', ')}`;
}
