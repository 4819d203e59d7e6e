import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import * as main from 'focal-loss';
import {
  allocate,
  CrossEntropyLoss,
  classBalance,
  FocalLoss,
  type SweepOptions,
  type SweepTable,
  sweep,
  sweepAsync,
} from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { Accuracy } from '../support/accuracy.ts';
import { randomBatch } from '../support/batch.ts';
import { sameBits } from '../support/bits.ts';
import { type Dtype, dtypes, float32, float64 } from '../support/dtypes.ts';
import { expectFailure } from '../support/failure.ts';
import { golden } from '../support/golden.ts';
import { focalRow, weightOf } from '../support/oracle.ts';

/** The page's grid. */
const GRID = {
  alpha: [0.1, 0.25, 0.5, 0.75],
  gamma: [0.5, 1, 2, 3],
  labelSmoothing: [0, 0.05, 0.1],
};

/** A grid with every kind of entry, for so many classes. */
const wideGrid = (classes: number) => ({
  alpha: [0.25, null, Array.from({ length: classes }, (_, j) => (1 + (j % 4)) / 5), 0, 1, 0.9],
  gamma: [2, 0, 0.5, 1.7, 8, 5, 0.3, 10.25, 8.5],
  labelSmoothing: [0.2, 0, 1],
});

type Batch = Pick<ReturnType<typeof randomBatch>, 'logits' | 'classes'> & {
  targets: Int32Array | Float32Array | Float64Array;
};

/** Probabilities, of which some rows have all in one class. */
function soft(dtype: Dtype, { logits, targets, classes }: ReturnType<typeof randomBatch>): Batch {
  const q = dtype.zeros(logits.length);
  for (const [i, target] of targets.entries()) {
    const rest = i % 3 === 0 ? 0 : 0.5;
    q.fill(rest / classes, i * classes, (i + 1) * classes);
    q[i * classes + target] += 1 - rest;
  }
  return { logits, targets: q as Float32Array, classes };
}

/**
 * Holds every row of a sweep to what the loss of that setting gives: to within the bound of the
 * losses.
 */
function compare(
  accuracy: Accuracy,
  dtype: Dtype,
  batch: Batch,
  options: SweepOptions,
  where: string,
): number {
  const { logits, targets, classes } = batch;
  const { alpha: _a, gamma: _g, labelSmoothing: _l, sampleWeights, ...others } = options;
  const table = sweep(logits, targets, { ...options, numClasses: classes });
  for (const { alpha, gamma, labelSmoothing, loss } of table.rows) {
    const criterion = new FocalLoss({
      ...others,
      alpha,
      gamma,
      labelSmoothing,
      numClasses: classes,
    });
    const expected = criterion.forward(logits, targets, { sampleWeights });
    const at = `${where}: alpha ${alpha}, gamma ${gamma}, labelSmoothing ${labelSmoothing}`;
    if (Number.isFinite(expected)) accuracy.add(at, loss, expected, dtype.bound(gamma));
    else expect(loss, at).toBe(expected);
  }
  return table.rows.filter(({ loss }) => Number.isFinite(loss)).length;
}

