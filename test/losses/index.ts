import * as library from 'focal-loss';
import { crossEntropyLoss } from './cross-entropy.js';
import { focalLoss } from './focal.js';
import type { LossTests } from './loss-tests.js';
import { sigmoidFocalLoss } from './sigmoid-focal.js';

export type { AnyCriterion, AnyLoss, LossTests } from './loss-tests.js';

/** Every loss of the package, for the tests of all losses. */
export const LOSSES: readonly LossTests[] = [focalLoss, crossEntropyLoss, sigmoidFocalLoss];

/** The losses that the package exports, by the names of their classes. */
export const EXPORTED = Object.entries(library)
  .filter(([, value]) => typeof value === 'function' && value.prototype instanceof library.Criterion)
  .map(([name]) => name);
