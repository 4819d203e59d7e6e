// A loss as the analysis sees it: nothing but its public interface, so that the classes of every
// entry of the package will do, whichever copy of the code they come from.

import { readOptions, said, says } from '../../arrays/own.js';
import type { ValueAndGrad } from '../../arrays/tensor-types.js';
import type { ClassIndices, FloatArray, Layout, Reduction } from '../../arrays/types.js';
import { checkEntries, wrongType } from '../../call/checks.js';
import type { ForwardOptions } from '../../call/options.js';
import { wrongLoss } from './own-criterion.js';

/** The properties of all losses that the analysis looks through. */
interface EveryCriterion {
  /** The way from the per-row losses to the result. */
  readonly reduction: Reduction;
  /** The divisor of `'mean'`, where it was given. */
  readonly normalizer: number | undefined;
  /** The target of the rows that do not count, where it was given. */
  readonly ignoreIndex: number | undefined;
  /** The number of classes, where it was given. */
  readonly numClasses: number | undefined;
  /** The loss alone. */
  forward(
    logits: FloatArray,
    targets: ClassIndices | FloatArray,
    options?: ForwardOptions,
  ): number | FloatArray;
  /** The loss and its gradient. */
  valueAndGrad(
    logits: FloatArray,
    targets: ClassIndices | FloatArray,
    options?: ForwardOptions,
  ): ValueAndGrad<Reduction, FloatArray, FloatArray>;
}

/** The same, of a loss that smooths its targets. */
export interface AnalysedCriterion extends EveryCriterion {
  /** The share of the target that is spread over all classes. */
  readonly labelSmoothing: number;
}

/**
 * A loss on softmax logits: a `FocalLoss`, a `PolyFocalLoss` or a `CrossEntropyLoss`, of any entry
 * of this package.
 */
export interface SoftmaxCriterion extends AnalysedCriterion {
  /** The order of the logits in memory. */
  readonly layout: Layout;
  /** An option of a `FocalLoss`. */
  readonly alpha?: number | readonly number[] | null;
  /** An option of a `FocalLoss`. */
  readonly gamma?: number | readonly number[];
  /** An option of a `FocalLoss`. */
  readonly focusOn?: 'smoothed' | 'target' | 'class';
  /** The property of a `PolyFocalLoss`. */
  readonly epsilon?: number;
  /** An option of a `CrossEntropyLoss`. */
  readonly weight?: readonly number[] | null;
  /** A copy with some options changed. */
  with(changes: object): SoftmaxCriterion;
}

/** A loss on yes-or-no logits: a `SigmoidFocalLoss`, of any entry of this package. */
export interface SigmoidCriterion extends AnalysedCriterion {
  /** The weight of positive targets, those of all classes, or `null`. */
  readonly alpha: number | readonly number[] | null;
  /** The exponent of the focusing factor. */
  readonly gamma: number;
  /** The factor of the positive term, or those of all classes. */
  readonly posWeight: number | readonly number[];
  /** A copy with some options changed. */
  with(changes: object): SigmoidCriterion;
}

/** An `AsymmetricLoss`, of any entry of this package. */
export interface AsymmetricCriterion extends EveryCriterion {
  /** The exponent of the focusing factor of positives. */
  readonly gammaPositive: number;
  /** That of negatives. */
  readonly gammaNegative: number;
  /** The amount that comes off the probabilities of negatives. */
  readonly margin: number;
  /** A copy with some options changed. */
  with(changes: object): AsymmetricCriterion;
}

/** A loss that the analysis can look through. */
export type DiagnosedCriterion = SoftmaxCriterion | SigmoidCriterion | AsymmetricCriterion;

/**
 * Throws for what is no loss on softmax logits. Of the losses of this package, only these have a
 * layout.
 */
export function checkCriterion(name: string, criterion: SoftmaxCriterion): void {
  if (!has(criterion, 'layout'))
    throw wrongLoss(name, 'a FocalLoss, a PolyFocalLoss or a CrossEntropyLoss', criterion);
}

/** Throws for what is no loss of either kind. */
export function checkAnyCriterion(name: string, criterion: DiagnosedCriterion): void {
  if (['layout', 'posWeight', 'gammaNegative'].some((option) => has(criterion, option))) return;
  throw wrongType(name, 'a loss of this package', criterion);
}

function has(criterion: unknown, name: string): boolean {
  return (
    typeof criterion === 'object' &&
    criterion !== null &&
    says(criterion, name) &&
    'with' in criterion
  );
}

/** A test whether a loss takes a target for each logit. */
export function isSigmoid(
  criterion: DiagnosedCriterion,
): criterion is SigmoidCriterion | AsymmetricCriterion {
  return says(criterion, 'posWeight') || isAsymmetric(criterion);
}

/** A test whether a loss is an `AsymmetricLoss`, which has neither an alpha nor one gamma. */
export function isAsymmetric(criterion: DiagnosedCriterion): criterion is AsymmetricCriterion {
  return says(criterion, 'gammaNegative');
}

/** A test whether a criterion focuses, as a `FocalLoss` does with any gamma. */
export function isFocal(criterion: DiagnosedCriterion): boolean {
  return says(criterion, 'gamma');
}

/** One number for all, or the one at a place. */
export function entryOf(numbers: number | readonly number[], place: number): number {
  return typeof numbers === 'number' ? numbers : (numbers[place] as number);
}

/** The weights of targets of 0 and 1 of a column. */
export function columnWeights(
  { alpha, posWeight }: SigmoidCriterion,
  column: number,
): Float64Array {
  const positive = entryOf(posWeight, column);
  if (alpha === null) return Float64Array.of(1, positive);
  const share = entryOf(alpha, column);
  return Float64Array.of(1 - share, share * positive);
}

/** The weight of each of so many classes. */
export function classWeights(criterion: SoftmaxCriterion, classes: number): Float64Array {
  const { alpha, weight } = readOptions(criterion, ['alpha', 'weight']);
  const given = alpha ?? weight ?? null;
  if (typeof given !== 'number')
    return perClass(weight === undefined ? 'alpha' : 'weight', given ?? 1, classes);
  return new Float64Array(classes).map((_, j) => (j === 1 ? given : 1 - given));
}

/** The exponent of each of so many classes: 0 for a loss that does not focus. */
export function classGammas(
  criterion: SoftmaxCriterion | SigmoidCriterion,
  classes: number,
): Float64Array {
  return perClass('gamma', said(criterion, 'gamma', criterion.gamma, 0), classes);
}

function perClass(name: string, value: number | readonly number[], classes: number): Float64Array {
  if (typeof value === 'number') return new Float64Array(classes).fill(value);
  checkEntries(name, value, classes);
  return Float64Array.from(value);
}
