import {
  type CalibrationMethod,
  Calibrator,
  type CalibratorState,
  classificationReport,
  FocalLoss,
  fitCalibration,
  softmax,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { expectFailure } from '../../support/failure.js';
import { generator } from '../../support/random.js';
import fixtures from '../fixtures/calibration.json';

const METHODS: readonly CalibrationMethod[] = ['temperature', 'platt', 'isotonic'];

/** Expects numbers to be the same but for rounding, or for what is said. */
function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance = 1e-12,
): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    const [a, b] = [actual[i] as number, expected[i] as number];
    expect(Math.abs(a - b), `entry ${i}: ${a}, not ${b}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(b)),
    );
  }
}

const cases = fixtures.cases.flatMap((one) => [
  { name: `${one.name}, plain`, one, expected: one.plain, options: {} },
  {
    name: `${one.name}, weighted`,
    one,
    expected: one.weighted,
    options: { sampleWeights: one.sampleWeights },
  },
]);

describe.each(cases)("scikit-learn's calibrations: $name", ({ one, expected, options }) => {
  const logits = Float64Array.from(one.logits);
  const targets = Uint8Array.from(one.targets);
  const fresh = Float64Array.from(expected.fresh);

  it('temperature', () => {
    const { parameters, outcome } = fitCalibration(logits, targets, options);
    expect(outcome).toBe('fitted');
    expectClose([parameters.temperature], [expected.temperature]);
    // A search without derivatives ends at the root of the precision.
    expectClose([parameters.temperature], [expected.sklearnTemperature], 1e-7);
  });

  it('platt', () => {
    const calibrator = fitCalibration(logits, targets, { method: 'platt', ...options });
    const { slopes, intercepts } = calibrator.parameters;
    for (const [i, slope] of slopes.entries()) {
      expectClose([slope, intercepts[i] as number], expected.lines[i] as number[]);
      expectClose([slope, intercepts[i] as number], expected.sklearnLines[i] as number[], 2e-7);
    }
    expectClose(calibrator.apply(fresh), expected.platt, 2e-7);
  });

  it('isotonic', () => {
    const calibrator = fitCalibration(logits, targets, { method: 'isotonic', ...options });
    for (const [i, { scores, probabilities }] of expected.knots.entries()) {
      expectClose(calibrator.parameters.scores[i] as number[], scores);
      expectClose(calibrator.parameters.probabilities[i] as number[], probabilities);
    }
    expectClose(calibrator.apply(fresh), expected.isotonic);
  });

  it.each(METHODS)(
    '%s: the figures are those of reports, and the log loss does not rise',
    (method) => {
      const calibrator = fitCalibration(logits, targets, { method, bins: 10, ...options });
      const after = calibrator.apply(logits, { output: 'logits' });
      for (const [figures, x] of [
        [calibrator.before, logits],
        [calibrator.after, after],
      ] as const) {
        const { logLoss, brier, calibration } = classificationReport(x, targets, {
          bins: 10,
          ...options,
        });
        expect(figures).toEqual({ logLoss, brier, calibrationError: calibration.expectedError });
      }
      expect(calibrator.after.logLoss).toBeLessThan(calibrator.before.logLoss);
      expectClose(softmax(after, one.classes), calibrator.apply(logits), 1e-15);
    },
  );

  it.each(METHODS)('%s: through JSON nothing is lost', (method) => {
    const calibrator = fitCalibration(logits, targets, { method, ...options });
    const same = Calibrator.fromJSON(JSON.parse(JSON.stringify(calibrator)));
    expect(same.apply(fresh)).toEqual(calibrator.apply(fresh));
    expect(same.toJSON()).toEqual(calibrator.toJSON());
  });
});

/** Rows of some classes that are less sure than a model says. */
function overconfident(rows: number, classes: number, seed: number) {
  const random = generator(seed);
  const logits = Float64Array.from({ length: rows * classes }, () => Math.round(64 * random()) / 8);
  const targets = Uint8Array.from({ length: rows }, (_, row) => {
    const best = logits.subarray(row * classes, (row + 1) * classes);
    return random() < 0.6 ? best.indexOf(Math.max(...best)) : Math.floor(classes * random());
  });
  return { logits, targets };
}

describe('rows of all forms', () => {
  const { logits, targets } = overconfident(50, 3, 1);
  const options = (method: CalibrationMethod) => ({ method, numClasses: 3 });

  it.each(METHODS)('%s: rows that do not count, or weigh nothing, make no difference', (method) => {
    const expected = fitCalibration(logits, targets, options(method)).toJSON();
    const more = Float64Array.from([...logits, NaN, 1, 2, 3, -Infinity, 5]);
    const ignored = fitCalibration(more, Int16Array.from([...targets, -1, -1]), {
      ...options(method),
      ignoreIndex: -1,
    });
    expect(ignored.toJSON()).toEqual(expected);
    const sampleWeights = [...targets].map(() => 1).concat([0, 0]);
    const weighted = fitCalibration(more, Uint8Array.from([...targets, 1, 2]), {
      ...options(method),
      sampleWeights,
    });
    expect(weighted.toJSON()).toEqual(expected);
  });

  it.each(METHODS)(
    '%s: tensors, plain arrays, channels first and probabilities that are 0 and 1',
    (method) => {
      const expected = fitCalibration(logits, targets, options(method));
      const rows = Array.from(targets, (_, row) => [...logits.subarray(3 * row, 3 * row + 3)]);
      const tensor = { data: logits, dims: [50, 3] };
      expect(fitCalibration(rows, [...targets], { method }).toJSON()).toEqual(expected.toJSON());
      expect(fitCalibration(tensor, targets, { method }).toJSON()).toEqual(expected.toJSON());
      const first = logits.map((_, k) => logits[3 * (k % 50) + Math.floor(k / 50)] as number);
      const layout = { ...options(method), layout: 'channels-first' as const };
      expect(fitCalibration(first, targets, layout).toJSON()).toEqual(expected.toJSON());
      const soft = logits.map((_, k) => Number(targets[Math.floor(k / 3)] === k % 3));
      expect(fitCalibration(logits, soft, options(method)).parameters).toEqual(expected.parameters);
      expect(expected.apply(tensor)).toEqual(expected.apply(logits));
      expect(expected.apply(rows)).toEqual(expected.apply(logits));
    },
  );

  it.each(METHODS)('%s: a number added to the logits of a row makes no difference', (method) => {
    const moved = logits.map((x, k) => x + 16 * (Math.floor(k / 3) % 4));
    const expected = fitCalibration(logits, targets, options(method));
    expectClose(
      fitCalibration(moved, targets, options(method)).apply(moved),
      expected.apply(logits),
      1e-9,
    );
  });

  it.each(METHODS)('%s: one logit per row is that of class 1 of two', (method) => {
    const { logits: pairs, targets: labels } = overconfident(50, 2, 3);
    const single = Float64Array.from(
      labels,
      (_, k) => (pairs[2 * k + 1] as number) - (pairs[2 * k] as number),
    );
    const expected = fitCalibration(pairs, labels, { method });
    const found = fitCalibration(single, labels, { method, numClasses: 1 });
    expect(found.numClasses).toBe(1);
    expect(found.outcome).toBe(expected.outcome);
    const yes = expected.apply(pairs).filter((_, k) => k % 2 === 1);
    expectClose(found.apply(single), yes, 1e-12);
    const shares = Float64Array.from(labels);
    expect(fitCalibration(single, shares, { method, numClasses: 1 }).parameters).toEqual(
      found.parameters,
    );
  });

  it.each(METHODS)('%s: float32 in, float32 out, by the same parameters', (method) => {
    const expected = fitCalibration(logits, targets, options(method));
    const single = Float32Array.from(logits);
    const found = fitCalibration(single, targets, options(method));
    expect(found.parameters).toEqual(expected.parameters);
    const p = found.apply(single);
    expect(p).toBeInstanceOf(Float32Array);
    expect(p).toEqual(Float32Array.from(expected.apply(logits)));
  });

  it.each(METHODS)('%s: shares of classes are fitted as rows of these weights', (method) => {
    const share = targets.map((target, k) => (k % 2 === 0 ? target : 0));
    const soft = logits.map((_, k) => {
      const [row, j] = [Math.floor(k / 3), k % 3];
      return 0.75 * Number(targets[row] === j) + 0.25 * Number(share[row] === j);
    });
    const twice = Float64Array.from([...logits, ...logits]);
    const sampleWeights = [...targets].map(() => 0.75).concat([...targets].map(() => 0.25));
    const expected = fitCalibration(twice, Uint8Array.from([...targets, ...share]), {
      ...options(method),
      sampleWeights,
    });
    expectClose(
      fitCalibration(logits, soft, options(method)).apply(logits),
      expected.apply(logits),
      1e-9,
    );
  });
});

describe('rows from which little can be learnt', () => {
  const finite = (numbers: ArrayLike<number>) => Array.from(numbers).every(Number.isFinite);

  it.each([
    ['temperature', { temperature: 1 / 22026.465794806718 }],
    ['platt', undefined],
    ['isotonic', { scores: [[-3, -1, 1, 4]], probabilities: [[0, 0, 1, 1]] }],
  ] as const)('%s: classes that can be told apart', (method, parameters) => {
    const odds = Float64Array.from([-3, -1, 1, 4]);
    const found = fitCalibration(odds, Uint8Array.from([0, 0, 1, 1]), { method, numClasses: 1 });
    expect(found.outcome).toBe('separable');
    if (parameters !== undefined) expect(found.parameters).toEqual(parameters);
    expect(finite(found.apply(odds))).toBe(true);
    expect(found.apply(odds)[3]).toBeGreaterThan(0.7);
    // Platt's targets are 1 / 4 and 3 / 4 of two rows each.
    if (method !== 'platt') expect(found.after.logLoss).toBeLessThan(found.before.logLoss);
  });

  it.each([
    ['temperature', 'constant', 0.5],
    ['platt', 'constant', 0.75],
    ['isotonic', 'constant', 0.75],
  ] as const)('%s: logits that are all the same', (method, outcome, p) => {
    const found = fitCalibration(new Float64Array(8), Uint8Array.from([1, 1, 0, 1]), { method });
    expect(found.outcome).toBe(outcome);
    // That of three in four, by Platt's own count (3 + 1) / (4 + 2).
    expect(found.apply(new Float64Array([0, 0]))[1]).toBeCloseTo(
      method === 'platt' ? 2 / 3 : p,
      14,
    );
    expect(finite(Object.values(found.after))).toBe(true);
  });

  it.each([
    ['temperature', 'separable', 1],
    ['platt', 'one-class', 5 / 6],
    ['isotonic', 'one-class', 1],
  ] as const)('%s: rows of one class alone', (method, outcome, p) => {
    const logits = Float64Array.from([0, 1, 0, 2, 0, 3, 0, 4]);
    const found = fitCalibration(logits, Uint8Array.from([1, 1, 1, 1]), { method });
    expect(found.outcome).toBe(outcome);
    expect(found.apply(logits)[1]).toBeCloseTo(p, 14);
    expect(finite(Object.values(found.after))).toBe(true);
  });

  it.each(METHODS)('%s: logits that say the opposite', (method) => {
    const odds = Float64Array.from([4, 3, 2, 1, -1, -2, -3, -4]);
    const found = fitCalibration(odds, Uint8Array.from([0, 0, 0, 0, 1, 1, 1, 1]), {
      method,
      numClasses: 1,
    });
    expect(found.outcome).toBe('reversed');
    expect(finite(found.apply(odds))).toBe(true);
    expect(found.after.logLoss).toBeLessThan(0.7);
  });

  it.each(METHODS)('%s: logits at the ends of their type', (method) => {
    for (const size of [1e-300, 1e-30, 1e30, 1e300, Number.MAX_VALUE]) {
      const logits = Float64Array.from([size, -size, -size, size, size, 0, 0, size, size, -size]);
      const found = fitCalibration(logits, Uint8Array.from([0, 1, 0, 0, 1]), { method });
      expect(finite(found.apply(logits)), `${size}`).toBe(true);
      expect(Number.isNaN(found.after.logLoss), `${size}`).toBe(false);
    }
  });

  it.each(METHODS)('%s: a fit does not depend on the size of logits', (method) => {
    const { logits, targets } = overconfident(50, 2, 9);
    const usual = fitCalibration(logits, targets, { method });
    expect(usual.outcome).toBe('fitted');
    for (const power of [-900, -300, -40, 40, 300, 900, 1018]) {
      const size = 2 ** power;
      const found = fitCalibration(
        logits.map((x) => x * size),
        targets,
        { method },
      );
      expect(found.outcome, `${power}`).toBe('fitted');
      expectClose(Object.values(found.after), Object.values(usual.after), 1e-9);
      const same = Calibrator.fromJSON(JSON.parse(JSON.stringify(found)));
      expect(same.parameters, `${power}`).toEqual(found.parameters);
    }
  });

  it('what cannot be told apart by a number is constant', () => {
    const odds = Float64Array.of(-2, -1, 1, 3).map((x) => x * Number.MIN_VALUE);
    const found = fitCalibration(odds, Uint8Array.of(0, 1, 0, 1), {
      method: 'platt',
      numClasses: 1,
    });
    expect(found.outcome).toBe('constant');
    expect(Calibrator.fromJSON(JSON.parse(JSON.stringify(found))).apply(odds)).toEqual(
      new Float64Array(4).fill(0.5),
    );
  });

  it('logits of little use are not the reverse of any', () => {
    // A far row that is wrong is as much as a hundred near ones that are right, but for a little.
    const odds = Float64Array.from({ length: 101 }, (_, row) => (row === 0 ? 1000 : -10.0001));
    const weak = fitCalibration(odds, new Uint8Array(101), { numClasses: 1 });
    expect(weak.outcome).toBe('fitted');
    expect(weak.parameters.temperature).toBe(22026.465794806718);
  });

  it('a row that is wrong keeps others from being separable, however small its logits', () => {
    const odds = Float64Array.of(1, 2, -3, -1e-9);
    const found = fitCalibration(odds, Uint8Array.of(1, 1, 0, 1), { numClasses: 1 });
    expect(found.outcome).toBe('fitted');
  });

  it.each(METHODS)(
    '%s: one logit per row, at the ends of its type, of rows that are all right',
    (method) => {
      for (const x of [
        [1e308, -1e308, 800, -800],
        [1.7e308, -1.7e308, 1e-10, -1e-10],
        [1e-300, -1e-300, Number.MAX_VALUE, -Number.MAX_VALUE],
      ]) {
        const logits = Float64Array.from(x);
        const found = fitCalibration(logits, Uint8Array.of(1, 0, 1, 0), { method });
        expect(finite(found.apply(logits)), `${x}`).toBe(true);
        for (const figure of Object.values(found.after)) expect(figure, `${x}`).toBeLessThan(1);
        // What is sure of its class by a temperature is so in rows of three as well.
        const three = Float64Array.from(x.flatMap((logit) => [0, logit, -1.7e308]));
        const wide = fitCalibration(three, Uint8Array.of(1, 0, 1, 0), { method, numClasses: 3 });
        expect(finite(wide.apply(three)), `${x}`).toBe(true);
        expect(Number.isFinite(wide.after.logLoss), `${x}`).toBe(true);
      }
    },
  );

  it('a class that no row has is ruled out by isotonic regression, one that all rule out is as likely as all', () => {
    const { logits, targets } = overconfident(40, 3, 4);
    const two = targets.map((target) => target % 2);
    const found = fitCalibration(logits, two, { method: 'isotonic', numClasses: 3 });
    expect(found.apply(logits).filter((_, k) => k % 3 === 2)).toEqual(new Float64Array(40));
    const parameters = { scores: [[0], [0], [0]], probabilities: [[0], [0], [0]] };
    const none = Calibrator.fromJSON({ ...found.toJSON(), parameters });
    expectClose(none.apply([[1, 2, 3]]), [1 / 3, 1 / 3, 1 / 3], 1e-15);
  });
});

describe('rows that were not seen', () => {
  const { logits, targets } = overconfident(60, 3, 5);
  const two = overconfident(60, 2, 6);

  it.each(METHODS)('%s: masked classes, and rows without probabilities', (method) => {
    const found = fitCalibration(logits, targets, { method });
    const p = found.apply(Float64Array.from([1, -Infinity, 2, NaN, 1, 2, Infinity, 1, 2]));
    expect(Array.from(p.subarray(0, 3)).every((x) => x >= 0 && x <= 1)).toBe(true);
    expect(p[0] + p[1] + p[2]).toBeCloseTo(1, 14);
    expect(Array.from(p.subarray(3)).every(Number.isNaN)).toBe(true);
    const pair = fitCalibration(two.logits, two.targets, { method });
    const q = pair.apply(Float64Array.from([-Infinity, 1, 1, -Infinity, NaN, 1, 1, Infinity]));
    expect(q[0] + q[1]).toBeCloseTo(1, 14);
    expect(q[2] + q[3]).toBeCloseTo(1, 14);
    expect(Array.from(q.subarray(4)).every(Number.isNaN)).toBe(true);
    const single = fitCalibration(
      Float64Array.from([1, 2, -1, 0.5]),
      Uint8Array.from([1, 0, 0, 1]),
      {
        method,
        numClasses: 1,
      },
    );
    const r = single.apply(Float64Array.from([-Infinity, NaN, Infinity]));
    expect(r[0]).toBeLessThan(0.5);
    expect(r[1]).toBeNaN();
    expect(r[2]).toBeNaN();
  });

  it('logits are never +Infinity, of which losses make NaN', () => {
    const odds = [-3, -1, 1, 4];
    const found = fitCalibration(odds, [0, 0, 1, 1], { method: 'isotonic', numClasses: 1 });
    const logits = found.apply(Float32Array.from(odds), { output: 'logits' });
    expect(logits).toEqual(
      Float32Array.of(-Infinity, -Infinity, 3.4028234663852886e38, 3.4028234663852886e38),
    );
    const report = classificationReport(logits, Uint8Array.of(0, 0, 1, 1), { numClasses: 1 });
    expect(report.logLoss).toBe(0);
    const sure = fitCalibration(odds, [0, 0, 1, 1], { numClasses: 1 });
    expect(sure.apply(Float32Array.of(3e38), { output: 'logits' })[0]).toBe(3.4028234663852886e38);
    expect(sure.apply(Float64Array.of(1e308), { output: 'logits' })[0]).toBe(Number.MAX_VALUE);
  });

  it('logits far below 0 in a type of less range are in their order, or alike', () => {
    const sure = fitCalibration([4, 0, 0, 4], [0, 1]); // temperature e^-10
    const far = Float32Array.of(-2e38, -1e38, -3e38, -1e38, -Infinity, -1e38, NaN, -1e38);
    const logits = sure.apply(far, { output: 'logits' });
    const most = 3.4028234663852886e38;
    expect(logits).toEqual(Float32Array.of(-most, 0, -most, 0, -Infinity, 0, NaN, NaN));
    expect(sure.apply(far).subarray(0, 6)).toEqual(Float32Array.of(0, 1, 0, 1, 0, 1));
  });

  it('batches without rows', () => {
    expect(fitCalibration(logits, targets).apply(new Float32Array())).toEqual(new Float32Array());
  });

  it('a temperature changes no prediction', () => {
    const found = fitCalibration(logits, targets);
    const { confusion } = classificationReport(logits, targets);
    expect(
      classificationReport(found.apply(logits, { output: 'logits' }), targets).confusion,
    ).toEqual(confusion);
  });
});

describe('errors name the argument, the row and the value', () => {
  const logits = Float64Array.from([1, 0, 0, 2, 1, 3]);
  const targets = Uint8Array.from([0, 1, 1]);
  const fitWith = (
    changes: object,
    x: Float64Array | Float32Array = logits,
    y: Uint8Array = targets,
  ) => fitCalibration(x, y, changes);

  it.each([
    [
      () => fitWith({ method: 'beta' }),
      TypeError,
      `method must be 'temperature', 'platt' or 'isotonic', got "beta"`,
    ],
    [() => fitWith({ bins: 0 }), RangeError, 'bins must be an integer in [1, 10000], got 0'],
    [
      () => fitWith({}, logits, Uint8Array.from([0, 2, 1])),
      RangeError,
      'targets[1] must be a class in [0, 2), got 2',
    ],
    [
      () => fitWith({}, Float64Array.from([1, 0, 0, NaN, 1, 3])),
      RangeError,
      'logits: that of class 1 of row 1 must be finite, got NaN',
    ],
    [
      () => fitWith({ numClasses: 1 }, Float32Array.from([1, 0, -Infinity])),
      RangeError,
      'logits: that of row 2 must be finite, got -Infinity',
    ],
    [
      () => fitWith({}, new Float64Array(), new Uint8Array()),
      RangeError,
      'targets must have a row that counts, got none',
    ],
    [
      () => fitWith({ ignoreIndex: 1 }, logits.subarray(0, 4), Uint8Array.from([1, 1])),
      RangeError,
      'targets must have a row that counts, got none',
    ],
    [
      () => fitWith({ sampleWeights: [0, 0, 0] }),
      RangeError,
      'sampleWeights must be above 0 for a row that counts, got 0 for all of them',
    ],
    [
      () => fitWith({ sampleWeights: [1, -1, 0] }),
      RangeError,
      'sampleWeights[1] must be finite and not negative, got -1',
    ],
    [
      () => fitWith({ sampleWeights: [1, 1] }),
      RangeError,
      'sampleWeights must have one entry per row, 3, got 2',
    ],
    [
      () => fitWith({ loss: new FocalLoss() }),
      TypeError,
      'unknown option "loss"; known are numClasses, ignoreIndex, layout, spatialSize, method, criterion, sampleWeights, bins',
    ],
    [
      () => fitWith({}).apply(new Float64Array(3)),
      RangeError,
      'logits.length must be a multiple of numClasses, 2, got 3',
    ],
    [
      () => fitWith({}).apply(new Float64Array(2), { output: 'odds' as 'logits' }),
      TypeError,
      `output must be 'probabilities' or 'logits', got "odds"`,
    ],
  ] as const)('%#', (call, kind, message) =>
    expectFailure(call, kind as ErrorConstructor, message),
  );

  const state = fitWith({ method: 'isotonic' }).toJSON() as CalibratorState;
  const restore = (changes: object) =>
    Calibrator.fromJSON({ ...state, ...changes } as CalibratorState);
  const temperature = (parameters: object) => restore({ method: 'temperature', parameters });

  it.each([
    [
      () => Calibrator.fromJSON(3 as never),
      TypeError,
      'state must be what Calibrator.toJSON returned, got 3',
    ],
    [() => Calibrator.fromJSON({} as never), TypeError, 'state.version is missing'],
    [
      () => restore({ version: 2 }),
      TypeError,
      'state.version must be 1, the form that this version of focal-loss reads, got 2',
    ],
    [
      () => restore({ numClasses: 0 }),
      RangeError,
      'state.numClasses must be an integer in [1, 16777216], got 0',
    ],
    [() => temperature({}), TypeError, 'state.parameters.temperature is missing'],
    [
      () => temperature({ temperature: 0 }),
      RangeError,
      'state.parameters.temperature must be finite and above 0, got 0',
    ],
    [
      () => restore({ method: 'platt', parameters: { slopes: [1], intercepts: [null] } }),
      TypeError,
      'state.parameters.intercepts[0] must be a number, got null',
    ],
    [
      () => restore({ method: 'platt', parameters: { slopes: [1, 2], intercepts: [1] } }),
      RangeError,
      'state.parameters.slopes must have 1 entries, got 2',
    ],
    [
      () => restore({ parameters: { scores: [[1, 1]], probabilities: [[0, 1]] } }),
      RangeError,
      'state.parameters.scores[0][1] must be above the one before it, got 1',
    ],
    [
      () => restore({ parameters: { scores: [[1, 2]], probabilities: [[0.5, 0.25]] } }),
      RangeError,
      'state.parameters.probabilities[0][1] must be not below the one before it, got 0.25',
    ],
    [
      () => restore({ parameters: { scores: [[]], probabilities: [[]] } }),
      RangeError,
      'state.parameters.scores[0] must have an entry, got none',
    ],
    [() => restore({ before: {} }), TypeError, 'state.before.logLoss is missing'],
  ] as const)('of JSON: %#', (call, kind, message) =>
    expectFailure(call, kind as ErrorConstructor, message),
  );
});
