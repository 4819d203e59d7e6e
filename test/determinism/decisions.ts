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
    // Logarithms of probabilities, by which rows of more classes are ordered, are those of `Math`.
    if (classes > 2) continue;
    const options = { sampleWeights: weights, positive: 'each' } as const;
    const other = batch(rows, classes, 2 * rows);
    const { auc } = library.compareModels(logits, other.logits, targets, { repeats: 2 });
    yield auc;
    yield library.rocCurve(logits, targets, options);
    yield library.precisionRecallCurve(logits, targets, options);
    yield library.calibrationCurve(logits, targets, options);
    yield library.calibrationCurve(logits, targets, { strategy: 'quantile' });
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