describe.each(dtypes)('$name', (dtype) => {
  it('every setting gives what a loss of its own gives', () => {
    const accuracy = new Accuracy(dtype);
    let checked = 0;
    for (const classes of [2, 3, 10, 64, 65, 131]) {
      for (const spread of [0.1, 4, 40]) {
        const batch = randomBatch(dtype, 203, classes, classes + spread, spread);
        const sampleWeights = dtype.array(
          Float64Array.from({ length: 203 }, (_, i) => (i % 5) / 3),
        );
        const see = (of: Batch, options: SweepOptions, where: string) => {
          checked += compare(
            accuracy,
            dtype,
            of,
            options,
            `${classes} classes, spread ${spread}, ${where}`,
          );
        };
        see(batch, GRID, 'the page');
        see(batch, wideGrid(classes), 'indices');
        see(batch, { ...wideGrid(classes), ignoreIndex: 1, reduction: 'sum' }, 'ignored');
        see(batch, { ...GRID, sampleWeights, normalizer: 12 }, 'weights');
        see(soft(dtype, batch), wideGrid(classes), 'probabilities');
        see(soft(dtype, batch), { ...GRID, sampleWeights }, 'probabilities with weights');
      }
    }
    accuracy.report('sweep', checked);
    expect(checked).toBeGreaterThan(10_000);
  });

  it('the golden rows', () => {
    const accuracy = new Accuracy(dtype);
    let checked = 0;
    // Logits that float32 holds would be others there.
    const cases = golden('focal').filter(
      ({ logits }) => dtype === float64 || logits.flat().every((x) => Math.fround(x) === x),
    );
    for (const { classes, alpha, gamma, labelSmoothing, logits, targets, loss } of cases) {
      for (const [i, row] of logits.entries()) {
        const settings = {
          alpha: [alpha],
          gamma: [0, gamma, gamma + 0.5],
          labelSmoothing: [labelSmoothing, 0.3],
        };
        const { rows } = sweep(dtype.array(row), Int32Array.of(targets[i]), {
          ...settings,
          numClasses: classes,
        });
        accuracy.add(
          `row ${row.slice(0, 6)}, gamma ${gamma}`,
          rows[2].loss,
          loss[i],
          dtype.bound(gamma),
        );
        checked++;
      }
    }
    accuracy.report('golden rows', checked);
    expect(checked).toBeGreaterThan(50);
  });

  it('rows straight from the definition', () => {
    const { logits, targets } = randomBatch(dtype, 40, 3, 2);
    const { rows } = sweep(logits, targets, { ...wideGrid(3), reduction: 'sum' });
    const accuracy = new Accuracy(dtype);
    for (const { alpha, gamma, labelSmoothing, loss } of rows) {
      let expected = 0;
      for (const [i, target] of targets.entries()) {
        const options = { weight: weightOf(alpha, target), gamma, labelSmoothing };
        expected += focalRow(logits.subarray(3 * i, 3 * i + 3), target, options).value;
      }
      const slack = dtype === float64 ? 1e-13 : 0;
      accuracy.add(
        `${alpha}, ${gamma}, ${labelSmoothing}`,
        loss,
        expected,
        dtype.bound(gamma) + slack,
      );
    }
    accuracy.report('definition', rows.length);
  });

  it.each([2, 3, 70])('NaN, infinite and masked rows of %i classes', (classes) => {
    const row = (entries: Record<number, number>) =>
      Array.from({ length: classes }, (_, j) => entries[j] ?? (j % 3) / 4);
    const accuracy = new Accuracy(dtype);
    const grid = { alpha: [0.25, null, 0.9], gamma: [0, 0.5, 2, 1.7], labelSmoothing: [0, 0.1] };
    let checked = 0;
    for (const special of [
      { 0: Number.NaN },
      { 1: Infinity },
      { 0: -Infinity },
      { 1: -Infinity },
      { 0: 1e30 },
    ]) {
      for (const target of [0, 1]) {
        const logits = dtype.array([...row({}), ...row(special), ...row({ 1: 3 })]);
        const targets = Int32Array.of(0, target, 1);
        checked += compare(
          accuracy,
          dtype,
          { logits, targets, classes },
          grid,
          JSON.stringify(special),
        );
        // Nothing of an ignored row is seen.
        const ignored = Int32Array.of(0, -1, 1);
        checked += compare(
          accuracy,
          dtype,
          { logits, targets: ignored, classes },
          { ...grid, ignoreIndex: -1 },
          'ignored',
        );
      }
    }
    accuracy.report('special rows', checked);
  });

  it('one bit pattern, however the batch is cut', async () => {
    for (const [rows, classes] of [
      [20_003, 2],
      [20_003, 7],
      [700_001, 2],
      [9_000, 70],
    ]) {
      const batch = randomBatch(dtype, rows, classes, 3);
      const grid = { alpha: [0.25, null], gamma: [0, 2, 1.7], labelSmoothing: [0, 0.1] };
      const whole = sweep(batch.logits, batch.targets, grid);
      const progress: number[] = [];
      const onProgress = (done: number, all: number) => {
        expect(all).toBe(rows);
        progress.push(done);
      };
      expect(await sweepAsync(batch.logits, batch.targets, { ...grid, onProgress })).toEqual(whole);
      expect(progress.at(-1)).toBe(rows);
      expect(progress.length).toBe(Math.ceil((rows * classes) / 2 ** 19));
      // In the module's memory, where one call sees all rows.
      const resident = allocate(rows, classes, dtype.name as 'float32');
      resident.logits.set(batch.logits as Float32Array);
      resident.targets.set(batch.targets);
      expect(sweep(resident.logits, resident.targets, grid)).toEqual(whole);
      resident.dispose();
    }
  });

  it('probabilities in the memory of the module, more rows than the tile holds', () => {
    const batch = soft(dtype, randomBatch(dtype, 20_000, 2, 3));
    const resident = allocate(40_000, 2, dtype.name as 'float32');
    const [logits, q] = [resident.logits.subarray(0, 40_000), resident.logits.subarray(40_000)];
    logits.set(batch.logits as Float32Array);
    q.set(batch.targets as Float32Array);
    expect(sweep(logits, q, { ...GRID, numClasses: 2 })).toEqual(
      sweep(batch.logits, batch.targets, { ...GRID, numClasses: 2 }),
    );
    resident.dispose();
  });
});

