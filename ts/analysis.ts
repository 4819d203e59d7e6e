// `focal-loss/analysis`: the losses, and what helps to choose, compare and debug them.

export type {
  AnalysedCriterion,
  AsymmetricCriterion,
  DiagnosedCriterion,
  SigmoidCriterion,
  SoftmaxCriterion,
} from './analysis/criteria/criterion.js';
export type { AnyCriterion } from './analysis/criteria/own-criterion.js';
export {
  type ApplyOptions,
  type CalibrationFigures,
  type CalibrationMethod,
  type CalibrationParameters,
  Calibrator,
  type CalibratorState,
} from './analysis/decisions/calibration/calibrator.js';
export type { CalibrationOutcome } from './analysis/decisions/calibration/evidence.js';
export {
  type FitCalibrationOptions,
  fitCalibration,
} from './analysis/decisions/calibration/fit-calibration.js';
export type { IsotonicParameters } from './analysis/decisions/calibration/isotonic.js';
export type { LossState } from './analysis/decisions/calibration/meaning.js';
export type { PlattParameters } from './analysis/decisions/calibration/platt.js';
export type { TemperatureParameters } from './analysis/decisions/calibration/temperature.js';
export {
  type CompareModelsOptions,
  compareModels,
  type ModelComparison,
  type ModelDifference,
  type ModelTest,
} from './analysis/decisions/comparison/compare-models.js';
export {
  type CalibrationCurve,
  type CalibrationCurveOptions,
  calibrationCurve,
} from './analysis/decisions/curves/calibration-curve.js';
export {
  type ChooseThresholdOptions,
  chooseThreshold,
  type DecisionCosts,
  type LeastFigures,
  type ThresholdChoice,
  type ThresholdCriterion,
  type ThresholdTable,
} from './analysis/decisions/curves/choose-threshold.js';
export type { CurveOptions, PerClass } from './analysis/decisions/curves/columns.js';
export {
  type DecisionCurve,
  type DecisionCurveOptions,
  decisionCurve,
} from './analysis/decisions/curves/decision-curve.js';
export {
  type PrecisionRecallCurve,
  precisionRecallCurve,
  type RocCurve,
  rocCurve,
  type ThresholdCurveOptions,
} from './analysis/decisions/curves/roc-curve.js';
export {
  type Compared,
  type ComparedPair,
  compareLosses,
  compareLossesAsync,
  type LossComparison,
} from './analysis/diagnose/compare-losses.js';
export {
  type DiagnoseAsyncOptions,
  type DiagnoseOptions,
  diagnose,
  diagnoseAsync,
} from './analysis/diagnose/diagnose.js';
export type {
  Advice,
  AdviceCode,
  ClassDiagnosis,
  ColumnDiagnosis,
  Diagnosis,
  Summary,
} from './analysis/diagnose/result.js';
export type { ExactSumState } from './analysis/meter/exact-sum.js';
export type { LabelScoresState, ScoreSumState } from './analysis/meter/label-scores.js';
export {
  type AnyMeter,
  LossMeter,
  type MeterOptions,
  type MeterResult,
  type MeterState,
  type PooledMeterOptions,
} from './analysis/meter/loss-meter.js';
export {
  type PooledReportOptions,
  ReportMeter,
  type ReportMeterOptions,
  type ReportMeterState,
  type ReportUpdateOptions,
} from './analysis/meter/report-meter.js';
export {
  type PosteriorOptions,
  posterior,
} from './analysis/posterior/posterior.js';
export type { Priors } from './analysis/posterior/priors.js';
export type { Calibration, CalibrationBin } from './analysis/report/calibration.js';
export type {
  ClassIntervals,
  IntervalOptions,
  ReportIntervals,
  ScoreIntervals,
} from './analysis/report/intervals.js';
export {
  classificationReport,
  classificationReportAsync,
  type ReportAsyncOptions,
  type ReportOptions,
} from './analysis/report/report.js';
export type { ClassificationReport } from './analysis/report/result.js';
export type { ClassScores, Scores } from './analysis/report/scores.js';
export type { AnyPool, PoolAnalysis, PooledOptions, PoolSignal } from './analysis/rows/pooled.js';
export type { RowOptions } from './analysis/rows/rows.js';
export type { Signal, TurnOptions } from './analysis/rows/turns.js';
export {
  type ClassBalance,
  type ClassBalanceOptions,
  classBalance,
} from './analysis/settings/class-balance.js';
export {
  type ClassIndicesOptions,
  type ClassLabel,
  classIndices,
  type EncodedLabels,
} from './analysis/settings/class-indices.js';
export {
  type LossCurve,
  type LossCurveOptions,
  lossCurve,
} from './analysis/settings/loss-curve.js';
export {
  type MultiLabelBalance,
  type MultiLabelBalanceOptions,
  multiLabelBalance,
} from './analysis/settings/multi-label-balance.js';
export { type Stage, stages } from './analysis/settings/stages.js';
export { probabilitiesToLogits } from './analysis/softmax/probabilities.js';
export {
  logSoftmax,
  type Prediction,
  type PredictOptions,
  predict,
  type SoftmaxOutput,
  softmax,
} from './analysis/softmax/softmax.js';
export type { SweepRow, SweepTable } from './analysis/sweep/result.js';
export {
  type SweepAsyncOptions,
  type SweepOptions,
  type SweepSetting,
  sweep,
  sweepAsync,
} from './analysis/sweep/sweep.js';
export type { Interval, IntervalMethod } from './analysis/uncertainty/bootstrap.js';
export * from './api.js';
export { init } from './module/init.js';
export { poolAnalysis } from './pool/analysis.js';
