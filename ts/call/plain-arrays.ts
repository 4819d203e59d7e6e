// Plain arrays, and labels among floats, become typed arrays here, before anything else looks at
// them.

import { kindOf, lengthOf, type NumberArray } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { isFloats, outOfRange, wrongLength, wrongType } from './checks.js';

/** The most dimensions: as many are enough, and end the search in an array that contains itself. */
const MAX_RANK = 16;

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/**
 * The numbers of a plain array in float64, row-major, and its shape. Of targets, yes and no are 1
 * and 0.
 */
export function flatten(name: string, plain: readonly unknown[], areTargets: boolean) {
  const shape: number[] = [];
  let first: unknown = plain;
  for (; isList(first); first = first[0]) {
    if (shape.length === MAX_RANK)
      throw new RangeError(`${name} must be nested no deeper than ${MAX_RANK} arrays`);
    shape.push(first.length);
  }
  const size = shape.reduce((product, length) => product * length, 1);
  // An array may be long and hold nothing: no room is made for that.
  if (size > 0 && typeof first !== 'number')
    toNumber(name + '[0]'.repeat(shape.length), first, areTargets);
  const array = new Float64Array(size);
  let place = 0;
  const fill = (path: string, list: unknown, depth: number): void => {
    const length = shape[depth] as number;
    if (!isList(list))
      throw wrongType(path, `an array of ${length} entries, as the first is`, list);
    if (list.length !== length)
      throw wrongLength(path, `${length} entries, as the first has`, list.length);
    const isLast = depth === shape.length - 1;
    for (let i = 0; i < length; i++) {
      const entry = list[i];
      if (!isLast) fill(`${path}[${i}]`, entry, depth + 1);
      else
        array[place++] =
          typeof entry === 'number' ? entry : toNumber(`${path}[${i}]`, entry, areTargets);
    }
  };
  fill(name, plain, 0);
  return { array, shape };
}

/** Floats, one per row say, of which plain arrays become float64. */
export function floatsOf<T>(name: string, floats: T): Exclude<T, readonly number[]> | Float64Array;
export function floatsOf(name: string, floats: unknown): unknown {
  return Array.isArray(floats) ? flatten(name, floats, false).array : floats;
}

function toNumber(name: string, entry: unknown, isTarget: boolean): number {
  if (isTarget && typeof entry === 'boolean') return Number(entry);
  if (!(isTarget && typeof entry === 'bigint'))
    throw wrongType(name, isTarget ? 'a number or a boolean' : 'a number', entry);
  if (BigInt.asIntN(32, entry) !== entry) throw noClass(name, entry);
  return Number(entry);
}

function noClass(name: string, value: number | bigint): RangeError {
  return outOfRange(name, 'a class, an integer of 32 bits', value);
}

/**
 * A test whether so many floats are the class indices of rows, by their number: probabilities are
 * one per logit.
 */
export function countRows(size: number, entries: number, numClasses: number | undefined): boolean {
  if (entries === size) return false;
  return numClasses === undefined
    ? size % entries === 0 && size >= 2 * entries
    : size === entries * numClasses;
}

/** Targets of a softmax, of which floats that must be class indices become integers. */
export function labelsAmong(
  targets: NumberArray,
  logits: FloatArray,
  numClasses: number | undefined,
): NumberArray {
  const isOpen = isFloats(kindOf(targets)) && kindOf(logits) !== undefined;
  const areLabels = isOpen && countRows(lengthOf(logits), lengthOf(targets), numClasses);
  return areLabels ? integersOf('targets', targets as FloatArray) : targets;
}

/** Class indices among floats. */
export function integersOf(name: string, labels: FloatArray): Int32Array {
  const length = lengthOf(labels);
  const indices = new Int32Array(length);
  for (let row = 0; row < length; row++) {
    const label = labels[row] as number;
    const index = label | 0;
    if (index !== label) throw noIndex(`${name}[${row}]`, label);
    indices[row] = index;
  }
  return indices;
}

function noIndex(name: string, label: number): RangeError {
  if (Number.isInteger(label)) return noClass(name, label);
  return new RangeError(
    `${name} must be an integer, got ${label}: class indices are integers, as Int32Array.from(...) makes them, and ` +
      'probabilities are one per logit',
  );
}
