// The one list of the losses: each class that is exported here is a loss of the package.

export * from './asymmetric.js';
export * from './cross-entropy.js';
export * from './focal.js';
export * from './poly-focal.js';
export * from './sigmoid-focal.js';

/** The name of one of the losses. */
export type LossName =
  | 'AsymmetricLoss'
  | 'CrossEntropyLoss'
  | 'FocalLoss'
  | 'PolyFocalLoss'
  | 'SigmoidFocalLoss';
