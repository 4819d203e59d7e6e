// What every function of focal-loss/analysis gives, with the digits that all engines agree on: exp and log are their own in it.
import * as analysis from 'focal-loss/analysis';
import { hashOfDecisions } from './decisions.js';
import { hashOfFigures } from './figures.js';
import { hashOfPosteriors } from './posteriors.js';

const round = (_, value) => {
  if (ArrayBuffer.isView(value)) return Array.from(value);
  return typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(9)) : value;
};

export async function analyse() {
  const { FocalLoss, CrossEntropyLoss, LossMeter } = analysis;
  const logits = Float64Array.from({ length: 60 }, (_, i) => 3 * Math.sin(i * i));
  const targets = Uint8Array.from({ length: 20 }, (_, row) => (row * row) % 3);
  const criterion = new FocalLoss({ alpha: [1, 2, 4] });
  const grid = { gamma: [0, 1.5, 2], labelSmoothing: [0, 0.1] };
  const meter = new LossMeter(criterion).update(logits, targets);
  const results = {
    classBalance: analysis.classBalance(targets),
    compareLosses: analysis.compareLosses(logits, targets, {
      criterion,
      plain: new CrossEntropyLoss(),
    }),
    classificationReport: analysis.classificationReport(logits, targets),
    classificationReportAsync: await analysis.classificationReportAsync(logits, targets, {
      beta: 2,
      averageOver: 'all',
    }),
    diagnose: analysis.diagnose(logits, targets, criterion),
    rocCurve: analysis.rocCurve(logits, targets, { positive: 'each' }),
    precisionRecallCurve: analysis.precisionRecallCurve(logits, targets, { positive: 1 }),
    calibrationCurve: analysis.calibrationCurve(logits, targets, { positive: 1 }),
    decisionCurve: analysis.decisionCurve(logits, targets, { positive: 1, thresholds: [0.2, 0.4] }),
    chooseThreshold: analysis.chooseThreshold(logits, targets, { positive: 1 }),
    intervals: analysis.classificationReport(logits, targets, { intervals: { repeats: 20 } })
      .intervals,
    compareModels: analysis.compareModels(logits, logits.map(Math.abs), targets, { repeats: 20 }),
    reportMeter: analysis.ReportMeter.fromJSON(
      JSON.parse(JSON.stringify(new analysis.ReportMeter().update(logits, targets))),
    ).result(),
    fitCalibration: analysis.Calibrator.fromJSON(
      JSON.parse(JSON.stringify(analysis.fitCalibration(logits, targets, { method: 'platt' }))),
    ).apply(logits),
    posterior: analysis.posterior(logits, criterion),
    // All bits of many calls, each as its test pins it.
    hashes: {
      decisions: hashOfDecisions(),
      figures: hashOfFigures(),
      posteriors: hashOfPosteriors(),
    },
    logSoftmax: analysis.logSoftmax(logits, 3),
    lossCurve: analysis.lossCurve({ points: 5 }),
    meter: LossMeter.fromJSON(JSON.parse(JSON.stringify(meter)))
      .merge(meter)
      .result(),
    predict: analysis.predict(logits, 3),
    softmax: analysis.softmax(logits, 3),
    stages: analysis.stages([{ until: 2, gamma: 0 }, {}], criterion)(1).gamma,
    sweep: analysis.sweep(logits, targets, grid),
    sweepAsync: await analysis.sweepAsync(logits, targets, grid),
  };
  return JSON.stringify(results, round);
}
