// What the analysis asks of a loss. Nothing but its public interface, so that the classes of every entry of the package
// will do, whichever copy of the code they come from.

import type { ForwardOptions } from '../options.js';
import type { ClassIndices, FloatArray, Layout, Reduction, ValueAndGrad } from '../types.js';
import { checkEntries, wrongType } from '../validate.js';

/** A loss on softmax logits: a `FocalLoss` or a `CrossEntropyLoss`, of any entry of this package. */
export interface SoftmaxCriterion {
  /** What becomes of the per-row losses. */
  readonly reduction: Reduction;
  /** What `'mean'` divides by, where it was given. */
  readonly normalizer: number | undefined;
  /** The target of the rows that do not count, where it was given. */
  readonly ignoreIndex: number | undefined;
  /** The number of classes, where it was given. */
  readonly numClasses: number | undefined;
  /** The share of the target that is spread over all classes. */
  readonly labelSmoothing: number;
  /** How the logits lie in memory. */
  readonly layout: Layout;
  /** Of a `FocalLoss`. */
  readonly alpha?: number | readonly number[] | null;
  /** Of a `FocalLoss`. */
  readonly gamma?: number | readonly number[];
  /** Of a `FocalLoss`. */
  readonly focusOn?: 'smoothed' | 'target' | 'class';
  /** Of a `CrossEntropyLoss`. */
  readonly weight?: readonly number[] | null;
  /** The loss alone. */
  forward(logits: FloatArray, targets: ClassIndices | FloatArray, options?: ForwardOptions): number | FloatArray;
  /** The loss and its gradient. */
  valueAndGrad(
    logits: FloatArray,
    targets: ClassIndices | FloatArray,
    options?: ForwardOptions,
  ): ValueAndGrad<Reduction, FloatArray, FloatArray>;
  /** A copy with some options changed. */
  with(changes: object): SoftmaxCriterion;
}

/** Throws for what is no loss on softmax logits. Of the losses of this package, only these have a layout. */
export function checkCriterion(name: string, criterion: SoftmaxCriterion): void {
  const is = typeof criterion === 'object' && criterion !== null && 'layout' in criterion && 'with' in criterion;
  if (!is) throw wrongType(name, 'a FocalLoss or a CrossEntropyLoss', criterion);
}

/** Whether a criterion focuses, as a `FocalLoss` does with any gamma. */
export function isFocal(criterion: SoftmaxCriterion): boolean {
  return criterion.gamma !== undefined;
}

/** How much a criterion weighs each of so many classes. */
export function classWeights({ alpha, weight }: SoftmaxCriterion, classes: number): Float64Array {
  const given = alpha ?? weight ?? null;
  if (typeof given !== 'number') return perClass(weight === undefined ? 'alpha' : 'weight', given ?? 1, classes);
  return new Float64Array(classes).map((_, j) => (j === 1 ? given : 1 - given));
}

/** The exponent of each of so many classes: 0 for a loss that does not focus. */
export function classGammas({ gamma = 0 }: SoftmaxCriterion, classes: number): Float64Array {
  return perClass('gamma', gamma, classes);
}

function perClass(name: string, value: number | readonly number[], classes: number): Float64Array {
  if (typeof value === 'number') return new Float64Array(classes).fill(value);
  checkEntries(name, value, classes);
  return Float64Array.from(value);
}
