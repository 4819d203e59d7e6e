// Arrays that come with their shape: the tensors of other libraries, and rows in plain arrays. What
// the shape says takes the place of options.

import { said } from '../arrays/own.js';
import { shorten } from '../arrays/shorten.js';
import type { Shape } from '../arrays/tensor-types.js';
import { kindOf, lengthOf, type NumberArray } from '../arrays/typed-arrays.js';
import type { FloatArray } from '../arrays/types.js';
import { checkLength, isFloats, wrongType } from './checks.js';
import { countRows, flatten, integersOf } from './plain-arrays.js';
import type { LossSpec } from './spec.js';

/** A tensor, or something else that may stand for an array, opened. */
interface Opened {
  readonly array: NumberArray;
  /** That of more than one dimension, or of a tensor. */
  readonly shape: Shape | undefined;
  /** True where they are a plain array of numbers, not of rows. */
  readonly isList: boolean;
}

/**
 * The array of a tensor, or of a plain one, and its shape. What is neither stays what it is, to be
 * refused where arrays are.
 */
function open(name: string, value: unknown, areTargets: boolean): Opened {
  if (Array.isArray(value)) {
    const { array, shape } = flatten(name, value, areTargets);
    return shape.length > 1
      ? { array, shape, isList: false }
      : { array, shape: undefined, isList: true };
  }
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    const tensor = value as { data?: unknown; dims?: unknown; shape?: unknown };
    const data = said(tensor, 'data', tensor.data);
    const shape = said(tensor, 'shape', tensor.shape) ?? said(tensor, 'dims', tensor.dims);
    if (data !== undefined || shape !== undefined) return openTensor(name, data, shape, areTargets);
  }
  return { array: value as NumberArray, shape: undefined, isList: false };
}

function openTensor(name: string, data: unknown, shape: unknown, areTargets: boolean): Opened {
  if (typeof data === 'function') {
    throw new TypeError(
      `${name}.data must be an array, got a function: have it by await ${name}.data(), or take focal-loss/tfjs`,
    );
  }
  if (!Array.isArray(data) && kindOf(data) === undefined)
    throw wrongType(`${name}.data`, 'an array', data);
  const copy: unknown[] = Array.isArray(shape) ? Array.from(shape) : [shape];
  if (!copy.every(isNumber))
    throw wrongType(`${name}.dims or ${name}.shape`, 'an array of numbers', shape);
  const isList = Array.isArray(data);
  const array = isList ? flatten(`${name}.data`, data, areTargets).array : (data as NumberArray);
  const length = checkLength(name, array);
  if (productOf(copy) !== length)
    throw new RangeError(`${name} of shape [${shorten(String(copy))}] has ${length} entries`);
  return { array, shape: copy, isList: isList && copy.length < 2 };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function productOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The number that a shape says, if no option says otherwise. */
function agreed(
  name: string,
  given: number | undefined,
  found: number | undefined,
): number | undefined {
  if (given !== undefined && given !== found)
    throw new RangeError(`${name} is ${found} by the shape, got ${given}`);
  return found;
}

/** The axis of the classes in a shape that has it. */
function axisOf(whole: Shape, channelsFirst: boolean): number {
  return channelsFirst ? 1 : whole.length - 1;
}

/**
 * A test whether targets of a softmax are class indices. Floats for a single column are not,
 * whatever their shape: they stay what a sigmoid takes.
 */
function areLabels(
  y: Opened,
  x: Opened,
  channelsFirst: boolean,
  numClasses: number | undefined,
): boolean {
  const { array, shape, isList } = y;
  if (!isFloats(kindOf(array))) return true;
  const { shape: whole = [] } = x;
  const axis = axisOf(whole, channelsFirst);
  if (whole.length > 1 && whole[axis] === 1) return false;
  if (shape !== undefined && whole.length > 1)
    return shape.length !== whole.length || shape[axis] === 1;
  const size = kindOf(x.array) === undefined ? 0 : lengthOf(x.array);
  const entries = lengthOf(array);
  return (
    countRows(size, entries, numClasses) ||
    (isList && (size !== entries || numClasses === undefined))
  );
}

/**
 * The arrays of a call of which at least one is no typed array, and the options that shapes stand
 * for.
 */
export function unpack(
  { columns, channelsFirst }: Pick<LossSpec, 'columns' | 'channelsFirst'>,
  givenLogits: unknown,
  givenTargets: unknown,
  givenClasses: number | undefined,
  givenSize: number | undefined,
) {
  const x = open('logits', givenLogits, false);
  const y = open('targets', givenTargets, true);
  const areLabeled = columns === 0 && areLabels(y, x, channelsFirst, givenClasses);
  const { rows, numClasses } = shapeOf(x, y, areLabeled, channelsFirst, givenClasses);
  const positions = channelsFirst && rows !== undefined ? productOf(rows.slice(1)) : undefined;
  return {
    logits: x.array as FloatArray,
    targets:
      areLabeled && isFloats(kindOf(y.array))
        ? integersOf('targets', y.array as FloatArray)
        : y.array,
    numClasses,
    spatialSize: positions === undefined ? givenSize : agreed('spatialSize', givenSize, positions),
  };
}

/** The shape of the rows, and the number of classes, as far as is said. */
function shapeOf(
  x: Opened,
  y: Opened,
  areLabeled: boolean,
  channelsFirst: boolean,
  numClasses: number | undefined,
): { rows: Shape | undefined; numClasses: number | undefined } {
  const whole = x.shape ?? (areLabeled ? undefined : y.shape);
  if (whole === undefined || whole.length < 2)
    return { rows: areLabeled ? y.shape : undefined, numClasses };
  const axis = axisOf(whole, channelsFirst);
  const found = agreed('numClasses', numClasses, whole[axis]);
  const rows = whole.filter((_, i) => i !== axis);
  const isOne = areLabeled || found === 1;
  const expected = isOne ? rows : whole;
  // The axis may be there with a length of 1.
  const single = whole.map((size, i) => (isOne && i === axis ? 1 : size));
  if (y.shape !== undefined && ![expected, single].some((shape) => `${y.shape}` === `${shape}`)) {
    throw new RangeError(
      `targets must have the shape [${expected}], got [${shorten(String(y.shape))}]`,
    );
  }
  return { rows, numClasses: found };
}

/** Logits without targets, and the number of classes, as far as it is said. */
export function openLogits(given: unknown, numClasses: number | undefined) {
  const { array, shape = [] } = open('logits', given, false);
  const isShaped = shape.length > 1;
  return {
    logits: array as FloatArray,
    numClasses: isShaped ? agreed('numClasses', numClasses, shape.at(-1)) : numClasses,
  };
}

/** Targets of a softmax without logits, and the number of classes, as far as it is said. */
export function openTargets(given: unknown, numClasses: number | undefined) {
  const { array, shape = [], isList } = open('targets', given, true);
  if (isList) return { targets: integersOf('targets', array as FloatArray), numClasses };
  const isShaped = isFloats(kindOf(array)) && shape.length > 1 && shape.at(-1) !== 1;
  return {
    targets: array,
    numClasses: isShaped ? agreed('numClasses', numClasses, shape.at(-1)) : numClasses,
  };
}
