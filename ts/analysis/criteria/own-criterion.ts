// Losses of any entry of this package, made again of the classes of this one, whose module can do more.

import type { Reduction } from '../../arrays/types.js';
import { wrongType } from '../../call/checks.js';
import type { Criterion } from '../../losses/criterion.js';
import { CrossEntropyLoss } from '../../losses/cross-entropy.js';
import { FocalLoss } from '../../losses/focal.js';
import { SigmoidFocalLoss } from '../../losses/sigmoid-focal.js';

/** A loss of this package, whichever entry it is from. */
export interface AnyCriterion {
  /** What becomes of the per-row losses. */
  readonly reduction: Reduction;
  /** What `'mean'` divides by, where it was given. */
  readonly normalizer: number | undefined;
  /** The target of rows that do not count, where it was given. */
  readonly ignoreIndex: number | undefined;
  /** The number of classes, where it was given. */
  readonly numClasses: number | undefined;
}

const CLASSES = { FocalLoss, SigmoidFocalLoss, CrossEntropyLoss };

/** The name of one of the losses. */
export type LossName = 'FocalLoss' | 'SigmoidFocalLoss' | 'CrossEntropyLoss';

/** Which loss a criterion is. Each has an option that no other has. */
export function nameOf(criterion: AnyCriterion): LossName {
  if (typeof criterion === 'object' && criterion !== null) {
    if (Object.hasOwn(criterion, 'focusOn')) return 'FocalLoss';
    if (Object.hasOwn(criterion, 'posWeight')) return 'SigmoidFocalLoss';
    if (Object.hasOwn(criterion, 'weight')) return 'CrossEntropyLoss';
  }
  throw wrongType('criterion', 'a loss of this package', criterion);
}

/** The loss of that name and these options, all of which are checked. It adds up the values of its rows. */
export function makeSum(name: LossName, options: object): Criterion<'sum'> {
  const Loss = CLASSES[name] as new (options: object) => unknown as new (options: object) => Criterion<'sum'>;
  return new Loss({ ...options, reduction: 'sum' });
}

export function isLossName(name: unknown): name is LossName {
  return typeof name === 'string' && Object.hasOwn(CLASSES, name);
}
