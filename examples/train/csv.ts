import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type CsvError, parse } from 'csv-parse/sync';
import type { Table } from './data.js';
import { InputError } from './errors.js';

/** One record of the file, and the line it ends on. */
interface Line {
  readonly record: string[];
  readonly line: number;
}

/** More classes than this, and the last column is no class. */
const MOST_CLASSES = 100;

/**
 * Reads a CSV file (comma, semicolon or tab) whose last column is the class, as numbers or text,
 * and whose other columns are numbers. A first line of names is recognised by having no number
 * among the features.
 */
export function readTable(path: string, title: string = basename(path)): Table {
  return parseTable(readText(path), title);
}

/** {@link readTable} for the text of a file; `title` names it in errors. */
export function parseTable(text: string, title: string): Table {
  const lines = readLines(text, title);
  const first = lines[0];
  if (first === undefined) throw new InputError(`${title}: the file is empty`);
  const width = first.record.length - 1;
  if (width < 1) {
    throw new InputError(
      `${title}, line ${first.line}: one column only; at least one feature and the class are needed`,
    );
  }

  const named = first.record
    .slice(0, width)
    .every((cell) => cell === '' || Number.isNaN(Number(cell)));
  const columns = named
    ? first.record.slice(0, width)
    : Array.from({ length: width }, (_, i) => `column ${i + 1}`);
  const labelColumn = (named && first.record[width]) || 'class';
  const body = named ? lines.slice(1) : lines;
  if (body.length === 0) throw new InputError(`${title}: no rows after the line of column names`);

  const features = new Float64Array(body.length * width);
  const labels: string[] = [];
  for (const [row, { record, line }] of body.entries()) {
    if (record.length !== width + 1) {
      throw new InputError(
        `${title}, line ${line}: ${record.length} columns, but line ${first.line} has ${width + 1}`,
      );
    }
    for (const [i, column] of columns.entries()) {
      features[row * width + i] = toNumber(
        record[i] ?? '',
        `${title}, line ${line}, column ${i + 1} (${column})`,
      );
    }
    const label = record[width];
    if (!label)
      throw new InputError(
        `${title}, line ${line}, column ${width + 1} (${labelColumn}): the class is missing`,
      );
    labels.push(label);
  }
  return {
    title,
    columns,
    features,
    labelColumn,
    ...indexClasses(labels, `${title}, last column (${labelColumn})`),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(`can't read the file: ${(error as Error).message}`);
  }
}

function readLines(text: string, title: string): Line[] {
  try {
    const records = parse(text, {
      bom: true,
      delimiter: findDelimiter(text),
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      info: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    throw new InputError(`${title}: ${(error as CsvError).message}`);
  }
}

/** The separator that the first line has most of. */
function findDelimiter(text: string): string {
  const firstLine = text.trimStart().split(/\r?\n/, 1)[0] ?? '';
  const count = (delimiter: string) => firstLine.split(delimiter).length;
  return [',', ';', '\t'].reduce((best, delimiter) =>
    count(delimiter) > count(best) ? delimiter : best,
  );
}

function toNumber(cell: string, where: string): number {
  const value = Number(cell);
  if (cell === '') throw new InputError(`${where}: the value is missing`);
  if (!Number.isFinite(value))
    throw new InputError(`${where}: ${JSON.stringify(cell)} is not a finite number`);
  return value;
}

/**
 * Numbers the labels: the most common class is 0, the rarest 1 (of equally rare ones the later
 * label), others follow.
 */
function indexClasses(names: string[], where: string): { labels: Int32Array; classes: string[] } {
  const numeric = names.every((name) => Number.isFinite(Number(name)));
  // As numbers, so that 1 and 1.0 are the same class.
  const labels = numeric ? names.map((name) => String(Number(name))) : names;
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (counts.size < 2)
    throw new InputError(`${where}: every row has the class ${labels[0]}; two are needed`);
  if (counts.size > MOST_CLASSES) {
    throw new InputError(
      `${where}: ${counts.size} different values; the last column must be the class`,
    );
  }

  const byLabel = [...counts.keys()].sort((a, b) =>
    numeric ? Number(a) - Number(b) : a < b ? -1 : 1,
  );
  const common = byLabel.sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  const classes = [...common.slice(0, 1), ...common.slice(-1), ...common.slice(1, -1)];
  const indices = new Map(classes.map((label, index) => [label, index]));
  return { labels: Int32Array.from(labels, (label) => indices.get(label) ?? 0), classes };
}
