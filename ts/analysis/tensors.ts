// Tensors in place of arrays, as the losses take them: what their shape says goes to the options.

import { kindOf } from '../arrays.js';
import { type TensorLike, unpack } from '../tensor-like.js';
import type { ClassIndices, FloatArray, Layout } from '../types.js';

/** Logits, as an array or a tensor that holds them. */
export type Logits<A extends FloatArray = FloatArray> = A | TensorLike<A>;

/** Class indices or probabilities, as an array or a tensor that holds them. */
export type Targets = ClassIndices | FloatArray | TensorLike<ClassIndices | FloatArray>;

interface Shaped {
  numClasses?: number | undefined;
  spatialSize?: number | undefined;
}

/**
 * The arrays of a batch, and its options with what the shapes stand for. Every logit is a row by
 * itself where `columns` is not 0, as it is in the formula of a loss.
 */
export function opened<O extends Shaped>(logits: Logits, targets: Targets, options: O, layout?: Layout, columns = 0) {
  if (kindOf(logits) !== undefined && kindOf(targets) !== undefined) {
    return { logits: logits as FloatArray, targets: targets as ClassIndices | FloatArray, options };
  }
  const formula = { columns, channelsFirst: layout === 'channels-first' };
  const { numClasses, spatialSize, ...arrays } = unpack(
    formula,
    logits,
    targets,
    options.numClasses,
    options.spatialSize,
  );
  const said = spatialSize === undefined ? { numClasses } : { numClasses, spatialSize };
  return { ...arrays, options: { ...options, ...said } };
}

/** The same for logits without targets. */
export function openedLogits<A extends FloatArray>(given: Logits<A>, classes: number | undefined) {
  if (kindOf(given) !== undefined) return { logits: given as A, numClasses: classes };
  // As targets of the shape of the logits they are their own.
  const { logits, numClasses } = unpack({ columns: 1, channelsFirst: false }, given, given, classes, undefined);
  return { logits: logits as A, numClasses };
}
