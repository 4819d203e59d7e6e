export { FocalLoss } from './focal-loss.js';
export type { FocalLossOptions, ForwardOptions, GradientOptions } from './options.js';
export type {
  ClassIndices,
  FloatArray,
  Fresh,
  LossValue,
  Reduction,
  SameKind,
  ValueAndGrad,
} from './types.js';
export { init } from './wasm.js';
