// What all entries with losses have in common: everything but `init`.

export { type Allocation, allocate, type ResidentArrays } from './allocation.js';
export { Criterion } from './criterion.js';
export {
  CrossEntropyLoss,
  type CrossEntropyLossOptions,
  type CrossEntropyLossParameters,
} from './cross-entropy-loss.js';
export { FocalLoss, type FocalLossOptions, type FocalLossParameters } from './focal-loss.js';
export { ModuleError } from './module-error.js';
export type {
  Changed,
  CriterionOptions,
  ForwardOptions,
  GradientOptions,
  GradOutput,
  HessianOptions,
  ReductionOption,
  SoftmaxOptions,
} from './options.js';
export type { PlainArray, PlainTarget, Shape } from './plain-arrays.js';
export {
  SigmoidFocalLoss,
  type SigmoidFocalLossOptions,
  type SigmoidFocalLossParameters,
} from './sigmoid-focal-loss.js';
export type {
  Labels,
  Logits,
  Targets,
  TensorData,
  TensorLike,
  TensorWithDims,
  TensorWithShape,
} from './tensor-like.js';
export type {
  ClassIndices,
  FloatArray,
  Fresh,
  KindOf,
  KindOfData,
  Layout,
  LossValue,
  Reduction,
  SameKind,
  ValueAndGrad,
} from './types.js';