it('each setting once, in order', () => {
  const { logits, targets } = randomBatch(float32, 10, 2);
  const { rows, losses, count, best } = sweep(logits, targets, GRID);
  const settings = GRID.alpha.flatMap((alpha) =>
    GRID.gamma.flatMap((gamma) =>
      GRID.labelSmoothing.map((labelSmoothing) => ({ alpha, gamma, labelSmoothing })),
    ),
  );
  expect(rows).toHaveLength(48);
  expect(rows).toMatchObject(settings);
  expect(Array.from(losses)).toEqual(rows.map(({ loss }) => loss));
  expect(count).toBe(10);
  expect(best).toBeUndefined();
  // Axes need not be sorted, nor their entries differ.
  const shuffled = sweep(logits, targets, { gamma: [3, 0.5, 3] }).rows.map(({ loss }) => loss);
  expect(shuffled[0]).toBe(shuffled[2]);
  expect(shuffled[0]).toBeLessThan(shuffled[1]);
  expect(sweep(logits, targets).rows).toMatchObject([{ alpha: 0.25, gamma: 2, labelSmoothing: 0 }]);
});

it('the loss falls with gamma, whatever the logits: it says nothing of how good a setting is', () => {
  for (const spread of [0.1, 3, 30]) {
    const { logits, targets } = randomBatch(float64, 100, 3, spread, spread);
    const { losses } = sweep(logits, targets, {
      gamma: Float64Array.from({ length: 40 }, (_, i) => i / 4),
    });
    for (let i = 1; i < losses.length; i++) expect(losses[i]).toBeLessThan(losses[i - 1]);
  }
});

describe('a metric', () => {
  const { logits, targets } = randomBatch(float32, 10, 2);

  it('says which setting is the best', () => {
    const seen: number[] = [];
    const metric = ({ gamma, loss }: { gamma: number; loss: number }) => {
      seen.push(gamma);
      expect(loss).toBeGreaterThan(0);
      return gamma === 0.5 ? Number.NaN : 1 - Math.abs(gamma - 2);
    };
    const { rows, best } = sweep(logits, targets, { gamma: [0.5, 1, 2, 2, 3], metric });
    expect(seen).toEqual([0.5, 1, 2, 2, 3]);
    expect(rows.map((row) => row.metric)).toEqual([Number.NaN, 0, 1, 1, 0]);
    expect(best).toBe(rows[2]);
    expect(sweep(logits, targets, { metric: () => Number.NaN }).best).toBeUndefined();
    expect(sweep(logits, targets, { metric: () => Number.NEGATIVE_INFINITY }).best).toBeUndefined();
  });

  it('may be a promise where the sweep is one', async () => {
    const metric = async ({ gamma }: { gamma: number }) => gamma;
    const { best, rows } = await sweepAsync(logits, targets, { gamma: [1, 3, 2], metric });
    expect(best).toBe(rows[1]);
  });

  it('that is a promise takes sweepAsync', () => {
    const metric = (async () => 1) as unknown as () => number;
    const message = 'metric must return a number, got a promise: sweepAsync takes it';
    expectFailure(() => sweep(logits, targets, { metric }), TypeError, message);
  });

  it('must be a number', async () => {
    const message = 'metric must be a function that returns a number, got "good"';
    const metric = (() => 'good') as unknown as () => number;
    expectFailure(() => sweep(logits, targets, { metric }), TypeError, message);
    await expect(sweepAsync(logits, targets, { metric })).rejects.toThrow(message);
  });
});

