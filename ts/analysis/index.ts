// `focal-loss/analysis`: the losses, and what helps to choose, compare and debug them.

export * from '../api.js';
export { init } from '../init.js';
export type { Advice, AdviceCode } from './advice.js';
export type { Calibration, CalibrationBin } from './calibration.js';
export { type ClassBalance, type ClassBalanceOptions, classBalance } from './class-balance.js';
export { type ClassIndicesOptions, type ClassLabel, classIndices, type EncodedLabels } from './class-indices.js';
export {
  type Compared,
  type ComparedPair,
  compareLosses,
  compareLossesAsync,
  type LossComparison,
} from './compare-losses.js';
export type { AnalysedCriterion, DiagnosedCriterion, SigmoidCriterion, SoftmaxCriterion } from './criterion.js';
export {
  type ClassDiagnosis,
  type ColumnDiagnosis,
  type DiagnoseAsyncOptions,
  type DiagnoseOptions,
  type Diagnosis,
  diagnose,
  diagnoseAsync,
  type Summary,
} from './diagnose.js';
export type { ExactSumState } from './exact-sum.js';
export { type LossCurve, type LossCurveOptions, lossCurve } from './loss-curve.js';
export { type AnyMeter, LossMeter, type MeterOptions, type MeterResult, type MeterState } from './loss-meter.js';
export { type MultiLabelBalance, type MultiLabelBalanceOptions, multiLabelBalance } from './multi-label-balance.js';
export type { AnyCriterion, LossName } from './own-criterion.js';
export { probabilitiesToLogits } from './probabilities.js';
export {
  type ClassificationReport,
  classificationReport,
  classificationReportAsync,
  type ReportAsyncOptions,
  type ReportOptions,
} from './report.js';
export type { RowOptions } from './rows.js';
export type { ClassScores, Scores } from './scores.js';
export { logSoftmax, type Prediction, type PredictOptions, predict, type SoftmaxOutput, softmax } from './softmax.js';
export { type Stage, stages } from './stages.js';
export {
  type SweepAsyncOptions,
  type SweepOptions,
  type SweepRow,
  type SweepSetting,
  type SweepTable,
  sweep,
  sweepAsync,
} from './sweep.js';
export type { Signal, TurnOptions } from './turns.js';
