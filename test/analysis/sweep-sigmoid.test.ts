import * as main from 'focal-loss';
import {
  allocate,
  SigmoidFocalLoss,
  type SweepOptions,
  sweep,
  sweepAsync,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.js';
import { randomBatch } from '../support/batch.js';
import { type Dtype, dtypes, float32, float64 } from '../support/dtypes.js';
import { expectFailure } from '../support/failure.js';

const GRID = {
  alpha: [0.25, null, 0, 1, 0.9],
  gamma: [2, 0, 0.5, 1.7, 8, 10.25],
  labelSmoothing: [0.2, 0, 1],
};

/** Yes or no for every logit; in between where they are soft. */
function labels(dtype: Dtype, logits: ArrayLike<number>, soft: boolean) {
  const hard = Array.from(logits, (x, i) => Number(x + 3 * Math.sin(i) > 0));
  return soft
    ? dtype.array(hard.map((y, i) => (i % 3 === 0 ? 0.5 + (y - 0.5) / 3 : y)))
    : Uint8Array.from(hard);
}

/**
 * Holds every row of a sweep to what the loss of that setting gives: to within the bound of the
 * losses.
 */
function compare(
  accuracy: Accuracy,
  dtype: Dtype,
  batch: { logits: main.FloatArray; targets: main.FloatArray | main.ClassIndices },
  criterion: SigmoidFocalLoss,
  options: SweepOptions,
  where: string,
): number {
  const { logits, targets } = batch;
  const { sampleWeights, normalizer } = options;
  const { rows } = sweep(logits, targets, { criterion, ...options });
  for (const { alpha, gamma, labelSmoothing, loss } of rows) {
    const one = criterion.with({ alpha, gamma, labelSmoothing });
    const expected = one.forward(logits, targets, { sampleWeights, normalizer });
    const at = `${where}: alpha ${alpha}, gamma ${gamma}, labelSmoothing ${labelSmoothing}`;
    if (Number.isFinite(expected)) accuracy.add(at, loss, expected, dtype.bound(gamma));
    else expect(loss, at).toBe(expected);
  }
  return rows.filter(({ loss }) => Number.isFinite(loss)).length;
}

describe.each(dtypes)('$name', (dtype) => {
  it('every setting gives what a loss of its own gives', () => {
    const accuracy = new Accuracy(dtype);
    let checked = 0;
    for (const columns of [1, 2, 3, 10]) {
      for (const spread of [0.1, 4, 40]) {
        for (const soft of [false, true]) {
          const { logits } = randomBatch(dtype, 203, columns, columns + spread, spread);
          const targets = labels(dtype, logits, soft);
          const perColumn = Array.from({ length: columns }, (_, j) => (1 + (j % 4)) / 5);
          const perRow = dtype.array(Float64Array.from({ length: 203 }, (_, i) => (i % 5) / 3));
          const perLogit = dtype.array(
            Float64Array.from({ length: 203 * columns }, (_, i) => (i % 7) / 3),
          );
          const see = (criterion: SigmoidFocalLoss, options: SweepOptions, where: string) => {
            const at = `${columns} columns, spread ${spread}, soft ${soft}, ${where}`;
            checked += compare(accuracy, dtype, { logits, targets }, criterion, options, at);
          };
          see(new SigmoidFocalLoss(), GRID, 'plain');
          const each = new SigmoidFocalLoss({
            numClasses: columns,
            posWeight: perColumn.map((x) => 3 * x),
          });
          see(
            each,
            { ...GRID, alpha: [...GRID.alpha, perColumn], sampleWeights: perRow },
            'each column',
          );
          see(
            new SigmoidFocalLoss({ posWeight: 2.5 }),
            { ...GRID, sampleWeights: perLogit, normalizer: 12 },
            'weights',
          );
          if (soft) continue;
          // A label to be ignored is no yes or no.
          const some = {
            logits,
            targets: Int16Array.from(targets, (y, i) => (i % 4 === 0 ? 255 : y)),
          };
          const criterion = new SigmoidFocalLoss({ ignoreIndex: 255 });
          checked += compare(accuracy, dtype, some, criterion, GRID, `${columns} columns, ignored`);
        }
      }
    }
    accuracy.report('sweep of the sigmoid loss', checked);
    expect(checked).toBeGreaterThan(4000);
  });

  it('NaN and infinite logits', () => {
    const accuracy = new Accuracy(dtype);
    const grid = { alpha: [0.25, null, 0.9], gamma: [0, 0.5, 2, 1.7], labelSmoothing: [0, 0.1] };
    let checked = 0;
    for (const special of [Number.NaN, Infinity, -Infinity, 1e30, -1e30]) {
      for (const target of [0, 1]) {
        const logits = dtype.array([0.5, special, -2, 1, 3]);
        const targets = Uint8Array.of(1, target, 0, 1, 1);
        const at = `${special} of ${target}`;
        checked += compare(accuracy, dtype, { logits, targets }, new SigmoidFocalLoss(), grid, at);
        const ignored = { logits, targets: Int8Array.of(1, -1, 0, 1, 1) };
        checked += compare(
          accuracy,
          dtype,
          ignored,
          new SigmoidFocalLoss({ ignoreIndex: -1 }),
          grid,
          'ignored',
        );
      }
    }
    accuracy.report('special logits', checked);
    expect(checked).toBeGreaterThan(300);
  });

  it('one bit pattern, however the batch is cut', async () => {
    for (const [rows, columns] of [
      [20_003, 1],
      [7001, 3],
      [1_200_001, 1],
      [300_001, 5],
    ]) {
      const { logits } = randomBatch(dtype, rows, columns, 3);
      const targets = labels(dtype, logits, false);
      const table = Array.from({ length: columns }, (_, j) => (j + 1) / 8);
      const criterion = new SigmoidFocalLoss({ numClasses: columns, posWeight: table });
      const sampleWeights = dtype.array(Float64Array.from({ length: rows }, (_, i) => (i % 3) / 2));
      const grid = {
        criterion,
        alpha: [0.25, null, table],
        gamma: [0, 2, 1.7],
        labelSmoothing: [0, 0.1],
        sampleWeights,
      };
      const whole = sweep(logits, targets, grid);
      const progress: number[] = [];
      const onProgress = (done: number, all: number) => {
        expect(all).toBe(rows);
        progress.push(done);
      };
      expect(await sweepAsync(logits, targets, { ...grid, onProgress })).toEqual(whole);
      expect(progress.at(-1)).toBe(rows);
      if (rows * columns > 2 ** 20) expect(progress.length).toBeGreaterThan(1);
      // In the module's memory, where one call sees all rows.
      const resident = allocate(2 * rows, Math.max(columns, 2), dtype.name as 'float32');
      const [x, y] = [0, 1].map((k) =>
        resident.logits.subarray(k * rows * columns, (k + 1) * rows * columns),
      );
      x.set(logits as Float32Array);
      y.set(targets);
      expect(sweep(x, y, grid)).toEqual(whole);
      resident.dispose();
    }
  });
});

it('one logit per row is known by the lengths, or by numClasses', () => {
  const { logits } = randomBatch(float64, 40, 2, 6);
  const targets = labels(float64, logits, false);
  const soft = labels(float64, logits, true);
  const { rows, count } = sweep(logits, targets, GRID);
  expect(count).toBe(80);
  expect(rows).toEqual(
    sweep(logits, targets, { ...GRID, criterion: new main.SigmoidFocalLoss() }).rows,
  );
  expect(rows).toEqual(sweep(logits, targets, { ...GRID, numClasses: 1 }).rows);
  expect(sweep(logits, soft, { ...GRID, numClasses: 1 }).rows).toEqual(
    sweep(logits, soft, { ...GRID, criterion: new SigmoidFocalLoss() }).rows,
  );
  const [first] = sweep(logits, targets).rows;
  expect(first).toMatchObject({ alpha: 0.25, gamma: 2, labelSmoothing: 0 });
  expect(first.loss).toBeCloseTo(new SigmoidFocalLoss().forward(logits, targets), 15);
  expect(sweep(new Float32Array(0), new Uint8Array(0), { numClasses: 1 })).toMatchObject({
    count: 0,
  });
});

it('tensors bring their shape', () => {
  const { logits } = randomBatch(float32, 12, 3, 6);
  const targets = labels(float32, logits, false);
  const criterion = new SigmoidFocalLoss({ alpha: [0.1, 0.2, 0.3] });
  const expected = sweep(logits, targets, { criterion, numClasses: 3, gamma: [0, 1] });
  const [x, y] = [logits, targets].map((data) => ({ data, dims: [12, 3] }));
  expect(sweep(x as never, y as never, { criterion, gamma: [0, 1] })).toEqual(expected);
  const column = { data: logits, dims: [36, 1] };
  expect(sweep(column, { data: targets, dims: [36] }).losses).toEqual(
    sweep(logits, targets).losses,
  );
});

it('errors name the argument and the value', () => {
  const [logits, targets] = [new Float32Array(6), new Int32Array(6)];
  const wrong = (options: SweepOptions, kind: ErrorConstructor, message: string, of = targets) =>
    expectFailure(
      () => sweep(logits, of, { criterion: new SigmoidFocalLoss(), ...options }),
      kind,
      message,
    );
  wrong({ alpha: [[0.5, 0.5]] }, TypeError, 'numClasses must be given where alpha is an array');
  wrong({ alpha: [[0.5, 2]], numClasses: 2 }, RangeError, 'alpha[1] must be in [0, 1], got 2');
  wrong(
    { alpha: [[0.5, 1]], numClasses: 3 },
    RangeError,
    'alpha must have one entry per class, 3, got 2',
  );
  wrong(
    { criterion: new SigmoidFocalLoss({ posWeight: [1, 2] }) },
    TypeError,
    'numClasses must be given where posWeight is an array',
  );
  wrong({ numClasses: 4 }, RangeError, 'logits.length must be a multiple of numClasses, 4, got 6');
  wrong({}, RangeError, 'targets.length must be logits.length, 6, got 3', new Int32Array(3));
  wrong({}, RangeError, 'targets[4] must be in [0, 1], got 2', Int32Array.of(0, 1, 0, 1, 2, 0));
  wrong(
    { sampleWeights: new Float32Array(4), numClasses: 2 },
    RangeError,
    'sampleWeights must have one entry per logit, 6, or one per row of numClasses, 3, got 4',
  );
  // Without a criterion, as many class indices as logits are yes and no.
  expectFailure(
    () => sweep(logits, new Int32Array(6).fill(3)),
    RangeError,
    'targets[0] must be in [0, 1], got 3',
  );
});
