// Targets as they come: one-hot rows, probabilities or class indices, in tensors of any type.

import { abs, cast, less, scalar, type Tensor, where } from '@tensorflow/tfjs-core';
import type { ClassIndices } from '../index.js';

type Shape = readonly number[];

/** The shape of one value per row. */
export function withoutLast(shape: Shape): number[] {
  return shape.slice(0, -1);
}

/** The number of classes in logits of a shape. */
export function softmaxClasses(shape: Shape): number {
  const classes = shape.at(-1) ?? 0;
  if (shape.length < 2 || classes < 2) {
    throw new RangeError(
      `yPred must have a last axis of two or more classes, got the shape [${shape}]; for a single logit there is sigmoidFocalLoss`,
    );
  }
  return classes;
}

function isSame(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/**
 * A test whether targets for logits of a shape are class indices: without the last axis, or with
 * one of length 1.
 */
export function areIndices(yTrue: Tensor, logits: Shape): boolean {
  if (isSame(yTrue.shape, logits)) return false;
  const rows = withoutLast(logits);
  if (!(isSame(yTrue.shape, rows) || isSame(yTrue.shape, [...rows, 1]))) {
    throw new RangeError(
      `yTrue must have the shape of yPred, [${logits}], or without its last axis, [${rows}], got [${yTrue.shape}]`,
    );
  }
  return true;
}

/** Throws for targets of another shape than that of the logits. */
export function checkSameShape(yTrue: Tensor, logits: Shape): void {
  if (!isSame(yTrue.shape, logits)) {
    throw new RangeError(`yTrue must have the shape of yPred, [${logits}], got [${yTrue.shape}]`);
  }
}

/** Targets as a softmax loss takes them. */
export function readSoftmaxTargets(
  yTrue: Tensor,
  logits: Shape,
  ignoreIndex: number | undefined,
): ClassIndices | Float32Array {
  const data = yTrue.dataSync<'float32' | 'int32'>();
  if (areIndices(yTrue, logits)) return data instanceof Float32Array ? integers(data) : data;
  const indices = indicesOfOneHot(data, logits.at(-1) as number, ignoreIndex);
  return indices ?? (data instanceof Float32Array ? data : Float32Array.from(data));
}

/** The bound of the integers of a tensor: none holds a number from here on. */
const BEYOND = 2 ** 31;

/**
 * Class indices as integers, in operations. Casting wraps what is too large for one: it is no
 * class, and becomes -1.
 */
export function castIndices(yTrue: Tensor): Tensor {
  return cast(
    yTrue.dtype === 'float32' ? where(less(abs(yTrue), BEYOND), yTrue, scalar(-1)) : yTrue,
    'int32',
  );
}

/** `tf.tensor1d([0, 1])` is of type float32. */
function integers(data: Float32Array): Int32Array {
  const row = data.findIndex((index) => !(Number.isInteger(index) && Math.abs(index) < BEYOND));
  if (row >= 0)
    throw new RangeError(`yTrue[${row}] must be the index of a class, got ${data[row]}`);
  return Int32Array.from(data);
}

/**
 * The classes of one-hot rows, and nothing where one of them is something else. Losses of class
 * indices are faster and more exact than those of probabilities, and some options are for them
 * only.
 */
function indicesOfOneHot(
  data: Float32Array | Int32Array,
  classes: number,
  ignoreIndex: number | undefined,
): Int32Array | undefined {
  const indices = new Int32Array(data.length / classes);
  for (let row = 0; row < indices.length; row++) {
    let index = -1;
    for (let j = 0; j < classes; j++) {
      const entry = data[row * classes + j] as number;
      if (entry === 0) continue;
      if (entry !== 1 || index >= 0) return undefined;
      index = j;
    }
    if (index < 0) {
      if (ignoreIndex === undefined) return undefined;
      index = ignoreIndex;
    }
    indices[row] = index;
  }
  return indices;
}
