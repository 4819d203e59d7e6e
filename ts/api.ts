// What all entries with losses have in common: everything but `init`.

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
} from './arrays/types.js';
export { type Allocation, allocate, type ResidentArrays } from './call/allocation.js';
export type {
  Changed,
  CriterionOptions,
  ForwardOptions,
  GradientOptions,
  GradOutput,
  HessianOptions,
  ReductionOption,
  SoftmaxOptions,
} from './call/options.js';
export type { PlainArray, PlainTarget, Shape } from './call/plain-arrays.js';
export type {
  Labels,
  Logits,
  Targets,
  TensorData,
  TensorLike,
  TensorWithDims,
  TensorWithShape,
} from './call/tensor-like.js';
export { Criterion } from './losses/criterion.js';
export {
  CrossEntropyLoss,
  type CrossEntropyLossOptions,
  type CrossEntropyLossParameters,
} from './losses/cross-entropy.js';
export { FocalLoss, type FocalLossOptions, type FocalLossParameters } from './losses/focal.js';
export {
  SigmoidFocalLoss,
  type SigmoidFocalLossOptions,
  type SigmoidFocalLossParameters,
} from './losses/sigmoid-focal.js';
export { ModuleError } from './module/module-error.js';
