import { inspect } from 'node:util';
import * as analysis from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';

// Everything that the analysis returns says something in a template string and on a console.

const { FocalLoss, LossMeter, ReportMeter, SigmoidFocalLoss } = analysis;
const rows = 40;
const logits = Float64Array.from({ length: 2 * rows }, (_, i) => Math.sin(7 * i));
const targets = Uint8Array.from({ length: rows }, (_, i) => Number(i % 3 === 0));
const focal = new FocalLoss();
const meter = () => new LossMeter(focal).update(logits, targets);
const reportMeter = () => new ReportMeter().update(logits, targets);

const RESULTS: Record<string, () => unknown> = {
  classificationReport: () => analysis.classificationReport(logits, targets),
  diagnose: () => analysis.diagnose(logits, targets, focal),
  compareLosses: () => analysis.compareLosses(logits, targets, { focal }),
  compareModels: () =>
    analysis.compareModels(logits, logits.map(Math.abs), targets, { repeats: 2 }),
  classBalance: () => analysis.classBalance(targets),
  multiLabelBalance: () => analysis.multiLabelBalance(Uint8Array.of(1, 0, 0, 1), 2),
  classIndices: () => analysis.classIndices(['a', 'b']),
  sweep: () => analysis.sweep(logits, targets, { gamma: [0, 2] }),
  lossCurve: () => analysis.lossCurve({ points: 5 }),
  predict: () => analysis.predict(logits, 2),
  rocCurve: () => analysis.rocCurve(logits, targets),
  'rocCurve of each class': () => analysis.rocCurve(logits, targets, { positive: 'each' }),
  precisionRecallCurve: () => analysis.precisionRecallCurve(logits, targets),
  calibrationCurve: () => analysis.calibrationCurve(logits, targets),
  decisionCurve: () => analysis.decisionCurve(logits, targets),
  chooseThreshold: () => analysis.chooseThreshold(logits, targets),
  fitCalibration: () => analysis.fitCalibration(logits, targets),
  LossMeter: meter,
  'LossMeter without rows': () => new LossMeter(focal),
  'LossMeter.result': () => meter().result(),
  ReportMeter: reportMeter,
  'ReportMeter without rows': () => new ReportMeter(),
  'ReportMeter.result': () => reportMeter().result(),
};

describe('in a template string and on a console', () => {
  it.each(Object.entries(RESULTS))('%s', (_, make) => {
    const result = make();
    const text = `${result}`;
    expect(text).not.toMatch(/\[object|undefined/);
    expect(text.length).toBeGreaterThan(10);
    const printed = inspect(result);
    for (const line of text.split('\n').slice(0, 2))
      if (!Array.isArray(result)) expect(printed).toContain(line);
  });

  it('meters say how many rows there were, and what came of them', () => {
    const { mean } = meter().result();
    expect(`${meter()}`).toContain('LossMeter of FocalLoss');
    expect(`${meter()}`).toMatch(/^rows +40$/m);
    expect(`${meter()}`).toContain(String(Number(mean.toPrecision(6))));
    expect(`${reportMeter()}`).toContain(`${reportMeter().result()}`);
  });
});

describe('logits that look like probabilities', () => {
  const probabilities = analysis.softmax(logits, 2);
  const single = Float64Array.from({ length: rows }, (_, i) => probabilities[2 * i + 1] as number);
  const warned: Record<string, (given: Float64Array) => { readonly warning: string | undefined }> =
    {
      rocCurve: (given) => analysis.rocCurve(given, targets),
      precisionRecallCurve: (given) => analysis.precisionRecallCurve(given, targets),
      calibrationCurve: (given) => analysis.calibrationCurve(given, targets),
      decisionCurve: (given) => analysis.decisionCurve(given, targets),
      chooseThreshold: (given) => analysis.chooseThreshold(given, targets),
      fitCalibration: (given) => analysis.fitCalibration(given, targets),
      sweep: (given) => analysis.sweep(given, targets),
      classificationReport: (given) => analysis.classificationReport(given, targets),
    };

  it.each(Object.entries(warned))('%s says so', (_, call) => {
    const { warning } = call(probabilities);
    expect(warning).toMatch(/^The logits look like probabilities/);
    expect(call(single).warning).toBe(warning);
    expect(`${call(probabilities)}`).toContain('look like probabilities');
    expect(call(logits).warning).toBeUndefined();
    expect(call(single.map((p) => Math.log(p / (1 - p)))).warning).toBeUndefined();
    // A few numbers in [0, 1] may well be logits.
    expect(`${call(logits)}`).not.toContain('probabilities:');
  });

  it('of several labels, and of a class that is looked for among more', () => {
    const criterion = new SigmoidFocalLoss({ numClasses: 2 });
    const yes = Uint8Array.from(logits, (x) => Number(x > 0));
    const each = analysis.rocCurve(probabilities, yes, { criterion, positive: 'each' });
    for (const curve of each) expect(curve.warning).toMatch(/look like probabilities/);
    expect(analysis.sweep(probabilities, yes, { criterion }).warning).toMatch(/look like/);
    expect(analysis.sweep(logits, yes, { criterion }).warning).toBeUndefined();
  });

  it('a sweep in turns says so, too', async () => {
    const { warning } = await analysis.sweepAsync(probabilities, targets);
    expect(warning).toBe(analysis.sweep(probabilities, targets).warning);
    expect(warning).toBeDefined();
  });
});
