// NumPy's file format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { type Batch, DataError, toClass } from './batch.js';

type Values = ArrayLike<number | bigint>;

/** An array, row-major. */
export interface NpyArray {
  readonly title: string;
  readonly shape: readonly number[];
  readonly values: Values;
}

const MAGIC = '\x93NUMPY';

/** How to make an array of a type from little-endian bytes that begin at a multiple of its size. */
const TYPES: Readonly<Record<string, (data: ArrayBuffer) => Values>> = {
  '<f2': (data) => Float32Array.from(new Uint16Array(data), half),
  '<f4': (data) => new Float32Array(data),
  '<f8': (data) => new Float64Array(data),
  '|b1': (data) => new Uint8Array(data),
  '|u1': (data) => new Uint8Array(data),
  '|i1': (data) => new Int8Array(data),
  '<u2': (data) => new Uint16Array(data),
  '<i2': (data) => new Int16Array(data),
  '<u4': (data) => new Uint32Array(data),
  '<i4': (data) => new Int32Array(data),
  '<u8': (data) => new BigUint64Array(data),
  '<i8': (data) => new BigInt64Array(data),
};

/** The number with these bits in half precision. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const size =
    exponent === 31
      ? fraction === 0
        ? Number.POSITIVE_INFINITY
        : Number.NaN
      : exponent === 0
        ? fraction * 2 ** -14
        : (1 + fraction) * 2 ** (exponent - 15);
  return bits >> 15 ? -size : size;
}

/** Reads a file. */
export function readNpy(file: ArrayBuffer, title: string): NpyArray {
  const bytes = new Uint8Array(file);
  const ascii = (from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
  if (ascii(0, 6) !== MAGIC || bytes.length < 12) throw new DataError(`${title}: this is no .npy file`);
  const view = new DataView(file);
  // Since version 2 the length of the header has four bytes.
  const begin = bytes[6] === 1 ? 10 : 12;
  const end = begin + (begin === 10 ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = ascii(begin, Math.min(end, begin + 10_000));

  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (type === undefined || shapeText === undefined) {
    throw new DataError(`${title}: its header is none of a plain array: ${header.trim().slice(0, 100)}`);
  }
  const read = TYPES[type];
  if (!read) throw new DataError(`${title}: numbers of type ${type} are not understood; save it as float32 or int32`);
  if (/'fortran_order':\s*True/.test(header)) {
    throw new DataError(`${title}: it lies column by column; save numpy.ascontiguousarray(x)`);
  }
  const shape = shapeText
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const length = shape.reduce((product, size) => product * size, 1) * Number(type.slice(2));
  if (file.byteLength - end < length) {
    throw new DataError(
      `${title}: it should have ${length} bytes of data and has ${Math.max(0, file.byteLength - end)}; it was cut off`,
    );
  }
  return { title, shape, values: read(file.slice(end, end + length)) };
}

/** What arrays say: logits `[rows, classes]` and targets `[rows]` in any order, or one with the target in its last column. */
export function toBatch(arrays: readonly NpyArray[]): Batch {
  const [first, second] = arrays;
  if (!second) return splitLast(first);
  const [logits, targets] = isColumn(second) ? [first, second] : [second, first];
  if (!isColumn(targets)) {
    throw new DataError(`${first.title} and ${second.title}: one must be the targets, one number per row`);
  }
  const [rows, classes] = tableShape(logits, 2);
  if (targets.shape[0] !== rows) {
    throw new DataError(`${targets.title} has ${targets.shape[0]} rows, but ${logits.title} has ${rows}`);
  }
  return {
    title: `${logits.title}, ${targets.title}`,
    classes,
    logits: toFloats(logits.values),
    targets: toTargets(targets.values, rows, classes, targets.title),
  };
}

const isColumn = ({ shape }: NpyArray) => shape.length === 1 || (shape.length === 2 && shape[1] === 1);

function tableShape({ title, shape }: NpyArray, leastColumns: number): readonly [rows: number, columns: number] {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows < 1 || columns < leastColumns) {
    const expected = leastColumns === 2 ? '[rows, classes]' : '[rows, classes + 1], the target last';
    throw new DataError(`${title}: its shape is [${shape.join(', ')}], but it must be ${expected}`);
  }
  return [rows, columns];
}

function splitLast(array: NpyArray): Batch {
  const [rows, columns] = tableShape(array, 3);
  const classes = columns - 1;
  const all = toFloats(array.values);
  const targets = all.filter((_, i) => i % columns === classes);
  return {
    title: array.title,
    classes,
    logits: all.filter((_, i) => i % columns !== classes),
    targets: toTargets(targets, rows, classes, array.title),
  };
}

function toFloats(values: Values): Batch['logits'] {
  if (values instanceof Float32Array || values instanceof Float64Array) return values as Batch['logits'];
  return Float64Array.from(values, Number);
}

function toTargets(values: Values, rows: number, classes: number, title: string): Batch['targets'] {
  const targets = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    targets[row] = toClass(Number(values[row]), classes, () => `${title}, row ${row} (counted from 0)`);
  }
  return targets;
}
