// The roles of the columns of a CSV file: logits, the target, and what is neither.

import { list } from '../text.js';

/**
 * Names by which a first line may say which column is the target, the surest first; else it is the
 * last column.
 */
const TARGET_NAMES = [
  ...[
    'target',
    'targets',
    'label',
    'labels',
    'y_true',
    'true_label',
    'true_class',
    'ground_truth',
    'truth',
    'gt',
    'y',
  ],
  ...['diagnosis', 'dx', 'class', 'outcome', 'category', 'group'],
];

/** Names of columns that say which row it is. pandas writes its index without a name. */
const ID_NAME =
  /^(|(.*[ _])?(id|index|uuid|key|name|file|filename|path)|unnamed: 0|row|image|sample|subject|patient)$/;

/** The prefixes of class names in the names of columns. */
const PREFIX = /^(logits?|scores?|class|p|prob|pred)[ _:.-]+/;

/** The spellings of numpy and of people for the numbers that JavaScript writes otherwise. */
const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/** The number that a cell holds. */
export function toNumber(cell: string): number | undefined {
  const text = cell.trim();
  const value = text === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? SPECIAL[text.toLowerCase()] : value;
}

const plain = (name: string) => name.trim().toLowerCase();
const isText = (cell: string) => cell.trim() !== '' && toNumber(cell) === undefined;

/**
 * A test whether a first line holds names: where all of it is text, or there is text where the next
 * line has a number, or the logits' columns are numbered from 0 and the target's has a name. A row
 * may have text as well, a label or the name of a file.
 */
export function isHead(first: readonly string[], second: readonly string[] | undefined): boolean {
  const numbers = first.map(toNumber).filter((number) => number !== undefined);
  if (numbers.length === 0) return true;
  const isNumbered = numbers.every((number, i) => number === i);
  if (isNumbered && first.some((cell) => TARGET_NAMES.includes(plain(cell)))) return true;
  return first.some((cell, j) => isText(cell) && toNumber(second?.[j] ?? '') !== undefined);
}

/** The columns of a file. */
export interface Columns {
  readonly width: number;
  readonly target: number;
  /** Those with the logits. */
  readonly logits: readonly number[];
  /** Those that are not looked at. */
  readonly others: readonly number[];
}

/** Finds out about columns from their names, if there are any, and a row. */
export function findColumns(names: readonly string[] | undefined, row: readonly string[]): Columns {
  const plainNames = names?.map(plain) ?? [];
  const named = TARGET_NAMES.find((name) => plainNames.includes(name));
  const target = named === undefined ? row.length - 1 : plainNames.indexOf(named);
  const logits: number[] = [];
  const others: number[] = [];
  for (let j = 0; j < row.length; j++) {
    if (j === target) continue;
    const isOther = isText(row[j]) || (names !== undefined && ID_NAME.test(plainNames[j] ?? ''));
    (isOther ? others : logits).push(j);
  }
  return { width: row.length, target, logits, others };
}

/** The name of a column, in a sentence. */
export function columnName(names: readonly string[] | undefined, column: number): string {
  return `column ${column + 1}${names?.[column] ? ` (${names[column]})` : ''}`;
}

/**
 * The class that each label stands for, by its place among the labels; the names of the classes;
 * and what that rests on.
 */
export interface Encoding {
  readonly classOf: readonly number[];
  readonly names: readonly string[];
  readonly note: string;
}

/**
 * The classes that labels stand for: those that the logits' columns are named after, else, where
 * there are as many, false and true or the alphabetical order. Returns what is wrong, where they
 * cannot be told.
 */
export function encodeLabels(
  labels: readonly string[],
  columns: readonly string[],
  hasNames: boolean,
): Encoding | string {
  const keys = columns.map((name) => plain(name).replace(PREFIX, ''));
  const byName = labels.map((label) => keys.indexOf(plain(label)));
  if (columns.length === 1) return encodeYesAndNo(labels, byName.indexOf(0), columns[0]);
  if (hasNames && !byName.includes(-1)) {
    const names = columns.map((name, j) => labels[byName.indexOf(j)] ?? name.trim());
    return {
      classOf: byName,
      names,
      note: `The labels are the names of the columns: ${list(names)}.`,
    };
  }
  const known = labels.find((_, i) => byName[i] !== -1);
  if (hasNames && known !== undefined) {
    const unknown = labels[byName.indexOf(-1)];
    return `the label ${JSON.stringify(unknown)} is no column's name, as ${JSON.stringify(known)} is`;
  }
  if (labels.length !== columns.length) {
    const found = `${labels.length === 1 ? 'the only label is' : 'the only labels are'} ${list(labels)}`;
    return `${found}, but there are ${columns.length} logits; a first line may name each logit's column after its class`;
  }
  const names = [...labels].sort((a, b) => (plain(a) < plain(b) ? -1 : 1));
  const pairs = names.map((name, j) => `${columns[j]} is that of ${name}`);
  return {
    classOf: labels.map((label) => names.indexOf(label)),
    names,
    note: `The logits are taken to be in the alphabetical order of the labels: ${list(pairs)}.`,
  };
}

/**
 * The same for one logit, of which class 1 is the label that its column is named after, else the
 * second of the two.
 */
function encodeYesAndNo(
  labels: readonly string[],
  named: number,
  column: string,
): Encoding | string {
  if (labels.length !== 2)
    return `the only label is ${labels[0]}, but one logit is for two classes`;
  const sorted = [...labels].sort((a, b) => (plain(a) < plain(b) ? -1 : 1));
  const yes = named === -1 ? sorted[1] : labels[named];
  const names = [sorted[0] === yes ? sorted[1] : sorted[0], yes];
  const reason =
    named === -1 ? 'the second in alphabetical order' : `as the name of ${column} says`;
  return {
    classOf: labels.map((label) => names.indexOf(label)),
    names,
    note: `Class 1 is ${yes}, ${reason}.`,
  };
}
