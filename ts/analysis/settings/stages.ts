import { said } from '../../arrays/own.js';
import { checkInteger, outOfRange, wrongType } from '../../call/checks.js';
import { FocalLoss, type FocalLossOptions } from '../../losses/focal.js';
import { checkCriterion, type SoftmaxCriterion } from '../criteria/criterion.js';

/** Options that hold for a while. */
export type Stage<O extends object = FocalLossOptions> = Omit<O, 'reduction'> & {
  /**
   * The epoch before which the stage ends, counted from 0. The last stage may go without, and never
   * ends then.
   */
  until?: number | undefined;
};

/**
 * A loss whose options change as training goes on: warm up gently, focus, fine-tune.
 *
 * Each stage is the criterion `with` the stage's own options: nothing is carried over from the
 * stage before. All criteria are made at once, so that a mistake in the last stage shows before the
 * first epoch.
 *
 * @param stages - The stages, one after the other. `until` says where each ends.
 * @param criterion - What the stages change. A {@link FocalLoss} with the default options unless
 *   another is given.
 * @returns A function from the epoch, counted from 0, to its criterion; the same object for all
 *   epochs of a stage.
 * @throws RangeError for stages that do not follow each other or, from the function, for an epoch
 *   after the last; and what the criterion throws for the options.
 *
 * @example
 * ```ts
 * import { FocalLoss, stages } from 'focal-loss/analysis';
 *
 * const criterionOf = stages(
 *   [{ until: 5, gamma: 1 }, { until: 20, gamma: 2 }, { gamma: 3, labelSmoothing: 0.1 }],
 *   new FocalLoss({ alpha: 0.75 }),
 * );
 * criterionOf(0).gamma; // => 1
 * criterionOf(5).gamma; // => 2
 * criterionOf(100).labelSmoothing; // => 0.1
 * criterionOf(100).alpha; // => 0.75
 * ```
 */
export function stages<C extends SoftmaxCriterion = FocalLoss>(
  stages: readonly Stage<Parameters<C['with']>[0]>[],
  // Where it is left out, it is what `C` is by default.
  criterion: C = new FocalLoss() as SoftmaxCriterion as C,
): (epoch: number) => C {
  checkCriterion('criterion', criterion);
  if (!Array.isArray(stages)) throw wrongType('stages', 'an array', stages);
  if (stages.length === 0) throw new RangeError('stages must not be empty');
  const ends: number[] = [];
  const criteria = stages.map((stage, i) => {
    if (typeof stage !== 'object' || stage === null)
      throw wrongType(`stages[${i}]`, 'an object', stage);
    const { until: given, ...options } = stage;
    const until = said(stage, 'until', given);
    ends.push(checkEnd(`stages[${i}].until`, until, ends.at(-1) ?? 0, i === stages.length - 1));
    if (Object.hasOwn(options, 'reduction'))
      throw new TypeError(`stages[${i}]: the reduction is that of the criterion`);
    return change(criterion, options, `stages[${i}]`);
  });
  return (epoch) => {
    checkInteger('epoch', 0, Number.MAX_SAFE_INTEGER, epoch);
    const stage = criteria[ends.findIndex((end) => epoch < end)];
    if (stage === undefined)
      throw outOfRange('epoch', `below ${ends.at(-1)}, where the last stage ends`, epoch);
    return stage;
  };
}

function checkEnd(name: string, until: number | undefined, start: number, isLast: boolean): number {
  if (until === undefined) {
    if (isLast) return Infinity;
    throw new TypeError(`${name} must be given, unless the stage is the last`);
  }
  return checkInteger(name, start + 1, Number.MAX_SAFE_INTEGER, until);
}

/** The criterion with other options; errors say of which stage. */
function change<C extends SoftmaxCriterion>(criterion: C, options: object, name: string): C {
  try {
    return criterion.with(options) as C;
  } catch (error) {
    if (error instanceof Error) error.message = `${name}: ${error.message}`;
    throw error;
  }
}
