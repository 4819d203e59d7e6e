// The options that losses share: what they may be, and what they are when they are left out.

import type { Layout, Reduction } from '../arrays/types.js';
import {
  checkChoice,
  checkIgnoreIndex,
  checkLabelSmoothing,
  checkNormalizer,
  checkNumClasses,
  checkOptions,
} from '../call/checks.js';
import { type CommonSettings, type LossSpec, makeSpec, type OwnParts } from '../call/spec.js';

/** The way from the per-row losses to the result. It may be left out where it may be `'mean'`. */
export type ReductionOption<R extends Reduction> = 'mean' extends R
  ? {
      /**
       * The way from the per-row losses to the result.
       *
       * @defaultValue 'mean'
       */
      reduction?: R | undefined;
    }
  : {
      /** The way from the per-row losses to the result. */
      reduction: NoInfer<R>;
    };

/**
 * The reduction of a changed criterion: a new one, or where the changes say none that of the old
 * one.
 */
export type Changed<R extends Reduction, S extends Reduction | undefined> =
  | Exclude<S, undefined>
  | (undefined extends S ? R : never);

/**
 * The options of every criterion, beside its reduction. Every option may be left out. As everywhere
 * in this package, an option counts if the object has it itself or by its class, and not if it is
 * one of `Object.prototype`.
 */
export interface CriterionOptions {
  /**
   * The number that `'mean'` divides by instead of the number of rows that count: a number above 0,
   * such as the rows of a whole batch of which this is a shard, or the number of positives. It can
   * also be given per call. `'sum'` and `'none'` divide by nothing.
   */
  normalizer?: number | undefined;
  /**
   * The target of the rows that do not count: their value and gradient are 0, and they leave the
   * mean's denominator. Any integer, also a negative one or one of the classes: the class itself
   * then stays in the softmax of the other rows. Only for class indices.
   *
   * @defaultValue none: every target must be a class
   */
  ignoreIndex?: number | undefined;
  /**
   * The number of classes. Without it, it is `logits.length / targets.length`. With it, a batch
   * whose lengths do not match is an error.
   */
  numClasses?: number | undefined;
}

/** The options that the criteria of softmax classifiers have as well. */
export interface SoftmaxOptions extends CriterionOptions {
  /**
   * The share, in [0, 1], of each row's target that is spread evenly over all classes.
   *
   * @defaultValue 0
   */
  labelSmoothing?: number | undefined;
  /**
   * The order of the logits in memory, and with them gradients and probabilities: `'channels-last'`
   * is `[rows, classes]`, `'channels-first'` is `[samples, classes, positions]`, as segmentation
   * has it. There, class indices, values and whatever there is one of per row are
   * `[samples, positions]`; `numClasses` must be given, and unless a batch is a single sample the
   * call's `spatialSize`.
   *
   * @defaultValue 'channels-last'
   */
  layout?: Layout | undefined;
}

/** The values of options that are left out. */
export const CRITERION_DEFAULTS: Readonly<CommonSettings> = {
  reduction: 'mean',
  normalizer: undefined,
  ignoreIndex: undefined,
  numClasses: undefined,
};

export function checkCriterionOptions(
  settings: CommonSettings,
  fewestClasses: number,
): CommonSettings {
  return {
    reduction: checkChoice('reduction', ['mean', 'sum', 'none'], settings.reduction),
    normalizer: checkNormalizer(settings.normalizer),
    ignoreIndex: checkIgnoreIndex(settings.ignoreIndex),
    numClasses: checkNumClasses(settings.numClasses, fewestClasses),
  };
}

/** The options of the criteria of softmax classifiers, all of them there. */
export interface SoftmaxSettings extends CommonSettings {
  labelSmoothing: number;
  layout: Layout;
}

/** The values of options that are left out. */
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

/** The spec of a softmax loss. */
export function makeSoftmaxSpec(
  settings: SoftmaxSettings,
  own: Omit<OwnParts, 'labelSmoothing' | 'columns' | 'channelsFirst'> &
    Pick<LossSpec, 'indicesOnly'>,
): LossSpec {
  const { labelSmoothing, layout, ignoreIndex } = settings;
  return makeSpec(settings, {
    ...own,
    labelSmoothing,
    channelsFirst: layout === 'channels-first',
    indicesOnly:
      own.indicesOnly ?? (ignoreIndex === undefined ? undefined : 'where ignoreIndex is given'),
  });
}

/** `options`, and where they say nothing what `base` says. The names are those of `defaults`. */
export function overlay<T extends object>(options: object, base: object, defaults: T): T {
  const names = Object.keys(defaults);
  const given = checkOptions(options as Record<string, unknown>, names);
  const result: Record<string, unknown> = Object.create(null);
  for (const name of names) {
    result[name] =
      given[name] === undefined ? (base as Record<string, unknown>)[name] : given[name];
  }
  return result as T;
}
