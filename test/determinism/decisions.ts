/**
 * Calls of the functions that lead from logits to decisions, on fixed inputs made from integers
 * alone, hashed bit by bit. The file imports nothing but the package and the hash, so that any
 * runtime can run it.
 */

import * as library from '../../dist/analysis.js';
import { generator, Hash } from './battery.ts';

/** Every number in a value, in the order of its fields. */
export function* numbersOf(value: unknown): Generator<number> {
  if (typeof value === 'number') yield value;
  else if (ArrayBuffer.isView(value)) yield* value as Float64Array;
  else if (typeof value === 'object' && value !== null)
    for (const entry of Object.values(value)) yield* numbersOf(entry);
}

/** Logits in steps of 2 ** -10, and classes that they are right about in two rows of three. */
function batch(rows: number, classes: number, seed: number) {
  const next = generator(seed);
  const logits = Float64Array.from(
    { length: rows * classes },
    () => ((next() >>> 8) % 8192) / 1024 - 4,
  );
  const targets = Int32Array.from({ length: rows }, (_, row) => {
    const own = logits.subarray(row * classes, (row + 1) * classes);
    return next() % 3 === 0 ? next() % classes : own.indexOf(Math.max(...own));
  });
  const weights = Float64Array.from({ length: rows }, () => (next() % 5) / 4);
  return { logits, targets, weights };
}

/** The intervals of a report, and two models side by side: many resamples and few. */
function* comparisons(classes: number): Generator<unknown> {
  const rows = 40;
  const { logits, targets, weights } = batch(rows, classes, rows + classes);
  const other = batch(rows, classes, 2 * rows).logits;
  const groups = targets.map((_, row) => row >> 2);
  for (const given of [{}, { groups }, { method: 'percentile', level: 0.8, seed: 7 }] as const) {
    const intervals = { repeats: 25, ...given };
    yield library.classificationReport(logits, targets, { intervals }).intervals;
    yield library.compareModels(logits, other, targets, intervals);
  }
  const losses = [new library.FocalLoss(), new library.CrossEntropyLoss()] as const;
  yield library.compareModels(logits, other, targets, {
    repeats: 5,
    sampleWeights: weights,
    criterion: losses,
  });
}

/** Rows of several labels: their calibrations, two models on them, and a meter. */
function* ofLabels(rows: number, classes: number): Generator<unknown> {
  const { logits, weights } = batch(rows, classes, 3 * rows + classes);
  const targets = logits.map((logit, k) => Number(logit + (k % 5) > 2));
  const criterion = new library.SigmoidFocalLoss({ numClasses: classes, labelSmoothing: 0.05 });
  for (const method of ['temperature', 'platt', 'isotonic'] as const) {
    const options = { method, criterion, sampleWeights: weights };
    const calibrator = library.fitCalibration(logits, targets, options);
    yield [calibrator.parameters, calibrator.apply(logits)];
  }
  const others = logits.map((logit, k) => logit - (k % 3));
  yield library.compareModels(logits, others, targets, { criterion, repeats: 10 });
  const meter = new library.ReportMeter({ criterion }).update(logits, targets);
  yield library.ReportMeter.fromJSON(JSON.parse(JSON.stringify(meter))).result();
}

/** The results of all calls. */
function* results(): Generator<unknown> {
  for (const [rows, classes] of [
    [40, 2],
    [301, 2],
    [200, 4],
  ] as const) {
    const { logits, targets, weights } = batch(rows, classes, rows + classes);
    for (const method of ['temperature', 'platt', 'isotonic'] as const) {
      const calibrator = library.fitCalibration(logits, targets, {
        method,
        sampleWeights: weights,
      });
      yield [
        calibrator.parameters,
        calibrator.apply(logits),
        calibrator.apply(logits, { output: 'logits' }),
      ];
    }
    yield* comparisons(classes);
    yield* ofLabels(rows, classes);
    const options = { sampleWeights: weights, positive: 'each' } as const;
    yield library.rocCurve(logits, targets, options);
    yield library.precisionRecallCurve(logits, targets, options);
    yield library.calibrationCurve(logits, targets, options);
    yield library.calibrationCurve(logits, targets, { strategy: 'quantile', positive: 1 });
    yield library.decisionCurve(logits, targets, options);
    yield library.chooseThreshold(logits, targets, options);
  }
}

/** The hash of all results. */
export function hashOfDecisions(): string {
  const hash = new Hash();
  for (const result of results()) for (const number of numbersOf(result)) hash.add(number);
  return hash.toString();
}
