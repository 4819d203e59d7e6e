import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import {
  type AnyCriterion,
  CrossEntropyLoss,
  FocalLoss,
  LossMeter,
  poolAnalysis,
  ReportMeter,
  type ReportMeterOptions,
  SigmoidFocalLoss,
  type SweepOptions,
  sweep,
  sweepAsync,
} from 'focal-loss/analysis';
import { createPool, type Pool } from 'focal-loss/pool';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOSSES } from '../losses/index.js';
import { generator } from '../support/random.js';
import { bitsOf, MANY, shared, sharesMemory, WAYS } from './pools.js';

// Sweeps, reports and meters on workers give what they give without, to the bit.

const random = generator(20_261_127);
const ROWS = MANY / 4 + 5001;
const CLASSES = 5;
const logits = Float32Array.from({ length: ROWS * CLASSES }, () => 8 * random() - 4);
const wide = Float64Array.from(logits, (x) => Math.round(8 * x) / 8);
const targets = Int32Array.from({ length: ROWS }, () => Math.floor(CLASSES * random()));
const some = targets.map((target, row) => (row % 7 === 0 ? -1 : target));
const soft = Float32Array.from(logits, (_, i) => (i % CLASSES === 1 ? 0.6 : 0.1));
const yes = logits.map((x) => Number(x > 1));
const rowWeights = Float32Array.from({ length: ROWS }, random);
const weights = Float64Array.from(logits, random);
const table = [0.1, 0.2, 0.3, 0.4, 0.5];

const GRID = { alpha: [null, 0.25, 0, table], gamma: [0, 0.5, 2, 2.2], labelSmoothing: [0, 0.1] };

type Data = readonly [Float32Array | Float64Array, Int32Array | Float32Array];

const SWEEPS: readonly (readonly [string, Data, SweepOptions])[] = [
  ['class indices', [logits, targets], GRID],
  ['rows that do not count', [wide, some], { ...GRID, ignoreIndex: -1, reduction: 'sum' }],
  ['weights of rows', [logits, targets], { ...GRID, sampleWeights: rowWeights, normalizer: 3 }],
  [
    'weights that take float64',
    [logits, targets],
    { ...GRID, sampleWeights: weights.subarray(0, ROWS) },
  ],
  ['probabilities', [logits, soft], { ...GRID, numClasses: CLASSES }],
  [
    'labels',
    [logits, yes],
    { ...GRID, criterion: new SigmoidFocalLoss({ numClasses: CLASSES, posWeight: table }) },
  ],
  [
    'weights of labels',
    [wide, yes],
    { ...GRID, criterion: new SigmoidFocalLoss({ numClasses: CLASSES }), sampleWeights: weights },
  ],
];

const single = logits.subarray(0, MANY);
const REPORTS: readonly (readonly [string, Data, ReportMeterOptions, number | undefined])[] = [
  ['classes', [logits, targets], { topK: 2 }, undefined],
  ['rows that do not count', [wide, some], { ignoreIndex: -1, bins: 7 }, undefined],
  ['two classes', [wide.subarray(0, 2 * ROWS), targets.map((t) => t % 2)], {}, undefined],
  ['without areas', [logits, targets], { auc: false, confusion: false }, undefined],
  ['probabilities', [logits, soft], { numClasses: CLASSES, auc: false }, undefined],
  ['one logit per row', [single, yes.subarray(0, MANY)], { numClasses: 1 }, undefined],
  ['labels', [wide, yes], { criterion: new SigmoidFocalLoss({ numClasses: CLASSES }) }, undefined],
  [
    'the channels first, samples',
    [logits.subarray(0, 60_000 * CLASSES), targets.subarray(0, 60_000)],
    { layout: 'channels-first', numClasses: CLASSES },
    600,
  ],
  [
    'the channels first, one sample',
    [logits, targets],
    { layout: 'channels-first', numClasses: CLASSES, auc: false },
    undefined,
  ],
];

const METERED: readonly (readonly [string, AnyCriterion, Data])[] = LOSSES.flatMap(
  ({ Loss, name, isSigmoid, forms }) =>
    forms(table).map(
      ({ name: form, options, isSoft }) =>
        [
          `${form} of ${name}`,
          new Loss({ ...options, numClasses: CLASSES }) as AnyCriterion,
          [logits, isSigmoid ? yes : isSoft ? soft : targets],
        ] as const,
    ),
);

const text = (value: unknown) => JSON.stringify(value);