it('an empty batch, and one without a row that counts', async () => {
  const empty = [new Float32Array(0), new Int32Array(0)] as const;
  const nan = Array.from({ length: 48 }, () => Number.NaN);
  for (const table of [sweep(...empty, GRID), await sweepAsync(...empty, GRID)]) {
    expect(Array.from(table.losses)).toEqual(nan);
    expect(table.count).toBe(0);
  }
  expect(sweep(...empty, { reduction: 'sum' }).losses[0]).toBe(0);
  const ignored = sweep(new Float32Array(4), new Int32Array(2), { ...GRID, ignoreIndex: 0 });
  expect(Array.from(ignored.losses)).toEqual(nan);
  expect(sweep(new Float64Array(0), new Float64Array(0), { numClasses: 3 }).count).toBe(0);
});

describe('an asynchronous sweep', () => {
  const { logits, targets } = randomBatch(float32, 700_000, 2);

  it('stops where it is aborted', async () => {
    const controller = new AbortController();
    let calls = 0;
    const onProgress = () => {
      calls++;
      controller.abort(new Error('enough'));
    };
    await expect(
      sweepAsync(logits, targets, { signal: controller.signal, onProgress }),
    ).rejects.toThrow('enough');
    expect(calls).toBe(1);
    await expect(
      sweepAsync(logits, targets, { signal: controller.signal, onProgress }),
    ).rejects.toThrow('enough');
    expect(calls).toBe(1);
  });

  it('is not disturbed by others that run meanwhile', async () => {
    const expected = sweep(logits, targets, GRID);
    const others: Promise<SweepTable>[] = [];
    const onProgress = () => {
      others.push(
        sweepAsync(logits.subarray(0, 40), targets.subarray(0, 20), { gamma: [1, 2, 3, 4, 5] }),
      );
      new FocalLoss().forward(logits.subarray(0, 40), targets.subarray(0, 20));
    };
    expect(await sweepAsync(logits, targets, { ...GRID, onProgress })).toEqual(expected);
    const few = sweep(logits.subarray(0, 40), targets.subarray(0, 20), { gamma: [1, 2, 3, 4, 5] });
    for (const other of await Promise.all(others)) expect(other).toEqual(few);
  });

  it('lets others have their turn', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++);
    await sweepAsync(logits, targets, GRID);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  it('rejects what it cannot take', async () => {
    await expect(sweepAsync(logits, targets, { alpha: [2] })).rejects.toThrow(RangeError);
    const bad = targets.slice();
    bad[699_999] = 2;
    await expect(sweepAsync(logits, bad)).rejects.toThrow(/must be a class in \[0, 2\), got 2/);
  });
});

it('one setting needs no array', () => {
  const { logits, targets } = randomBatch(float32, 10, 2);
  const { rows } = sweep(logits, targets, { alpha: 0.75, gamma: [1, 2], labelSmoothing: 0.1 });
  expect(rows).toEqual(
    sweep(logits, targets, { alpha: [0.75], gamma: [1, 2], labelSmoothing: [0.1] }).rows,
  );
  expect(sweep(logits, targets, { alpha: null }).rows).toEqual(
    sweep(logits, targets, { alpha: [null] }).rows,
  );
  expect(rows).toHaveLength(2);
});

