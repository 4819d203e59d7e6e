import Papa from 'papaparse';
import { count, list } from '../text.js';
import { type Batch, classesOf, DataError, notesOn, toClass } from './batch.js';
import {
  type Columns,
  columnName,
  encodeLabels,
  findColumns,
  isHead,
  toNumber,
} from './columns.js';

/**
 * Reads a CSV file (comma, semicolon, tab) of logits, one column per class, or a single one for
 * class 1 of two, and targets, part by part: numbers, or labels. There may be a first line of
 * names, and columns that say which row it is. Blank lines are passed over.
 *
 * @param source - The file, or its text.
 * @param onProgress - Told how many characters of it have been read.
 */
export function readCsv(
  source: File | string,
  title: string,
  onProgress: (characters: number) => void = () => {},
): Promise<Batch> {
  const table = new Table(title);
  return new Promise((resolve, reject) => {
    Papa.parse<string[]>(source as File, {
      chunk: ({ data, errors, meta }, parser) => {
        try {
          const problem = errors.find(({ type }) => type !== 'Delimiter');
          if (problem)
            throw new DataError(
              `${title}, line ${table.lines + 1 + (problem.row ?? 0)}: ${problem.message}`,
            );
          for (const record of data) table.add(record);
          onProgress(meta.cursor);
        } catch (error) {
          // In this order: to abort is to complete.
          reject(error);
          parser.abort();
        }
      },
      complete: () => {
        try {
          resolve(table.finish());
        } catch (error) {
          reject(error);
        }
      },
      error: (error: Error) => reject(new DataError(`${title}: ${error.message}`)),
    });
  });
}

/** A line that is not blank. */
interface Line {
  readonly number: number;
  readonly cells: readonly string[];
}

/**
 * Labels by what tells them apart: as they were first written, and their place among the others.
 */
type Labels = Map<string, { readonly label: string; readonly place: number }>;

const written = (labels: Labels) => Array.from(labels.values(), ({ label }) => label);

/** A table that grows line by line. */
class Table {
  readonly #title: string;
  #lines = 0;
  #rows = 0;
  /**
   * The first line that is not blank, which says how many columns there are. What it holds is only
   * known with the next.
   */
  #first: Line | undefined;
  #names: readonly string[] | undefined;
  #columns: Columns | undefined;
  /**
   * Labels of targets that are no numbers, in the order in which they come: targets are places
   * among them at first.
   */
  #labels: Labels | undefined;
  #logits = new Float32Array(1024);
  #targets = new Int32Array(1024);

  constructor(title: string) {
    this.#title = title;
  }

  /** The lines so far. */
  get lines(): number {
    return this.#lines;
  }

