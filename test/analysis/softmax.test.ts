import { allocate, type FloatArray, logSoftmax, predict, softmax } from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.ts';
import { randomBatch, splitRows, sum } from '../support/batch.ts';
import { expectSameBits } from '../support/bits.ts';
import { dtypes, float32, float64 } from '../support/dtypes.ts';
import { expectFailure } from '../support/failure.ts';

const CLASSES = [2, 3, 4, 5, 8, 23, 64, 65, 131, 1000];

/**
 * Probabilities and their logarithms in float64, all relative to the largest logit, which is left
 * out of the sum.
 */
function oracle(row: ArrayLike<number>) {
  const x = Array.from(row);
  const top = Math.max(...x);
  const largest = x.indexOf(top);
  const odds = x.map((xj) => Math.exp(xj - top));
  // Kahan's sum: a plain one of a thousand terms would be less exact than what it is to judge.
  let others = 0;
  let lost = 0;
  for (const [j, e] of odds.entries()) {
    if (j === largest) continue;
    const term = e - lost;
    const sum = others + term;
    lost = sum - others - term;
    others = sum;
  }
  return {
    largest,
    p: odds.map((e) => e / (1 + others)),
    logP: x.map((xj) => xj - top - Math.log1p(others)),
  };
}

/**
 * The error that is allowed: the oracle itself is good to a few units of float64, more where an
 * exponent is large.
 */
const slack = (dtype: typeof float32, exponent: number) =>
  dtype === float64 ? 4e-16 * (2 + Math.abs(exponent)) : 0;

describe.each(dtypes)('$name', (dtype) => {
  it('every probability, logarithm and confidence is right by itself', () => {
    const [probabilities, logarithms, confidences] = [
      new Accuracy(dtype),
      new Accuracy(dtype),
      new Accuracy(dtype),
    ];
    let [entries, rows] = [0, 0];
    const see = (classes: number, row: FloatArray, p: FloatArray, logP: FloatArray) => {
      const exact = oracle(row);
      const where = `${classes} classes: ${row.slice(0, 8)}`;
      const { classes: likeliest, confidence } = predict(row, classes);
      expect(likeliest[0]).toBe(exact.largest);
      confidences.add(where, confidence[0], exact.p[exact.largest], dtype.bound(0));
      for (let j = 0; j < classes; j++) {
        const slackOfP = slack(dtype, exact.logP[j]);
        probabilities.add(`class ${j} of ${where}`, p[j], exact.p[j], dtype.bound(0) + slackOfP);
        logarithms.add(
          `class ${j} of ${where}`,
          logP[j],
          exact.logP[j],
          dtype.bound(0) + slack(dtype, 0),
        );
      }
      entries += classes;
      rows++;
    };
    for (const [i, classes] of CLASSES.entries()) {
      for (const spread of [0.01, 1, 8, 40]) {
        const { logits } = randomBatch(
          dtype,
          classes > 100 ? 9 : 41,
          classes,
          100 * i + spread,
          spread,
        );
        const [p, logP] = [softmax, logSoftmax].map((of) =>
          splitRows(of(logits, classes), classes),
        );
        for (const [r, row] of splitRows(logits, classes).entries())
          see(classes, row, p[r], logP[r]);
      }
    }
    probabilities.report('softmax', entries);
    logarithms.report('logSoftmax', entries);
    confidences.report('predict', rows);
  });

  it('a probability near 1 has a logarithm with all its digits', () => {
    for (const gap of [17, 40, 80]) {
      const [far, near] = logSoftmax(dtype.array([0, gap]), 2);
      expect(Math.abs(near / -Math.log1p(Math.exp(-gap)) - 1)).toBeLessThanOrEqual(
        dtype.bound(0) + slack(dtype, gap),
      );
      expect(Math.abs(far / (-gap + near) - 1)).toBeLessThanOrEqual(dtype.epsilon);
    }
  });

  it.each([2, 3, 5, 64, 70])(
    'a row of %i classes does not depend on its neighbours, nor on the tile',
    (classes) => {
      const rows = 4099;
      const { logits } = randomBatch(dtype, rows, classes, classes, 6);
      const all = {
        p: softmax(logits, classes),
        logP: logSoftmax(logits, classes),
        ...predict(logits, classes),
      };
      for (const row of [0, 1, 1000, 4095, 4096, rows - 1]) {
        const range = [row * classes, (row + 1) * classes] as const;
        const alone = logits.slice(...range);
        expectSameBits(softmax(alone, classes), all.p.slice(...range), `softmax, row ${row}`);
        expectSameBits(
          logSoftmax(alone, classes),
          all.logP.slice(...range),
          `logSoftmax, row ${row}`,
        );
        const { classes: likeliest, confidence } = predict(alone, classes);
        expect(likeliest[0]).toBe(all.classes[row]);
        expectSameBits(confidence, all.confidence.slice(row, row + 1), `predict, row ${row}`);
        expect(all.p[row * classes + all.classes[row]]).toBe(all.confidence[row]);
      }
    },
  );

  it.each([2, 3, 5, 70])('special values among %i classes', (classes) => {
    const row = (entries: Record<number, number>) =>
      Array.from({ length: classes }, (_, j) => entries[j] ?? (j % 3) / 4);
    const all = (x: number) => Array.from({ length: classes }, () => x);
    const bad = [
      row({ 1: Number.NaN }),
      row({ 0: Number.NaN }),
      row({ 1: Infinity }),
      all(-Infinity),
      all(Number.NaN),
    ];
    const logits = dtype.array(
      [...bad, row({ 1: -Infinity }), row({ 0: -Infinity, 1: 900 }), all(-1e30), all(0)].flat(),
    );
    const p = splitRows(softmax(logits, classes), classes);
    const logP = splitRows(logSoftmax(logits, classes), classes);
    const { classes: likeliest, confidence } = predict(logits, classes);
    for (let i = 0; i < bad.length; i++) {
      expect(p[i].every(Number.isNaN), `row ${i}`).toBe(true);
      expect(logP[i].every(Number.isNaN), `row ${i}`).toBe(true);
      expect(confidence[i]).toBeNaN();
    }
    expect(Array.from(likeliest.subarray(0, 5))).toEqual([1, 0, 1, 0, 0]);
    // A masked class has no probability; the others share it all.
    expect(p[5][1]).toBe(0);
    expect(logP[5][1]).toBe(-Infinity);
    expect(sum(p[5])).toBeCloseTo(1, 6);
    expect(Array.from(p[6].subarray(0, 2))).toEqual([0, 1]);
    expect(logP[6][1]).toBe(classes === 2 ? 0 : logP[6][1]);
    for (const i of [7, 8]) {
      for (const pj of p[i]) expect(Math.abs(pj * classes - 1)).toBeLessThanOrEqual(dtype.bound(0));
      expect(likeliest[i]).toBe(0);
    }
  });

  it('results go where they are wanted', () => {
    const { logits } = randomBatch(dtype, 50, 3, 5);
    const out = dtype.zeros(150);
    expect(softmax(logits, 3, { out })).toBe(out);
    expectSameBits(out, softmax(logits, 3), 'softmax');
    expect(logSoftmax(logits, 3, { out })).toBe(out);
    expectSameBits(out, logSoftmax(logits, 3), 'logSoftmax');
    const classes = new Int32Array(50);
    const confidence = dtype.zeros(50);
    expect(predict(logits, 3, { classes, confidence })).toEqual({ classes, confidence });
    expect(predict(logits, 3)).toEqual({ classes, confidence });
  });

  it('an empty batch gives empty results', () => {
    expect(softmax(dtype.zeros(0), 3)).toEqual(dtype.zeros(0));
    expect(logSoftmax(dtype.zeros(0), 3)).toEqual(dtype.zeros(0));
    expect(predict(dtype.zeros(0), 3)).toEqual({
      classes: new Int32Array(0),
      confidence: dtype.zeros(0),
    });
  });
});