it('weights of the classes are settings like others', () => {
  const { logits, targets } = randomBatch(float64, 50, 3, 1);
  const { inverseFrequency } = classBalance(targets, 3);
  const alpha = [0.25, inverseFrequency, null, [1, 0, 2], 0.75, new Float32Array([0.5, 1, 2])];
  const { rows } = sweep(logits, targets, { alpha, gamma: [0, 2] });
  expect(rows).toHaveLength(12);
  for (const [i, row] of rows.entries()) {
    const given = alpha[Math.floor(i / 2)];
    const expected = typeof given === 'object' && given !== null ? Array.from(given) : given;
    expect(row.alpha).toEqual(expected);
    const { alpha: of, gamma } = row;
    expect(row.loss).toBeCloseTo(new FocalLoss({ alpha: of, gamma }).forward(logits, targets), 13);
  }
});

describe('very many settings', () => {
  const { logits, targets } = randomBatch(float64, 20, 2, 3);

  it('are computed', async () => {
    const gamma = Float64Array.from({ length: 80_000 }, (_, i) => ((i * 7919) % 80_000) / 1000);
    const table = sweep(logits, targets, { gamma });
    for (const i of [0, 1, 79_999]) {
      const expected = new FocalLoss({ gamma: gamma[i] }).forward(logits, targets);
      expect(table.rows[i].gamma).toBe(gamma[i]);
      expect(Math.abs(table.losses[i] / expected - 1)).toBeLessThan(float64.bound(gamma[i]));
    }
    const done: number[] = [];
    const { losses } = await sweepAsync(logits, targets, {
      gamma,
      onProgress: (rows) => done.push(rows),
    });
    expect(sameBits(losses, table.losses)).toBe(true);
    expect(done).toEqual([20]);
  });

  it('are seen in smaller parts of the batch', async () => {
    const batch = randomBatch(float32, 1000, 2, 4);
    const grid = {
      gamma: Float64Array.from({ length: 30_000 }, (_, i) => i / 100),
      alpha: [0.25, null],
    };
    const done: number[] = [];
    const table = await sweepAsync(batch.logits, batch.targets, {
      ...grid,
      onProgress: (rows) => done.push(rows),
    });
    // 64 rows at a time, fewer than which are not worth a turn.
    expect(done).toEqual([...Array.from({ length: 15 }, (_, i) => 64 * (i + 1)), 1000]);
    expect(sameBits(table.losses, sweep(batch.logits, batch.targets, grid).losses)).toBe(true);
  });

  it('are refused where they are too many', async () => {
    const message = (n: number) =>
      `alpha, gamma and labelSmoothing must be at most 1048576 settings, got ${n}`;
    const many = new Float64Array(2 ** 20 + 1);
    const thousand = new Float64Array(1024);
    for (const [options, settings] of [
      [{ gamma: new Float64Array(3e7) }, 3e7],
      [{ alpha: many }, many.length],
      [{ labelSmoothing: many }, many.length],
      [{ gamma: thousand, alpha: thousand, labelSmoothing: [0, 0.1] }, 2 ** 21],
      [{ gamma: { length: 2 ** 53 } as ArrayLike<number> }, 2 ** 53],
    ] as const) {
      expectFailure(() => sweep(logits, targets, options), RangeError, message(settings));
      await expect(sweepAsync(logits, targets, options)).rejects.toThrow(message(settings));
    }
    expectFailure(
      () => sweep(logits, targets, { gamma: { length: Number.NaN } as ArrayLike<number> }),
      RangeError,
      'gamma needs 1 entry or more, got NaN',
    );
  });
});

