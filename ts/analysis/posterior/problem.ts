// The flags and tables by which the kernels find the probabilities that logits stand for under a
// loss.

import { readOptions } from '../../arrays/own.js';
import { outOfRange } from '../../call/checks.js';
import type { LossSpec } from '../../call/spec.js';
import { specOf } from '../../losses/criterion.js';
import {
  ASYMMETRIC,
  CROSS_ENTROPY,
  FOCUS_CLASS,
  GAMMA_PER_CLASS,
  POS_WEIGHT_PER_COLUMN,
} from '../../module/abi.js';
import { leavesFloat32 } from '../../module/tile.js';
import {
  type AnalysedCriterion,
  classWeights,
  type DiagnosedCriterion,
  isSigmoid,
  type SigmoidCriterion,
  type SoftmaxCriterion,
} from '../criteria/criterion.js';
import { type AnyCriterion, remembering, sumOf } from '../criteria/own-criterion.js';
import { type GivenPriors, ratiosOfClasses, ratiosOfColumns, relative } from './priors.js';

/** The loss of a criterion of any entry, made of the classes of this one. */
export interface OwnLoss {
  readonly criterion: DiagnosedCriterion;
  readonly spec: LossSpec;
}

const OPTIONS = ['alpha', 'weight', 'posWeight', 'epsilon', 'focusOn', 'labelSmoothing'];

/** Checks that logits stand for probabilities under a criterion. */
export const ownLossOf = remembering((given: AnyCriterion): OwnLoss => {
  const own = sumOf(given);
  const criterion = own as unknown as DiagnosedCriterion;
  const options = readOptions(criterion, OPTIONS);
  checkSmoothing(options as Partial<AnalysedCriterion>);
  if (isSigmoid(criterion)) checkColumns(options as SigmoidCriterion);
  else checkClassWeights(options as SoftmaxCriterion);
  return { criterion, spec: specOf(own) };
});

function checkSmoothing({ labelSmoothing }: Partial<AnalysedCriterion>): void {
  // All targets are the same.
  if (labelSmoothing === 1) throw outOfRange('criterion.labelSmoothing', 'below 1', 1);
}

function checkColumns({ alpha, posWeight }: SigmoidCriterion): void {
  checkEach('criterion.alpha', alpha, 1, 'above 0 and below 1');
  checkAboveZero('criterion.posWeight', posWeight);
}

function checkClassWeights(criterion: SoftmaxCriterion): void {
  const { alpha, weight, epsilon, focusOn, labelSmoothing } = criterion;
  if (typeof alpha === 'number' && !(alpha > 0 && alpha < 1))
    throw outOfRange('criterion.alpha', 'above 0 and below 1', alpha);
  checkAboveZero('criterion.alpha', alpha);
  checkAboveZero('criterion.weight', weight);
  if (epsilon === undefined) return;
  // From there on the loss of a row does not fall with the probability of its class.
  const isOnTarget = focusOn === 'target' && labelSmoothing > 0;
  const least = isOnTarget ? labelSmoothing - 1 : -1;
  if (!(epsilon > least))
    throw outOfRange(
      'criterion.epsilon',
      `above ${isOnTarget ? 'labelSmoothing - 1' : -1}`,
      epsilon,
    );
}

type PerClass = number | readonly number[] | null | undefined;

function checkAboveZero(name: string, weights: PerClass): void {
  checkEach(name, weights, Infinity, 'above 0');
}

/** Checks that one number, or each of several, is above 0 and below another. */
function checkEach(name: string, numbers: PerClass, end: number, expected: string): void {
  const isWithin = (number: number) => number > 0 && number < end;
  if (typeof numbers === 'number') {
    if (!isWithin(numbers)) throw outOfRange(name, expected, numbers);
    return;
  }
  numbers?.forEach((number, j) => {
    if (!isWithin(number)) throw outOfRange(`${name}[${j}]`, expected, number);
  });
}

/** Tables with an entry for each class or column, and the flags of a call. */
export interface Problem {
  readonly flags: number;
  /** The factors of the classes' probabilities; of no use to elements. */
  readonly factors: Float64Array | undefined;
  /** The part of priors that is left for the end. */
  readonly ratios: Float64Array | undefined;
  /** True where it takes float64. */
  readonly isWide: boolean;
}

/** Numbers that are further apart than that, or less, are for float64. */
const FAR = 2 ** -60;

/** Gammas above it are for float64. */
const LARGEST_GAMMA = 127 / 4;

/** The problem of rows of so many classes. */
export function problemOfRows(
  { criterion, spec }: OwnLoss,
  classes: number,
  priors: GivenPriors | undefined,
): Problem {
  const { labelSmoothing, gamma = 0 } = criterion as SoftmaxCriterion;
  const largest = typeof gamma === 'number' ? gamma : Math.max(...gamma);
  const weights = relative(classWeights(criterion as SoftmaxCriterion, classes));
  const given = priors && ratiosOfClasses(priors, classes);
  // Smoothing takes something off the probabilities that the weights have led to; priors come last.
  const isLast = labelSmoothing > 0 && (spec.flags & (CROSS_ENTROPY | FOCUS_CLASS)) !== 0;
  const early = isLast ? undefined : given;
  const factors = relative(weights.map((weight, j) => (early?.[j] ?? 1) / weight));
  const ratios = given !== undefined && isLast ? relative(given) : undefined;
  const isFar = (table: Float64Array | undefined) => table?.some((x) => x < FAR) === true;
  return {
    flags: spec.flags | (ratios === undefined ? 0 : POS_WEIGHT_PER_COLUMN),
    factors,
    ratios,
    isWide: spec.isWide || largest > LARGEST_GAMMA || isFar(factors) || isFar(ratios),
  };
}

/** The problem of elements in so many columns. */
export function problemOfElements(
  { spec }: OwnLoss,
  columns: number,
  priors: GivenPriors | undefined,
): Problem {
  const ratios = priors && ratiosOfColumns(priors, columns);
  // The powers of its two sides go through logarithms.
  const isAsymmetric = (spec.flags & ASYMMETRIC) !== 0;
  return {
    flags: spec.flags | (ratios === undefined ? 0 : GAMMA_PER_CLASS),
    factors: undefined,
    ratios,
    isWide: spec.isWide || isAsymmetric || ratios?.some((ratio) => leavesFloat32(ratio)) === true,
  };
}
