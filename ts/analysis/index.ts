export * from '../api.js';
export { init } from '../init.js';
export type { ExactSumState } from './exact-sum.js';
export { LossMeter, type MeterOptions, type MeterResult, type MeterState } from './loss-meter.js';
export type { AnyCriterion, LossName } from './own-criterion.js';
export { logSoftmax, type Prediction, type PredictOptions, predict, type SoftmaxOutput, softmax } from './softmax.js';
export {
  type SweepAsyncOptions,
  type SweepOptions,
  type SweepRow,
  type SweepSetting,
  type SweepTable,
  sweep,
  sweepAsync,
} from './sweep.js';