  add(cells: readonly string[]): void {
    this.#lines++;
    if (cells.length === 1 && cells[0].trim() === '') return;
    const line = { number: this.#lines, cells };
    if (this.#first === undefined) {
      if (cells.length < 2) throw this.#tooFew(line, []);
      this.#first = line;
      return;
    }
    if (cells.length !== this.#first.cells.length) {
      const { number, cells: first } = this.#first;
      throw new DataError(
        `${this.#place(line)}: ${count(cells.length, 'column')}, but line ${number} has ${first.length}`,
      );
    }
    if (this.#columns === undefined) this.#begin(this.#first, line);
    this.#addRow(line);
  }

  finish(): Batch {
    if (this.#columns === undefined && this.#first) this.#begin(this.#first, undefined);
    if (this.#rows === 0 || this.#columns === undefined)
      throw new DataError(`${this.#title}: the file has no rows`);
    const { logits, others } = this.#columns;
    const left = others.map((column) => columnName(this.#names, column));
    const verb = left.length === 1 ? 'is no logit, and left out' : 'are no logits, and left out';
    const notes = left.length === 0 ? [] : [`${list(left).replace(/^c/, 'C')} ${verb}.`];
    const batch = {
      title: this.#title,
      classes: classesOf(logits.length),
      columns: logits.length,
      logits: this.#logits.slice(0, this.#rows * logits.length),
      targets: this.#targets.slice(0, this.#rows),
    };
    if (this.#labels === undefined)
      return { ...batch, notes: [...notes, ...notesOn(logits.length)] };
    const columns = logits.map((column) => this.#names?.[column] ?? columnName(undefined, column));
    const labels = written(this.#labels);
    const encoding = encodeLabels(labels, columns, this.#names !== undefined);
    if (typeof encoding === 'string') throw new DataError(`${this.#title}: ${encoding}`);
    const { classOf, names, note } = encoding;
    return {
      ...batch,
      targets: batch.targets.map((place) => classOf[place]),
      names,
      notes: [...notes, note, ...notesOn(logits.length, names)],
    };
  }

  /**
   * Finds out what the first line is, with the help of the next one, and adds it where it is a row.
   */
  #begin(first: Line, next: Line | undefined): void {
    const isNames = isHead(first.cells, next?.cells);
    if (isNames) this.#names = first.cells.map((cell) => cell.trim());
    const row = isNames ? next : first;
    if (row === undefined) return;
    this.#columns = findColumns(this.#names, row.cells);
    const { logits, others, target } = this.#columns;
    if (logits.length < 1) throw this.#tooFew(row, others);
    if (toNumber(row.cells[target]) === undefined && row.cells[target].trim() !== '')
      this.#labels = new Map();
    if (!isNames) this.#addRow(first);
  }

  #addRow(line: Line): void {
    const { logits, target } = this.#columns as Columns;
    const columns = logits.length;
    this.#makeRoom(columns);
    let at = this.#rows * columns;
    for (const column of logits) this.#logits[at++] = this.#read(line, column);
    this.#targets[this.#rows] = this.#labels
      ? this.#placeOf(this.#labels, line)
      : toClass(this.#read(line, target), columns, () => this.#place(line, target));
    this.#rows++;
  }

  /** The place of a row's label among those that there are. */
  #placeOf(labels: Labels, line: Line): number {
    const { logits, target } = this.#columns as Columns;
    const label = line.cells[target].trim();
    if (label === '') throw this.#missing(line, target);
    if (toNumber(label) !== undefined) {
      const [before] = written(labels);
      throw new DataError(
        `${this.#place(line, target)}: the target is the number ${label}, not a name as ${before} is`,
      );
    }
    // True, TRUE and true are one.
    const key = /^(true|false)$/i.test(label) ? label.toLowerCase() : label;
    const known = labels.get(key);
    if (known) return known.place;
    if (labels.size === classesOf(logits.length)) {
      throw new DataError(
        `${this.#place(line, target)}: the label ${JSON.stringify(label)} is one too many for ${count(logits.length, 'logit')}, after ${list(written(labels))}`,
      );
    }
    labels.set(key, { label, place: labels.size });
    return labels.size - 1;
  }

  #read(line: Line, column: number): number {
    const cell = line.cells[column];
    const value = toNumber(cell);
    if (value !== undefined) return value;
    if (cell.trim() === '') throw this.#missing(line, column);
    throw new DataError(
      `${this.#place(line, column)}: ${JSON.stringify(cell.slice(0, 40))} is not a number`,
    );
  }

  #missing(line: Line, column: number): DataError {
    return new DataError(`${this.#place(line, column)}: the value is missing`);
  }

  #tooFew(line: Line, others: readonly number[]): DataError {
    const left = others.length === 0 ? '' : `, ${others.length} of them without a logit`;
    const columns = count(line.cells.length, 'column');
    return new DataError(
      `${this.#place(line)}: ${columns}${left}; at least one logit and the target are needed`,
    );
  }

  #place({ number }: Line, column?: number): string {
    const line = `${this.#title}, line ${number}`;
    return column === undefined ? line : `${line}, ${columnName(this.#names, column)}`;
  }

  #makeRoom(columns: number): void {
    if (this.#rows >= this.#targets.length)
      this.#targets = grow(this.#targets, new Int32Array(2 * this.#rows));
    const needed = (this.#rows + 1) * columns;
    if (needed > this.#logits.length)
      this.#logits = grow(this.#logits, new Float32Array(2 * needed));
  }
}

function grow<A extends Float32Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
