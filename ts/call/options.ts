import type { FloatArray, Layout, Reduction } from '../arrays/types.js';
import {
  checkChoice,
  checkIgnoreIndex,
  checkLabelSmoothing,
  checkNormalizer,
  checkNumClasses,
  checkOptions,
} from './checks.js';

/** What becomes of the per-row losses. It may be left out where it may be `'mean'`. */
export type ReductionOption<R extends Reduction> = 'mean' extends R
  ? {
      /**
       * What becomes of the per-row losses.
       *
       * @defaultValue 'mean'
       */
      reduction?: R | undefined;
    }
  : {
      /** What becomes of the per-row losses. */
      reduction: NoInfer<R>;
    };

/** The reduction of a changed criterion: a new one, or where the changes say none that of the old one. */
export type Changed<R extends Reduction, S extends Reduction | undefined> =
  | Exclude<S, undefined>
  | (undefined extends S ? R : never);

/**
 * What every criterion can be made with, beside its reduction. Every option may be left out. As everywhere in this package, an
 * option counts if the object has it itself or by its class, and not if it is one of `Object.prototype`.
 */
export interface CriterionOptions {
  /**
   * What `'mean'` divides by instead of the number of rows that count: a number above 0, such as the rows of a whole
   * batch of which this is a shard, or the number of positives. It can also be given per call. `'sum'` and `'none'`
   * divide by nothing.
   */
  normalizer?: number | undefined;
  /**
   * The target of the rows that do not count: their value and gradient are 0, and they leave the mean's denominator.
   * Any integer, also a negative one or one of the classes: the class itself then stays in the softmax of the other
   * rows. Only for class indices.
   *
   * @defaultValue none: every target must be a class
   */
  ignoreIndex?: number | undefined;
  /**
   * The number of classes. Without it, it is `logits.length / targets.length`. With it, a batch whose lengths do not
   * match is an error.
   */
  numClasses?: number | undefined;
}

/** What the criteria of softmax classifiers can be made with as well. */
export interface SoftmaxOptions extends CriterionOptions {
  /**
   * The share, in [0, 1], of each row's target that is spread evenly over all classes.
   *
   * @defaultValue 0
   */
  labelSmoothing?: number | undefined;
  /**
   * How the logits lie in memory, and with them gradients and probabilities: `'channels-last'` is `[rows, classes]`,
   * `'channels-first'` is `[samples, classes, positions]`, as segmentation has it. There, class indices, values and
   * whatever there is one of per row are `[samples, positions]`; `numClasses` must be given, and unless a batch is a
   * single sample the call's `spatialSize`.
   *
   * @defaultValue 'channels-last'
   */
  layout?: Layout | undefined;
}

/** Options of a single call of `forward`. */
export interface ForwardOptions {
  /** The number of classes, for this call. */
  numClasses?: number | undefined;
  /** What `'mean'` divides by, for this call. */
  normalizer?: number | undefined;
  /**
   * One weight per row, a factor of its value and gradient: a float array, or a plain one, of finite numbers that are not
   * negative. The mean's denominator stays the same.
   *
   * @defaultValue 1 for every row
   */
  sampleWeights?: FloatArray | readonly number[] | undefined;
  /**
   * With layout `'channels-first'`, the number of positions of each sample: height times width of an image.
   *
   * @defaultValue all of them: one sample
   */
  spatialSize?: number | undefined;
}

/** The upstream gradient: a number, or for `'none'` also one per row. */
export type GradOutput<R extends Reduction> = R extends 'none' ? number | FloatArray | readonly number[] : number;

/** Options of a single call of `backward` or `valueAndGrad`. */
export interface GradientOptions<G extends FloatArray = FloatArray, R extends Reduction = Reduction>
  extends ForwardOptions {
  /**
   * Where the gradient goes: an array of the kind and length of the logits that shares no memory with any of the
   * call's other arrays. It is returned as the result's `grad`. With it a call allocates nothing but the result object.
   */
  grad?: G | undefined;
  /**
   * The upstream gradient of the chain rule: a factor of the gradient, not of the value. For reduction `'none'` it may be
   * a float array, or a plain one, with one per row. Any numbers: what is not finite goes through the arithmetic, of its
   * row alone.
   *
   * @defaultValue 1
   */
  gradOutput?: GradOutput<R> | undefined;
}

/** Options of a single call of `hessianDiag`. */
export interface HessianOptions<G extends FloatArray = FloatArray> extends ForwardOptions {
  /**
   * `'exact'`, or `'gauss-newton'`: without the term of the loss's own curvature that can be negative.
   *
   * @defaultValue 'exact'
   */
  kind?: 'exact' | 'gauss-newton' | undefined;
  /** Where the result goes: an array of the kind and length of the logits that shares no memory with the others. */
  out?: G | undefined;
}

const ROW_OPTIONS: readonly (keyof ForwardOptions)[] = ['numClasses', 'normalizer', 'sampleWeights', 'spatialSize'];

/** The names of the options of `forward`. */
export const FORWARD_OPTIONS: readonly string[] = ROW_OPTIONS;

/** The names of the options of `backward` and `valueAndGrad`. */
export const GRADIENT_OPTIONS: readonly (keyof GradientOptions)[] = ['grad', 'gradOutput', ...ROW_OPTIONS];

/** The names of the options of `hessianDiag`. */
export const HESSIAN_OPTIONS: readonly (keyof HessianOptions)[] = ['kind', 'out', ...ROW_OPTIONS];

/** The options of every criterion, all of them there. */
export interface CriterionSettings {
  reduction: Reduction;
  normalizer: number | undefined;
  ignoreIndex: number | undefined;
  numClasses: number | undefined;
}

/** What they are when they are left out. */
export const CRITERION_DEFAULTS: Readonly<CriterionSettings> = {
  reduction: 'mean',
  normalizer: undefined,
  ignoreIndex: undefined,
  numClasses: undefined,
};

export function checkCriterionOptions(settings: CriterionSettings, fewestClasses: number): CriterionSettings {
  return {
    reduction: checkChoice('reduction', ['mean', 'sum', 'none'], settings.reduction),
    normalizer: checkNormalizer(settings.normalizer),
    ignoreIndex: checkIgnoreIndex(settings.ignoreIndex),
    numClasses: checkNumClasses(settings.numClasses, fewestClasses),
  };
}

/** The options of the criteria of softmax classifiers, all of them there. */
export interface SoftmaxSettings extends CriterionSettings {
  labelSmoothing: number;
  layout: Layout;
}

/** What they are when they are left out. */
export const SOFTMAX_DEFAULTS: Readonly<SoftmaxSettings> = {
  labelSmoothing: 0,
  layout: 'channels-last',
  ...CRITERION_DEFAULTS,
};

export function checkSoftmaxOptions(settings: SoftmaxSettings): SoftmaxSettings {
  return {
    labelSmoothing: checkLabelSmoothing(settings.labelSmoothing),
    layout: checkChoice('layout', ['channels-last', 'channels-first'], settings.layout),
    ...checkCriterionOptions(settings, 2),
  };
}

/** `options`, and where they say nothing what `base` says. The names are those of `defaults`. */
export function overlay<T extends object>(options: object, base: object, defaults: T): T {
  const names = Object.keys(defaults);
  const given = checkOptions(options as Record<string, unknown>, names);
  const result: Record<string, unknown> = Object.create(null);
  for (const name of names) {
    result[name] = given[name] === undefined ? (base as Record<string, unknown>)[name] : given[name];
  }
  return result as T;
}
