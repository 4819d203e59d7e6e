/**
 * The losses on all cores: a pool of workers, with the methods of the criteria, which return
 * promises of the same bits.
 *
 * @module focal-loss/pool
 */

export type { AnyPool, PoolAnalysis, PoolSignal } from './analysis/rows/pooled.js';
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
export type { ClassIndices, FloatArray, Reduction } from './arrays/types.js';
export type { ForwardOptions, GradientOptions, GradOutput } from './call/options.js';
export { createPool } from './pool/pool.js';
export type {
  LoadedData,
  LoadOptions,
  Pool,
  PoolCallOptions,
  PoolData,
  PooledCriterion,
  PoolForwardOptions,
  PoolGradientOptions,
  PoolOptions,
  PoolReportOptions,
  PoolSweepOptions,
  PoolWorker,
  WorkerPool,
} from './pool/types.js';
