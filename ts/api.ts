// The common part of all entries with losses: everything but `init`.

export type {
  Fresh,
  KindOf,
  KindOfData,
  Labels,
  Logits,
  LossValue,
  PlainArray,
  PlainTarget,
  SameKind,
  Shape,
  Targets,
  TensorData,
  TensorLike,
  TensorWithDims,
  TensorWithShape,
  ValueAndGrad,
} from './arrays/tensor-types.js';
export type { ClassIndices, FloatArray, Layout, Reduction } from './arrays/types.js';
export { type Allocation, allocate, type ResidentArrays } from './call/allocation.js';
export type {
  ForwardOptions,
  GradientOptions,
  GradOutput,
  HessianOptions,
} from './call/options.js';
export { Criterion } from './losses/criterion.js';
export * from './losses/index.js';
export type {
  Changed,
  CriterionOptions,
  ReductionOption,
  SoftmaxOptions,
} from './losses/options.js';
export { type Environment, environment } from './module/environment.js';
export { ModuleError } from './module/module-error.js';
