// Arrays that come with their shape, as the tensors of other libraries do. What the shape says takes the place of options.

import { kindOf, type NumberArray } from './arrays.js';
import type { Formula } from './batch.js';
import type { FloatArray } from './types.js';
import { checkLength, isFloats } from './validate.js';

/** The sizes of all dimensions. */
export type Shape = readonly number[];

/** A {@link TensorLike} of ONNX Runtime or transformers.js. */
export interface TensorWithDims<A> {
  /** The entries, row-major. */
  readonly data: A;
  /** The shape. */
  readonly dims: Shape;
}

/** A {@link TensorLike} of npyjs and others. */
export interface TensorWithShape<A> {
  /** The entries, row-major. */
  readonly data: A;
  /** The shape. */
  readonly shape: Shape;
}

/**
 * A typed array with its shape, as other libraries have it. The shape of logits has the classes last, or with
 * `layout: 'channels-first'` second, and makes `numClasses` and `spatialSize` unnecessary; that of class indices is the same
 * without the classes.
 */
export type TensorLike<A> = TensorWithDims<A> | TensorWithShape<A>;

/** The array of a tensor, and its shape. What is no tensor stays what it is, to be refused where arrays are. */
function open(name: string, value: unknown): { array: NumberArray; shape?: Shape } {
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
    const { data, dims, shape = dims } = value as { data?: NumberArray; dims?: Shape; shape?: Shape };
    if (data !== undefined && kindOf(data) !== undefined && Array.isArray(shape)) {
      const copy = Array.from(shape as Shape);
      const length = checkLength(name, data);
      if (productOf(copy) !== length) throw new RangeError(`${name} of shape [${copy}] has ${length} entries`);
      return { array: data, shape: copy };
    }
  }
  return { array: value as NumberArray };
}

function productOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** What a shape says, if no option says otherwise. */
function agreed(name: string, given: number | undefined, found: number | undefined): number | undefined {
  if (given !== undefined && given !== found) throw new RangeError(`${name} is ${found} by the shape, got ${given}`);
  return found;
}

/** The arrays of a call of which at least one is no typed array, and the options that shapes stand for. */
export function unpack(
  { columns, channelsFirst }: Pick<Formula, 'columns' | 'channelsFirst'>,
  givenLogits: unknown,
  givenTargets: unknown,
  givenClasses: number | undefined,
  givenSize: number | undefined,
) {
  const x = open('logits', givenLogits);
  const y = open('targets', givenTargets);
  let numClasses = givenClasses;
  let spatialSize = givenSize;
  // Targets that are one for each logit.
  const alike = columns !== 0 || isFloats(kindOf(y.array));
  const whole = x.shape ?? (alike ? y.shape : undefined);
  let rows = alike ? undefined : y.shape;
  if (whole !== undefined && whole.length > 1) {
    const axis = channelsFirst ? 1 : whole.length - 1;
    numClasses = agreed('numClasses', givenClasses, whole[axis]);
    rows = whole.filter((_, i) => i !== axis);
    const expected = alike ? whole : rows;
    if (y.shape !== undefined && `${y.shape}` !== `${expected}`) {
      throw new RangeError(`targets must have the shape [${expected}], got [${y.shape}]`);
    }
  }
  if (channelsFirst && rows !== undefined) spatialSize = agreed('spatialSize', givenSize, productOf(rows.slice(1)));
  return { logits: x.array as FloatArray, targets: y.array, numClasses, spatialSize };
}
