/**
 * Calls of the functions that look at a classifier and its loss, on fixed inputs made from integers
 * alone, hashed bit by bit. The file imports nothing but the package and the hash, so that any
 * runtime can run it.
 */

import * as library from '../../dist/analysis.js';
import { generator, Hash } from './battery.ts';
import { numbersOf } from './decisions.ts';

/** Logits in steps of 2 ** -10, classes, probabilities of classes in steps of 1/8, and weights. */
function batch(rows: number, classes: number, seed: number) {
  const next = generator(seed);
  const numbers = (length: number, of: () => number) => Float64Array.from({ length }, of);
  const logits = numbers(rows * classes, () => ((next() >>> 8) % 16384) / 1024 - 8);
  const targets = Int32Array.from({ length: rows }, () => (next() >>> 8) % classes);
  const weights = numbers(rows, () => ((next() >>> 8) % 5) / 4);
  const shares = numbers(rows * classes, () => 0);
  for (let row = 0; row < rows; row++) {
    for (let part = 0; part < 8; part++) {
      const place = row * classes + ((next() >>> 8) % classes);
      shares[place] = (shares[place] as number) + 1 / 8;
    }
  }
  return { logits, targets, weights, shares };
}

const { CrossEntropyLoss, FocalLoss, PolyFocalLoss, SigmoidFocalLoss } = library;

/** The reports on a batch. */
function* reports(rows: number, classes: number): Generator<unknown> {
  const { logits, targets, weights, shares } = batch(rows, classes, rows + classes);
  const single = logits.subarray(0, rows);
  const labels = Uint8Array.from(shares, (share) => Number(share > 0.25));
  for (const given of [logits, new Float32Array(logits)]) {
    yield library.classificationReport(given, targets);
    yield library.classificationReport(given, targets, { sampleWeights: weights, topK: 1 });
    yield library.classificationReport(given, shares, { numClasses: classes });
  }
  yield library.classificationReport(
    single,
    targets.map((target) => target % 2),
  );
  yield library.classificationReport(logits, labels, {
    criterion: new SigmoidFocalLoss({ numClasses: classes }),
  });
  const meter = new library.ReportMeter();
  meter.update(logits, targets).update(logits.subarray(0, 7 * classes), targets.subarray(0, 7));
  yield meter.result();
}

/** The diagnoses of a batch. */
function* diagnoses(rows: number, classes: number): Generator<unknown> {
  const { logits, targets, shares } = batch(rows, classes, 3 * rows + classes);
  const labels = Uint8Array.from(shares, (share) => Number(share > 0.25));
  const alpha = Array.from({ length: classes }, (_, j) => 1 / (j + 1));
  const losses = {
    plain: new FocalLoss(),
    power: new FocalLoss({ alpha, gamma: 1.7 }),
    smoothed: new FocalLoss({ alpha, gamma: 2.5, labelSmoothing: 0.1 }),
    target: new FocalLoss({ labelSmoothing: 0.1, focusOn: 'target' }),
    classes: new FocalLoss({ labelSmoothing: 0.1, focusOn: 'class' }),
    poly: new PolyFocalLoss({ gamma: 1.5, epsilon: 0.5 }),
    crossEntropy: new CrossEntropyLoss({ weight: alpha, labelSmoothing: 0.2 }),
  };
  for (const given of [logits, new Float32Array(logits)]) {
    yield library.compareLosses(given, targets, losses);
    for (const loss of Object.values(losses)) yield library.diagnose(given, targets, loss);
    for (const loss of [losses.power, losses.poly, losses.crossEntropy])
      yield library.diagnose(given, shares, loss, { numClasses: classes });
    for (const gamma of [0, 1.3]) {
      const loss = new SigmoidFocalLoss({ numClasses: classes, gamma, labelSmoothing: 0.05 });
      yield library.diagnose(given, labels, loss);
    }
  }
}

/** The results of all calls. */
function* results(): Generator<unknown> {
  for (const [rows, classes] of [
    [61, 2],
    [1000, 2],
    [301, 5],
    [40, 70],
  ] as const) {
    yield* reports(rows, classes);
    yield* diagnoses(rows, classes);
    const { logits, targets } = batch(rows, classes, rows);
    yield library.classBalance(targets, classes);
    yield library.sweep(logits, targets, { gamma: [0, 1.5, 2] });
  }
  for (const options of [{}, { gamma: 1.3, labelSmoothing: 0.1, numClasses: 7 }])
    yield library.lossCurve(options);
  // Scores that differ in their last bits alone are dealt out by these.
  const near = Float64Array.from({ length: 3000 }, (_, i) => 1 + ((i * 1009) % 1500) * 2 ** -52);
  yield library.classificationReport(
    near,
    Uint8Array.from(near, (_, i) => i % 2),
  );
}

/** The hash of all results. */
export function hashOfFigures(): string {
  const hash = new Hash();
  for (const result of results()) for (const number of numbersOf(result)) hash.add(number);
  return hash.toString();
}
