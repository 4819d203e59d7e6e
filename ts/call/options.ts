// The options of a call, beside its logits and targets.

import type { FloatArray, Reduction } from '../arrays/types.js';

/** Options of a single call of `forward`. */
export interface ForwardOptions {
  /** The number of classes, for this call. */
  numClasses?: number | undefined;
  /** The number that `'mean'` divides by, for this call. */
  normalizer?: number | undefined;
  /**
   * One weight per row, a factor of its value and gradient: a float array, or a plain one, of
   * finite numbers that are not negative. The mean's denominator stays the same.
   *
   * @defaultValue 1 for every row
   */
  sampleWeights?: FloatArray | readonly number[] | undefined;
  /**
   * With layout `'channels-first'`, the number of positions of each sample: height times width of
   * an image.
   *
   * @defaultValue all of them: one sample
   */
  spatialSize?: number | undefined;
}

/** The upstream gradient: a number, or for `'none'` also one per row. */
export type GradOutput<R extends Reduction> = R extends 'none'
  ? number | FloatArray | readonly number[]
  : number;

/** Options of a single call of `backward` or `valueAndGrad`. */
export interface GradientOptions<G extends FloatArray = FloatArray, R extends Reduction = Reduction>
  extends ForwardOptions {
  /**
   * Where the gradient goes: an array of the kind and length of the logits that shares no memory
   * with any of the call's other arrays. It is returned as the result's `grad`. With it a call
   * allocates nothing but the result object.
   */
  grad?: G | undefined;
  /**
   * The upstream gradient of the chain rule: a factor of the gradient, not of the value. For
   * reduction `'none'` it may be a float array, or a plain one, with one per row. Any numbers: what
   * is not finite goes through the arithmetic, of its row alone.
   *
   * @defaultValue 1
   */
  gradOutput?: GradOutput<R> | undefined;
}

/** Options of a single call of `hessianDiag`. */
export interface HessianOptions<G extends FloatArray = FloatArray> extends ForwardOptions {
  /**
   * `'exact'`, or `'gauss-newton'`: without the term of the loss's own curvature that can be
   * negative.
   *
   * @defaultValue 'exact'
   */
  kind?: 'exact' | 'gauss-newton' | undefined;
  /**
   * Where the result goes: an array of the kind and length of the logits that shares no memory with
   * the others.
   */
  out?: G | undefined;
}

const ROW_OPTIONS: readonly (keyof ForwardOptions)[] = [
  'numClasses',
  'normalizer',
  'sampleWeights',
  'spatialSize',
];

/** The names of the options of `forward`. */
export const FORWARD_OPTIONS: readonly string[] = ROW_OPTIONS;

/** The names of the options of `backward` and `valueAndGrad`. */
export const GRADIENT_OPTIONS: readonly (keyof GradientOptions)[] = [
  'grad',
  'gradOutput',
  ...ROW_OPTIONS,
];

/** The names of the options of `hessianDiag`. */
export const HESSIAN_OPTIONS: readonly (keyof HessianOptions)[] = ['kind', 'out', ...ROW_OPTIONS];