describe('as text', () => {
  const logits = new Float64Array([2.5, -1, 0.5, 0.5, -1, 2]);
  const targets = new Uint8Array([0, 1, 1]);
  const table = sweep(logits, targets, {
    alpha: [0.25, [0.2, 0.8], null],
    gamma: [0.5, 2],
    metric: ({ gamma, alpha }) => (alpha === null ? Number.NaN : 1 / gamma),
  });
  const expected = [
    'alpha    gamma  labelSmoothing       loss  metric',
    '0.25       0.5               0  0.0429992       2  best',
    '0.25         2               0  0.0144561     0.5',
    '0.2 0.8    0.5               0   0.133862       2',
    '0.2 0.8      2               0  0.0462407     0.5',
    'null       0.5               0   0.168601       -',
    'null         2               0  0.0578072       -',
  ];

  it('is a table, and so it is in consoles', () => {
    expect(`${table}`.split('\n')).toEqual(expected);
    expect(inspect(table).split('\n')).toEqual(expected);
    // The array holds what it held.
    expect(Object.keys(table)).toEqual(['rows', 'losses', 'count', 'best', 'warning']);
    expect(JSON.parse(JSON.stringify(table)).rows[0]).toMatchObject({
      alpha: 0.25,
      gamma: 0.5,
      metric: 2,
    });
  });

  it('has rows that console.table takes', () => {
    let text = '';
    const stdout = new Writable({
      write(chunk, _, done) {
        text += chunk;
        done();
      },
    });
    new Console({ stdout }).table(table.rows, [
      'alpha',
      'gamma',
      'labelSmoothing',
      'loss',
      'metric',
    ]);
    const cells = text.split('\n').map((line) => line.split('│').map((cell) => cell.trim()));
    expect(cells[1].slice(2, 7)).toEqual(['alpha', 'gamma', 'labelSmoothing', 'loss', 'metric']);
    expect(cells[3].slice(2, 7)).toEqual(['0.25', '0.5', '0', String(table.losses[0]), '2']);
  });

  it('has no metric where there is none', () => {
    expect(`${sweep(logits, targets)}`).toBe(
      ['alpha  gamma  labelSmoothing       loss', '0.25       2               0  0.0144561'].join(
        '\n',
      ),
    );
  });

  it('says how many rows of a long one are left out, and shows the best', () => {
    const gamma = Float64Array.from({ length: 100 }, (_, i) => i);
    const lines = `${sweep(logits, targets, { gamma })}`.split('\n');
    expect(lines).toHaveLength(62);
    expect(lines.at(-1)).toBe('40 more in rows');
    const withBest = `${sweep(logits, targets, { gamma, metric: (setting) => setting.gamma })}`
      .split('\n')
      .slice(-3);
    expect(withBest[0]).toBe('40 more in rows, the best of them');
    expect(withBest[2]).toMatch(/^0\.25 +99 .* 99 +best$/);
    const atTop = `${sweep(logits, targets, { gamma, metric: (setting) => -setting.gamma })}`.split(
      '\n',
    );
    expect(atTop.at(-1)).toBe('40 more in rows');
    expect(`${sweep(logits, targets, { alpha: [[1, 2]], gamma: 0 })}`).toContain('1 2');
  });
});

describe('a criterion', () => {
  const { logits, targets } = randomBatch(float64, 30, 3, 5);

  it('says what the options do not', () => {
    const criterion = new main.FocalLoss({
      alpha: [0.2, 0.3, 0.5],
      gamma: 1.5,
      labelSmoothing: 0.1,
      ignoreIndex: 1,
      normalizer: 7,
      numClasses: 3,
      reduction: 'none',
    });
    const { rows, count } = sweep(logits, targets, { criterion });
    expect(rows).toMatchObject([{ alpha: [0.2, 0.3, 0.5], gamma: 1.5, labelSmoothing: 0.1 }]);
    expect(rows[0].loss).toBeCloseTo(
      criterion.with({ reduction: 'mean' }).forward(logits, targets),
      14,
    );
    expect(count).toBe(targets.filter((target) => target !== 1).length);
    const other = sweep(logits, targets, { criterion, gamma: [0, 2], alpha: null, normalizer: 3 });
    expect(other.rows).toMatchObject([
      { alpha: null, gamma: 0, labelSmoothing: 0.1 },
      { gamma: 2 },
    ]);
    expect(other.rows[1].loss).toBeCloseTo(
      criterion
        .with({ alpha: null, gamma: 2, reduction: 'mean', normalizer: 3 })
        .forward(logits, targets),
      14,
    );
    expectFailure(
      () => sweep(logits.subarray(0, 60), targets, { criterion }),
      RangeError,
      'logits must have 30 rows (targets.length) of 3 classes (numClasses), 90 entries in all, got 60',
    );
  });
});