describe.each(WAYS)('with %s', (way, makePool) => {
  let pool: Pool;
  beforeAll(async () => {
    pool = await makePool({ size: 3 });
  });
  afterAll(() => pool.close());

  it.each(SWEEPS)('a sweep: %s', async (_, [x, y], options) => {
    const expected = sweep(x, y, options);
    const data = await pool.load(x, y, { numClasses: CLASSES });
    for (const found of [
      await pool.sweep(x, y, options),
      await pool.sweep(data, options),
      await pool.sweep(data, options),
      await sweepAsync(x, y, { ...options, pool }),
    ]) {
      expect(bitsOf(found.losses)).toBe(bitsOf(expected.losses));
      expect(`${found}`).toBe(`${expected}`);
      expect(found.count).toBe(expected.count);
    }
    data.dispose();
  });

  it('a sweep says how far it is, asks for a metric, and knows the best', async () => {
    const metric = ({ gamma }: { gamma: number }) => -Math.abs(gamma - 1);
    const seen: number[] = [];
    const grid = { gamma: [0, 1, 2] };
    const onProgress = (done: number, rows: number) => {
      expect(rows).toBe(ROWS);
      seen.push(done);
    };
    const options = { ...grid, metric: async (row: { gamma: number }) => metric(row), onProgress };
    const found = await pool.sweep(logits, targets, options);
    expect(found.best).toEqual(sweep(logits, targets, { ...grid, metric }).best);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(ROWS);
  });

  it('what onProgress throws, the promise is rejected with', async () => {
    const onProgress = () => {
      throw new Error('of the caller');
    };
    const call = pool.sweep(logits, targets, { ...GRID, onProgress });
    await expect(call).rejects.toThrow('of the caller');
    expect((await pool.sweep(logits, targets, GRID)).count).toBe(ROWS);
  });

  it.each(REPORTS)('a report: %s', async (_, [x, y], options, spatialSize) => {
    const expected = new ReportMeter(options).update(x, y, { spatialSize });
    const meter = new ReportMeter(options);
    expect(await meter.update(x, y, { spatialSize, pool })).toBe(meter);
    expect(text(meter)).toBe(text(expected));
    const report = text(expected.result());
    expect(text(await pool.report(x, y, { ...options, spatialSize }))).toBe(report);
    const data = await pool.load(x, y, { numClasses: options.numClasses });
    expect(text(await pool.report(data, { ...options, spatialSize }))).toBe(report);
    data.dispose();
  });

  it.each(METERED)('a meter of losses: %s', async (_, criterion, [x, y]) => {
    const expected = new LossMeter(criterion).update(x, y).update(x, y);
    const meter = new LossMeter(criterion);
    await Promise.all([meter.update(x, y, { pool }), meter.update(x, y, { pool })]);
    expect(text(meter)).toBe(text(expected));
  });

  it('a meter of losses, by weights of rows and of classes', async () => {
    const weighted = new CrossEntropyLoss({ weight: table, ignoreIndex: -1, numClasses: CLASSES });
    const given = { sampleWeights: rowWeights };
    const expected = new LossMeter(weighted).update(logits, some, given);
    const meter = await new LossMeter(weighted).update(logits, some, { ...given, pool });
    expect(text(meter)).toBe(text(expected));
  });

  it('losses and gradients of data that was loaded', async () => {
    const data = await pool.load(logits, targets);
    for (const options of [{}, { sampleWeights: rowWeights }]) {
      for (const criterion of [new FocalLoss(), new CrossEntropyLoss({ reduction: 'none' })]) {
        const expected = criterion.valueAndGrad(logits, targets, options);
        const grad = shared(logits);
        expect(bitsOf(await pool.forward(criterion, data, options))).toBe(bitsOf(expected.value));
        const both = await pool.valueAndGrad(criterion, data, { ...options, grad });
        expect(bitsOf(both)).toBe(bitsOf(expected));
        expect(both.grad).toBe(grad);
        expect(bitsOf(await pool.backward(criterion, data, options))).toBe(bitsOf(expected.grad));
      }
    }
    const labels = new SigmoidFocalLoss();
    const rated = await pool.load(logits, yes, { numClasses: CLASSES });
    expect(await pool.forward(labels, rated)).toBe(labels.forward(logits, yes));
    const first = new FocalLoss({ layout: 'channels-first', numClasses: CLASSES });
    expect(await pool.forward(first, data)).toBe(first.forward(logits, targets));
  });

  it('data is a copy, unless it lies on shared memory', async () => {
    const [x, y] = [logits.slice(), targets.slice()];
    const data = await pool.load(x, y);
    const inPlace = await pool.load(shared(logits), shared(targets));
    x.fill(0);
    y.fill(77);
    const criterion = new FocalLoss();
    const expected = criterion.forward(logits, targets);
    expect(await pool.forward(criterion, data)).toBe(expected);
    expect(await pool.forward(criterion, inPlace)).toBe(expected);
  });

  it('tensors and rows in plain arrays are loaded, also few', async () => {
    const tensor = await pool.load({ data: logits, dims: [ROWS, CLASSES] }, targets);
    const criterion = new FocalLoss();
    expect(await pool.forward(criterion, tensor)).toBe(criterion.forward(logits, targets));
    const rows = [
      [2, -1],
      [0.5, 0.5],
    ];
    const few = await pool.load(rows, [0, 1]);
    expect(await pool.forward(criterion, few)).toBe(criterion.forward(rows, [0, 1]));
    const { losses } = await pool.sweep(few, { gamma: [0, 2] });
    expect(losses).toEqual(sweep(rows, [0, 1], { gamma: [0, 2] }).losses);
    expect((await pool.report(few)).rows).toBe(2);
  });

  it('data that was disposed of, or is of another pool, is refused', async () => {
    const data = await pool.load(logits, targets);
    const grid = { gamma: [0, 2] };
    const call = pool.sweep(data, grid);
    data[Symbol.dispose]?.();
    data.dispose();
    expect((await call).losses).toEqual(sweep(logits, targets, grid).losses);
    const disposed = 'data has been disposed of';
    await expect(pool.sweep(data, grid)).rejects.toThrow(disposed);
    await expect(pool.report(data)).rejects.toThrow(disposed);
    await expect(pool.forward(new FocalLoss(), data)).rejects.toThrow(disposed);
    await using other = await makePool({ size: 1 });
    const foreign = await other.load(logits, targets);
    await expect(pool.forward(new FocalLoss(), foreign)).rejects.toThrow(
      new TypeError('data must have been loaded by this pool'),
    );
  });

  it('a target that is none: the error names its row, and a meter is left as it was', async () => {
    const wrong = targets.slice();
    wrong[ROWS - 9] = 5;
    wrong[ROWS - 3000] = -4;
    const data = await pool.load(logits, wrong);
    const error = new RangeError(`targets[${ROWS - 3000}] must be a class in [0, 5), got -4`);
    await expect(pool.sweep(logits, wrong, GRID)).rejects.toThrow(error);
    await expect(pool.sweep(data, GRID)).rejects.toThrow(error);
    await expect(pool.report(logits, wrong)).rejects.toThrow(error);
    await expect(pool.forward(new FocalLoss(), data)).rejects.toThrow(error);
    expect(() => sweep(logits, wrong, GRID)).toThrow(error);
    await expect(sweepAsync(logits, wrong, GRID)).rejects.toThrow(error);
    for (const meter of [new LossMeter(new FocalLoss()), new ReportMeter()]) {
      await meter.update(logits, targets, { pool });
      const before = text(meter);
      await expect(meter.update(logits, wrong, { pool })).rejects.toThrow(error);
      expect(text(meter)).toBe(before);
    }
  });

  it('a signal aborts, and the pool goes on; what is aborted before is not begun', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const meter = new LossMeter(new FocalLoss());
    const report = new ReportMeter();
    const calls = [
      pool.sweep(logits, targets, { ...GRID, signal }),
      sweepAsync(logits, targets, { ...GRID, signal, pool }),
      pool.report(logits, targets, { signal }),
      meter.update(logits, targets, { pool, signal }),
      report.update(logits, targets, { pool, signal }),
    ];
    const outcomes = Promise.allSettled(calls);
    controller.abort(new Error('enough'));
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    await expect(pool.sweep(logits, targets, { ...GRID, signal })).rejects.toThrow('enough');
    expect([meter.result().rows, report.result().rows]).toEqual([0, 0]);
    const { losses } = await pool.sweep(logits, targets, GRID);
    expect(losses).toEqual(sweep(logits, targets, GRID).losses);
  });

  it('arguments are refused by their names', async () => {
    const calls: readonly (readonly [() => Promise<unknown>, string])[] = [
      [() => pool.sweep(logits, targets, { gamma: -1 }), 'gamma[0] must be'],
      [() => pool.sweep(logits, targets, { pool } as object), 'unknown option "pool"'],
      [() => pool.sweep(logits, targets, { signal: 1 as never }), 'signal must be an AbortSignal'],
      [() => pool.sweep(logits, targets.subarray(1)), 'must be a multiple of targets.length'],
      [
        () => pool.report(logits, targets, { intervals: {} } as object),
        'unknown option "intervals"',
      ],
      [() => pool.report(logits, targets, { bins: 0 }), 'bins must be an integer in [1, 10000]'],
      [() => pool.load(1 as never, targets), 'logits must be'],
      [() => pool.load(logits, 'ab' as never), 'targets must be'],
      [() => pool.load(logits, targets, { numClasses: 3 }), `logits must have ${ROWS} rows`],
      [() => pool.load(logits, targets.subarray(1)), 'must be a multiple of targets.length'],
      [() => pool.load(logits, yes, { numClasses: 3 }), 'must be a multiple of numClasses'],
      [() => pool.load(logits, targets, { classes: 3 } as object), 'unknown option "classes"'],
      [
        () => sweepAsync(logits, targets, { pool: {} as never }),
        'pool must be a pool of createPool',
      ],
    ];
    for (const [call, message] of calls) await expect(call()).rejects.toThrow(message);
    const meter = new LossMeter(new FocalLoss());
    const update = (options: object) => () => meter.update(logits, targets, options);
    expect(update({ pool: 1 })).toThrow('pool must be a pool of createPool, got 1');
    expect(update({ pool, normalizer: 1 })).toThrow('unknown option "normalizer"');
    expect(update({ signal: 1 })).toThrow('unknown option "signal"');
  });

  it('a worker that ends is replaced', async () => {
    const made: Worker[] = [];
    const code = new URL('analysis-worker.mjs', import.meta.url);
    await using own = await makePool({
      size: 2,
      analysis: poolAnalysis,
      worker: () => {
        const worker = new Worker(code);
        made.push(worker);
        return worker;
      },
    });
    const data = await own.load(logits, targets);
    const expected = bitsOf(sweep(logits, targets, GRID).losses);
    const call = own.sweep(data, GRID);
    void made[0]?.terminate();
    if (sharesMemory(way)) expect(bitsOf((await call).losses)).toBe(expected);
    else await call.catch(({ message }) => expect(message).toContain('workers ended while'));
    // The next one is sent what it had of the data, once the pool hears of the end.
    await vi.waitFor(async () => {
      expect(bitsOf((await own.sweep(data, GRID)).losses)).toBe(expected);
      expect(made).toHaveLength(3);
    }, 60_000);
  });

  it('close rejects what is under way, and all that follows', async () => {
    const own = await makePool({ size: 2, analysis: poolAnalysis });
    const data = await own.load(logits, targets);
    const calls = [own.sweep(data, GRID), own.report(data)];
    const outcomes = Promise.allSettled(calls);
    await own.close();
    const reason = { message: 'the pool has been closed' };
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason });
    for (const call of [own.sweep(data), own.report(data), own.load(logits, targets)])
      await expect(call).rejects.toThrow(reason.message);
  });
});

