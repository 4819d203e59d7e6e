// Tensors and nested arrays, as the losses take them, opened: the sizes of their shape go to the
// options.

import type { Logits, Targets } from '../../arrays/tensor-types.js';

export type { Logits, Targets } from '../../arrays/tensor-types.js';

import { kindOf } from '../../arrays/typed-arrays.js';
import type { ClassIndices, FloatArray, Layout } from '../../arrays/types.js';
import { labelsAmong } from '../../call/plain-arrays.js';
import { openLogits, openTargets, unpack } from '../../call/tensor-like.js';

interface Shaped {
  numClasses?: number | undefined;
  spatialSize?: number | undefined;
}

/**
 * The arrays of a batch, and its options with what the shapes stand for. Every logit is a row by
 * itself where `columns` is not 0, as it is in the formula of a loss.
 */
export function opened<O extends Shaped>(
  logits: Logits,
  targets: Targets,
  options: O,
  layout?: Layout,
  columns = 0,
) {
  if (kindOf(logits) !== undefined && kindOf(targets) !== undefined) {
    const given = targets as ClassIndices | FloatArray;
    const labels =
      columns === 0 ? labelsAmong(given, logits as FloatArray, options.numClasses) : given;
    return { logits: logits as FloatArray, targets: labels, options };
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
export function openedLogits(logits: Logits, numClasses: number | undefined) {
  return kindOf(logits) === undefined
    ? openLogits(logits, numClasses)
    : { logits: logits as FloatArray, numClasses };
}

/** The same for targets without logits. */
export function openedTargets(targets: Targets, numClasses: number | undefined) {
  return kindOf(targets) === undefined
    ? openTargets(targets, numClasses)
    : { targets: targets as ClassIndices | FloatArray, numClasses };
}