it('errors name the argument and the value', () => {
  const [logits, targets] = [new Float32Array(4), new Int32Array(2)];
  const wrong = (options: unknown, kind: ErrorConstructor, message: string) =>
    expectFailure(() => sweep(logits, targets, options as SweepOptions), kind, message);
  wrong(
    { alpha: '0.25' },
    TypeError,
    'alpha must be what it is to be, or an array of that, got "0.25"',
  );
  wrong(
    { gamma: {} },
    TypeError,
    'gamma must be what it is to be, or an array of that, got an object',
  );
  wrong({ gamma: null }, TypeError, 'gamma[0] must be a number, got null');
  wrong({ gamma: [] }, RangeError, 'gamma needs 1 entry or more, got 0');
  const others = 'in [0, 1] (weights of the classes are an array of their own)';
  wrong({ alpha: [0.2, 1.5] }, RangeError, `alpha[1] must be ${others}, got 1.5`);
  wrong({ alpha: -1 }, RangeError, `alpha[0] must be ${others}, got -1`);
  wrong({ alpha: [[1, 2, 3]] }, RangeError, 'alpha must have one entry per class, 2, got 3');
  wrong(
    { alpha: [[1, 2], 0.5, [1, 2, 3]] },
    RangeError,
    'alpha must have one entry per class, 2, got 3',
  );
  wrong({ gamma: [1, -1] }, RangeError, 'gamma[1] must be finite and not negative, got -1');
  wrong({ gamma: [[1, 2]] }, TypeError, 'gamma[0] must be a number, got an Array');
  wrong({ labelSmoothing: [2] }, RangeError, 'labelSmoothing[0] must be in [0, 1], got 2');
  wrong({ metric: 0.5 }, TypeError, 'metric must be a function that returns a number, got 0.5');
  wrong({ criterion: {} }, TypeError, 'criterion must be a loss of this package, got an object');
  const swept = 'criterion must be a FocalLoss or a SigmoidFocalLoss, got a CrossEntropyLoss';
  wrong({ criterion: new CrossEntropyLoss() }, TypeError, swept);
  wrong(
    { criterion: new FocalLoss({ focusOn: 'target' }) },
    TypeError,
    `criterion.focusOn must be 'smoothed', got "target"`,
  );
  wrong(
    { criterion: new FocalLoss({ layout: 'channels-first' }) },
    TypeError,
    `criterion.layout must be 'channels-last', got "channels-first"`,
  );
  wrong(
    { criterion: new FocalLoss({ gamma: [1, 2] }) },
    TypeError,
    'criterion.gamma must be a number, got an Array',
  );
  wrong({ reduction: 'none' }, TypeError, `reduction must be 'mean' or 'sum', got "none"`);
  wrong({ normalizer: 0 }, RangeError, 'normalizer must be finite and above 0, got 0');
  wrong(
    { numClasses: 3 },
    RangeError,
    'logits must have 2 rows (targets.length) of 3 classes (numClasses), 6 entries in all, got 4',
  );
  wrong(
    { sampleWeights: new Float32Array(3) },
    RangeError,
    'sampleWeights must have one entry per row, 2, got 3',
  );
  wrong(
    { best: true },
    TypeError,
    'unknown option "best"; known are criterion, alpha, gamma, labelSmoothing, reduction, normalizer, ignoreIndex, numClasses, sampleWeights, metric',
  );
  expectFailure(
    () => sweep(logits, new Int32Array([0, 2])),
    RangeError,
    'targets[1] must be a class in [0, 2), got 2',
  );
  expectFailure(
    () => sweep(logits, new Float32Array([1, 0, 0.5, 0.4]), { numClasses: 2 }),
    RangeError,
    'targets: the probabilities of row 1 must add up to 1, within 0.001, got 0.9000000059604645',
  );
  expectFailure(
    () => sweep(logits, new Float32Array(4), { ignoreIndex: 1, numClasses: 2 }),
    TypeError,
    'targets must be class indices where ignoreIndex is given, got a Float32Array',
  );
});
