import Papa from 'papaparse';
import { type Batch, DataError, toClass } from './batch.js';

/** Names by which a first line may say which column is the target; else it is the last one. */
const TARGET_NAMES = ['target', 'targets', 'label', 'labels', 'class', 'y'];

/**
 * Reads a CSV file (comma, semicolon, tab) of logits, one column per class, and targets, part by part. A first line with a
 * cell that is no number holds names. Blank lines are passed over.
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
            throw new DataError(`${title}, line ${table.lines + 1 + (problem.row ?? 0)}: ${problem.message}`);
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

/** A table that grows line by line. */
class Table {
  readonly #title: string;
  #lines = 0;
  #rows = 0;
  /** The line that says how many columns there are. */
  #firstLine = 0;
  #names: readonly string[] | undefined;
  #width = 0;
  #target = 0;
  #logits = new Float32Array(1024);
  #targets = new Int32Array(1024);

  constructor(title: string) {
    this.#title = title;
  }

  /** The lines so far. */
  get lines(): number {
    return this.#lines;
  }

  add(record: readonly string[]): void {
    this.#lines++;
    if (record.length === 1 && record[0].trim() === '') return;
    if (this.#width === 0 && this.#begin(record)) return;
    if (record.length !== this.#width) {
      throw new DataError(
        `${this.#place()}: ${count(record.length, 'column')}, but line ${this.#firstLine} has ${this.#width}`,
      );
    }
    const classes = this.#width - 1;
    this.#makeRoom(classes);
    let at = this.#rows * classes;
    for (let column = 0; column < this.#width; column++) {
      const value = this.#read(record[column], column);
      if (column === this.#target) this.#targets[this.#rows] = toClass(value, classes, () => this.#place(column));
      else this.#logits[at++] = value;
    }
    this.#rows++;
  }

  finish(): Batch {
    if (this.#rows === 0) throw new DataError(`${this.#title}: the file has no rows`);
    const classes = this.#width - 1;
    return {
      title: this.#title,
      classes,
      logits: this.#logits.slice(0, this.#rows * classes),
      targets: this.#targets.slice(0, this.#rows),
    };
  }

  /** Takes the first line that is not blank. Returns whether it holds names. */
  #begin(record: readonly string[]): boolean {
    if (record.length < 3) {
      throw new DataError(
        `${this.#place()}: ${count(record.length, 'column')}; at least two logits and the target are needed`,
      );
    }
    this.#firstLine = this.#lines;
    this.#width = record.length;
    this.#target = record.length - 1;
    if (!record.some((cell) => toNumber(cell) === undefined)) return false;
    this.#names = record.map((cell) => cell.trim());
    const named = this.#names.findIndex((name) => TARGET_NAMES.includes(name.toLowerCase()));
    if (named >= 0) this.#target = named;
    return true;
  }

  #read(cell: string, column: number): number {
    const value = toNumber(cell);
    if (value !== undefined) return value;
    const problem =
      cell.trim() === '' ? 'the value is missing' : `${JSON.stringify(cell.slice(0, 40))} is not a number`;
    throw new DataError(`${this.#place(column)}: ${problem}`);
  }

  #place(column?: number): string {
    const line = `${this.#title}, line ${this.#lines}`;
    if (column === undefined) return line;
    const name = this.#names?.[column];
    return `${line}, column ${column + 1}${name ? ` (${name})` : ''}`;
  }

  #makeRoom(classes: number): void {
    if (this.#rows >= this.#targets.length) this.#targets = grow(this.#targets, new Int32Array(2 * this.#rows));
    const needed = (this.#rows + 1) * classes;
    if (needed > this.#logits.length) this.#logits = grow(this.#logits, new Float32Array(2 * needed));
  }
}

function grow<A extends Float32Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}

const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;

/** What numpy and people write for the numbers that JavaScript writes otherwise. */
const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
};

/** The number that a cell holds. */
function toNumber(cell: string): number | undefined {
  const text = cell.trim();
  const value = text === '' ? Number.NaN : Number(text);
  return Number.isNaN(value) ? SPECIAL[text.toLowerCase()] : value;
}
