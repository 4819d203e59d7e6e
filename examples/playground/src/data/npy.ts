import { parse } from 'npyjs';
import { type Batch, classesOf, DataError, IGNORED, notesOn, toClass } from './batch.js';

type Values = ArrayLike<number | bigint>;

/** An array, row-major. */
export interface NpyArray {
  readonly title: string;
  readonly shape: readonly number[];
  readonly values: Values;
}

/** Numbers, and truth values; no texts, no complex numbers. */
const NUMBERS = /^[fiu][1248]$|^b1$/;

/** Reads a file. */
export function readNpy(file: ArrayBuffer, title: string): NpyArray {
  const { data, shape, dtype, fortranOrder } = understand(file, title);
  if (!NUMBERS.test(dtype))
    throw new DataError(`${title}: ${dtype} are no numbers; save it as float32 or int32`);
  if (fortranOrder)
    throw new DataError(`${title}: it lies column by column; save numpy.ascontiguousarray(x)`);
  const values = data as unknown as Values;
  const length = shape.reduce((product, size) => product * size, 1);
  if (values.length !== length) {
    throw new DataError(
      `${title}: it should hold ${length} numbers and holds ${values.length}; it may have been cut off`,
    );
  }
  return { title, shape, values };
}

function understand(file: ArrayBuffer, title: string) {
  try {
    return parse(file);
  } catch (error) {
    throw new DataError(
      `${title}: it cannot be read as .npy: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/**
 * The contents of arrays: logits `[rows, classes]`, or `[rows]` for one per row, and targets
 * `[rows]` in any order, or one with the target in its last column.
 */
export function toBatch(arrays: readonly NpyArray[]): Batch {
  const [first, second] = arrays;
  if (!second) return splitLast(first);
  const [logits, targets] = tell(first, second);
  const [rows, columns] = isColumn(logits) ? [logits.shape[0], 1] : tableShape(logits, 1);
  if (targets.shape[0] !== rows) {
    throw new DataError(
      `${targets.title} has ${targets.shape[0]} rows, but ${logits.title} has ${rows}`,
    );
  }
  return {
    title: `${logits.title}, ${targets.title}`,
    classes: classesOf(columns),
    columns,
    notes: notesOn(columns),
    logits: toFloats(logits.values),
    targets: toTargets(targets.values, rows, columns, targets.title),
  };
}

/**
 * Tells two arrays apart. Of two columns, the targets are the one that holds nothing but 0 and 1.
 */
function tell(first: NpyArray, second: NpyArray): readonly [logits: NpyArray, targets: NpyArray] {
  const titles = `${first.title} and ${second.title}`;
  if (!(isColumn(first) || isColumn(second))) {
    throw new DataError(`${titles}: one must be the targets, one number per row`);
  }
  if (isColumn(first) !== isColumn(second))
    return isColumn(second) ? [first, second] : [second, first];
  const holdsTargets = isYesOrNo(second);
  if (isYesOrNo(first) === holdsTargets) {
    throw new DataError(
      `${titles}: ${holdsTargets ? 'both hold' : 'neither holds'} nothing but 0 and 1, by which the targets of one logit per row are known`,
    );
  }
  return holdsTargets ? [first, second] : [second, first];
}

const isColumn = ({ shape }: NpyArray) =>
  shape.length === 1 || (shape.length === 2 && shape[1] === 1);

function isYesOrNo({ values }: NpyArray): boolean {
  for (let i = 0; i < values.length; i++)
    if (![0, 1, IGNORED].includes(Number(values[i]))) return false;
  return true;
}

function tableShape(
  { title, shape }: NpyArray,
  leastColumns: number,
): readonly [rows: number, columns: number] {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows < 1 || columns < leastColumns) {
    const expected =
      leastColumns === 1 ? '[rows, classes]' : '[rows, classes + 1], the target last';
    throw new DataError(`${title}: its shape is [${shape.join(', ')}], but it must be ${expected}`);
  }
  return [rows, columns];
}

function splitLast(array: NpyArray): Batch {
  const [rows, width] = tableShape(array, 2);
  const columns = width - 1;
  const all = toFloats(array.values);
  const targets = all.filter((_, i) => i % width === columns);
  return {
    title: array.title,
    classes: classesOf(columns),
    columns,
    notes: notesOn(columns),
    logits: all.filter((_, i) => i % width !== columns),
    targets: toTargets(targets, rows, columns, array.title),
  };
}

function toFloats(values: Values): Batch['logits'] {
  if (values instanceof Float32Array || values instanceof Float64Array)
    return values as Batch['logits'];
  return Float64Array.from(values, Number);
}

function toTargets(values: Values, rows: number, columns: number, title: string): Batch['targets'] {
  const targets = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    targets[row] = toClass(
      Number(values[row]),
      columns,
      () => `${title}, row ${row} (counted from 0)`,
    );
  }
  return targets;
}