describe.each([1, 2, 5])('%i workers', (size) => {
  it('give the same bits', async () => {
    await using pool = await createPool({ size });
    const expected = bitsOf(sweep(logits, targets, GRID).losses);
    expect(bitsOf((await pool.sweep(logits, targets, GRID)).losses)).toBe(expected);
    const meter = await new ReportMeter().update(logits, targets, { pool });
    expect(text(meter)).toBe(text(new ReportMeter().update(logits, targets)));
  });
});

it('without workers the calling thread computes', async () => {
  const worker = () => new Worker('setInterval(() => {}, 1000)', { eval: true });
  const { warn } = console;
  console.warn = () => {};
  await using pool = await createPool({ size: 2, worker, startTimeout: 1 });
  console.warn = warn;
  expect(pool.size).toBe(0);
  const data = await pool.load(logits, targets);
  const expected = sweep(logits, targets, GRID).losses;
  expect((await pool.sweep(data, GRID)).losses).toEqual(expected);
  expect((await pool.report(data, { auc: false })).rows).toBe(ROWS);
  expect(await pool.forward(new FocalLoss(), data)).toBe(new FocalLoss().forward(logits, targets));
});

it('a worker that knows no analysis says so', async () => {
  const code = new URL(import.meta.resolve('focal-loss/worker'));
  await using pool = await createPool({ size: 1, worker: () => new Worker(code) });
  await expect(pool.sweep(logits, targets, GRID)).rejects.toThrow('which knows no analysis');
  expect(await pool.forward(new FocalLoss(), logits, targets)).toBe(
    new FocalLoss().forward(logits, targets),
  );
});

it('what is no analysis is refused', async () => {
  await expect(createPool({ analysis: {} as never })).rejects.toThrow(
    new TypeError('analysis must be poolAnalysis of focal-loss/analysis, got an object'),
  );
  const { poolAnalysis: slim } = await import('focal-loss/analysis/slim');
  await expect(createPool({ analysis: slim })).rejects.toMatchObject({
    name: 'ModuleError',
    message: 'poolAnalysis must be that of focal-loss/analysis, which has the module for workers',
  });
});

it('workers that learn the analysis take the place of those before, which go', async () => {
  const made: Worker[] = [];
  const code = new URL('analysis-worker.mjs', import.meta.url);
  const pool = await createPool({
    size: 1,
    worker: () => {
      made.push(new Worker(code));
      return made.at(-1) as Worker;
    },
  });
  await pool.sweep(logits, targets, GRID);
  expect(made).toHaveLength(2);
  const ends = made.map((worker) => once(worker, 'exit'));
  await pool.close();
  await Promise.all(ends);
});
