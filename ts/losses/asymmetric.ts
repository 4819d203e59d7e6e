import type { Reduction } from '../arrays/types.js';
import { checkNotNegative, checkNumber, outOfRange } from '../call/checks.js';
import { makeSpec } from '../call/spec.js';
import {
  ASYMMETRIC,
  NO_ALPHA,
  NUMBER_GAMMA,
  NUMBER_GAMMA_NEGATIVE,
  NUMBER_MARGIN,
} from '../module/abi.js';
import { Criterion } from './criterion.js';
import {
  type Changed,
  CRITERION_DEFAULTS,
  type CriterionOptions,
  checkCriterionOptions,
  overlay,
  type ReductionOption,
} from './options.js';

/**
 * The options of an {@link AsymmetricLoss}, beside its reduction: its own, and those of a
 * `SigmoidFocalLoss` that every loss has, of which `ignoreIndex` is a target here. Every option may
 * be left out.
 */
export interface AsymmetricLossParameters extends CriterionOptions {
  /**
   * The strength with which positives that are right already are played down,
   * `gammaPositive >= 0`.
   *
   * @defaultValue 1
   */
  gammaPositive?: number | undefined;
  /**
   * The strength with which negatives that are right already are played down,
   * `gammaNegative >= 0`: the larger one, where most targets are negative.
   *
   * @defaultValue 4
   */
  gammaNegative?: number | undefined;
  /**
   * The amount, in [0, 1), that is taken off the probabilities of negatives, and those below it are
   * taken for 0: such negatives have neither loss nor gradient.
   *
   * @defaultValue 0.05
   */
  margin?: number | undefined;
}

/**
 * The options of an {@link AsymmetricLoss}. Every option may be left out, but for a reduction that
 * is not `'mean'`.
 */
export type AsymmetricLossOptions<R extends Reduction = Reduction> = AsymmetricLossParameters &
  ReductionOption<R>;

const DEFAULTS = { gammaPositive: 1, gammaNegative: 4, margin: 0.05, ...CRITERION_DEFAULTS };

/**
 * The asymmetric loss of independent yes-or-no logits, and its gradient: for many labels of which
 * few are positive (Ridnik et al., Asymmetric Loss For Multi-Label Classification, 2021).
 *
 * With `s = 1 / (1 + exp(-x))` for a logit `x` and its target `y`, and the clipped probability
 * `c = max(s - margin, 0)`, it is `-y * (1 - s) ** gammaPositive * log(s) - (1 - y) * c **
 * gammaNegative * log(1 - c)`. The gradient is the derivative of this, through the focusing factors
 * and the clipping: it is 0 for a negative with `s <= margin`. (The authors' code takes the factors
 * for constants by default, which is another gradient and is not offered here.)
 *
 * Targets, `numClasses`, `sampleWeights`, `gradOutput` and reductions are those of a
 * `SigmoidFocalLoss`: every logit is a row by itself.
 *
 * @example
 * ```ts
 * import { AsymmetricLoss } from 'focal-loss';
 *
 * const criterion = new AsymmetricLoss({ margin: 0.25, reduction: 'none' });
 * // s is 1/2. The positive: log(2) / 2. The negative, clipped to 1/4: (1/4) ** 4 * log(4 / 3).
 * const losses = criterion.forward(Float64Array.of(0, 0), Uint8Array.of(1, 0));
 * losses[0]; // => 0.3465735902799727
 * losses[1]; // => 0.0011237580955147691
 * ```
 */
export class AsymmetricLoss<R extends Reduction = 'mean'> extends Criterion<R> {
  /** The exponent of the focusing factor of positives. */
  declare readonly gammaPositive: number;
  /** The exponent of the focusing factor of negatives. */
  declare readonly gammaNegative: number;
  /** The amount that is taken off the probabilities of negatives. */
  declare readonly margin: number;

  /**
   * The asymmetric loss with these options, which are its properties from then on, and never
   * change.
   *
   * @param options - Those left out are: gammaPositive 1, gammaNegative 4, margin 0.05, the mean.
   * @throws TypeError for an unknown option, and RangeError for a value that an option cannot have.
   */
  constructor(options: AsymmetricLossOptions<R> = {} as AsymmetricLossOptions<R>) {
    const settings = overlay(options, DEFAULTS, DEFAULTS);
    const gammaPositive = checkNotNegative('gammaPositive', settings.gammaPositive);
    const gammaNegative = checkNotNegative('gammaNegative', settings.gammaNegative);
    const { margin } = settings;
    checkNumber('margin', 'a number', margin);
    if (!(margin >= 0 && margin < 1)) throw outOfRange('margin', 'in [0, 1)', margin);
    const checked = {
      gammaPositive,
      gammaNegative,
      margin: margin + 0,
      ...checkCriterionOptions(settings, 1),
    };
    const spec = makeSpec(checked, {
      flags: ASYMMETRIC | NO_ALPHA,
      numbers: {
        [NUMBER_GAMMA]: gammaPositive,
        [NUMBER_GAMMA_NEGATIVE]: gammaNegative,
        [NUMBER_MARGIN]: margin,
      },
      perClass: [],
      sizes: [margin],
      columns: 1,
    });
    super(checked, spec);
  }

  /**
   * A copy with some options changed. What is left out or `undefined` stays as it is.
   */
  with<S extends Reduction | undefined = undefined>(
    changes: AsymmetricLossParameters & { reduction?: S },
  ): AsymmetricLoss<Changed<R, NoInfer<S>>> {
    return create(overlay(changes, this, DEFAULTS));
  }
}

/** Kept out of the class: one that names itself is given another name when it is bundled. */
function create<R extends Reduction>(options: object): AsymmetricLoss<R> {
  return new AsymmetricLoss(options as AsymmetricLossOptions<R>);
}