it('logits in the memory of the module give the same', () => {
  const { logits } = randomBatch(float32, 5000, 2, 6);
  const batch = allocate(5000, 2);
  batch.logits.set(logits);
  expectSameBits(softmax(batch.logits, 2), softmax(logits, 2), 'resident');
  expectSameBits(softmax(batch.logits, 2, { out: batch.grad }), softmax(logits, 2), 'resident out');
  batch.dispose();
});

it('errors name the argument and the value', () => {
  const logits = new Float32Array(6);
  const wrong = (call: () => unknown, kind: ErrorConstructor, message: string) =>
    expectFailure(call, kind, message);
  wrong(
    () => softmax(['1', 1] as unknown as Float32Array, 2),
    TypeError,
    'logits[0] must be a number, got "1"',
  );
  wrong(
    () => (softmax as (logits: Float32Array) => unknown)(logits),
    TypeError,
    'numClasses must be given where there are no targets',
  );
  wrong(
    () => softmax(logits, 1),
    RangeError,
    'numClasses must be an integer in [2, 2147483647], got 1',
  );
  wrong(
    () => logSoftmax(logits, 4),
    RangeError,
    'logits.length must be a multiple of numClasses, 4, got 6',
  );
  wrong(
    () => softmax(logits, 2, { out: new Float32Array(5) }),
    RangeError,
    'out.length must be logits.length, 6, got 5',
  );
  wrong(
    () => softmax(logits, 2, { out: new Float64Array(6) as unknown as Float32Array }),
    TypeError,
    'out must be a Float32Array like the logits, got a Float64Array',
  );
  wrong(
    () => softmax(logits, 2, { out: logits }),
    RangeError,
    'out must not share memory with logits',
  );
  wrong(
    () => softmax(logits, 2, { grad: logits } as object),
    TypeError,
    'unknown option "grad"; known are out',
  );
  wrong(
    () => predict(logits, 2, { classes: new Int32Array(2) }),
    RangeError,
    'classes must have one entry per row, 3, got 2',
  );
  wrong(
    () => predict(logits, 2, { classes: new Uint8Array(3) as unknown as Int32Array }),
    TypeError,
    'classes must be an Int32Array, got a Uint8Array',
  );
  wrong(
    () => predict(logits, 2, { confidence: logits.subarray(1, 4) }),
    RangeError,
    'confidence must not share memory with logits',
  );
});
