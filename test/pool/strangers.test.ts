import { AsymmetricLoss, FocalLoss } from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import { createPool } from 'focal-loss/pool';
import { describe, expect, it } from 'vitest';
import { bitsOf, MANY } from './pools.js';

// Calls in the middle of what others do: properties of all objects, getters that call the pool, and
// criteria of other copies of the package.

const criterion = new FocalLoss({ alpha: [0.3, 0.7] });
const logits = Float32Array.from({ length: 2 * MANY }, (_, i) => 4 * Math.sin(i));
const targets = Int32Array.from({ length: MANY }, (_, i) => i % 2);
const expected = bitsOf(criterion.valueAndGrad(logits, targets));

/** The names of options, of messages, and of fields of what is handed around. */
const NAMES =
  'size worker startTimeout signal grad gradOutput numClasses normalizer sampleWeights spatialSize ' +
  'probe error results values partials checksFirst lost reason on isWide columns isHeavy buffer ' +
  'parts thread transfer get set value writable enumerable configurable analysis pool task kept ' +
  'whole took replied data part chunk result unit entries block step names metric onProgress ' +
  'useCallingThread takesPart tasks stock tell alpha gamma labelSmoothing ignoreIndex reduction layout criterion dispose';

it('properties that all objects have are nobody’s options', async () => {
  await using pool = await createPool({ size: 2, analysis: analysis.poolAnalysis });
  const grid = { alpha: [null, 0.3], gamma: [0, 2] };
  const meter = new analysis.ReportMeter({ auc: false });
  const names = NAMES.split(' ');
  for (const name of names) {
    const descriptor = { __proto__: null, value: 1, configurable: true, writable: true };
    Object.defineProperty(Object.prototype, name, descriptor as PropertyDescriptor);
  }
  let calls: readonly Promise<unknown>[];
  try {
    calls = [
      pool.valueAndGrad(criterion, logits, targets, {}),
      pool.load(logits, targets),
      pool.sweep(logits, targets, grid),
      analysis.sweepAsync(logits, targets, { ...grid, pool }),
      meter.update(logits, targets, { pool }),
    ];
  } finally {
    for (const name of names) Reflect.deleteProperty(Object.prototype, name);
  }
  const [result, , ...tables] = await Promise.all(calls);
  expect(bitsOf(result)).toBe(expected);
  const { losses } = analysis.sweep(logits, targets, grid);
  for (const table of tables.slice(0, 2))
    expect((table as analysis.SweepTable).losses).toEqual(losses);
  const whole = new analysis.ReportMeter({ auc: false }).update(logits, targets);
  expect(JSON.stringify(meter)).toBe(JSON.stringify(whole));
});

it('getters of options may call the pool', async () => {
  await using pool = await createPool({ size: 2 });
  const inner: Promise<unknown>[] = [];
  const sampleWeights = new Float32Array(MANY).fill(0.5);
  const options = {
    get sampleWeights() {
      inner.push(pool.valueAndGrad(criterion, logits, targets));
      return sampleWeights;
    },
  };
  const outer = await pool.valueAndGrad(criterion, logits, targets, options);
  expect(bitsOf(outer)).toBe(bitsOf(criterion.valueAndGrad(logits, targets, { sampleWeights })));
  expect(inner.length).toBeGreaterThan(0);
  for (const result of await Promise.all(inner)) expect(bitsOf(result)).toBe(expected);
});

it('getters of what workers sweep, see and report may call the pool', async () => {
  await using pool = await createPool({ size: 2, analysis: analysis.poolAnalysis });
  const inner: Promise<unknown>[] = [];
  const call = () => inner.push(pool.valueAndGrad(criterion, logits, targets));
  const grid = {
    get gamma() {
      call();
      criterion.forward(logits, targets);
      return [0, 2];
    },
  };
  const update = {
    get pool() {
      call();
      criterion.forward(logits, targets);
      return pool;
    },
  };
  const data = await pool.load(
    {
      get data() {
        call();
        return logits;
      },
      dims: [MANY, 2],
    },
    targets,
  );
  const { losses } = analysis.sweep(logits, targets, { gamma: [0, 2] });
  expect((await pool.sweep(data, grid)).losses).toEqual(losses);
  expect((await analysis.sweepAsync(logits, targets, { gamma: [0, 2], ...update })).losses).toEqual(
    losses,
  );
  const meter = new analysis.LossMeter(criterion);
  await meter.update(logits, targets, update);
  const whole = new analysis.LossMeter(criterion).update(logits, targets);
  expect(JSON.stringify(meter)).toBe(JSON.stringify(whole));
  expect(inner.length).toBeGreaterThan(3);
  for (const result of await Promise.all(inner)) expect(bitsOf(result)).toBe(expected);
});

it('criteria of every entry are taken', async () => {
  await using pool = await createPool({ size: 2 });
  const other = new analysis.FocalLoss({ alpha: [0.3, 0.7] });
  expect(bitsOf(await pool.valueAndGrad(other, logits, targets))).toBe(expected);
  const yes = logits.map((x) => Number(x > 1));
  const labels = new analysis.AsymmetricLoss({ margin: 0.1 });
  const value = await pool.forward(labels, logits, yes);
  expect(value).toBe(new AsymmetricLoss({ margin: 0.1 }).forward(logits, yes));
});

it('the options of a loss in an object of one’s own are read anew for each call', async () => {
  await using pool = await createPool({ size: 1 });
  const loose = { ...criterion, gamma: 2 };
  const [x, y] = [logits.subarray(0, 8), targets.subarray(0, 4)];
  for (const gamma of [2, 0]) {
    loose.gamma = gamma;
    const value = new FocalLoss({ alpha: [0.3, 0.7], gamma }).forward(x, y);
    expect(await pool.forward(loose as FocalLoss, x, y)).toBe(value);
  }
  // A note on a loss is no option, whenever it is written.
  const noted = Object.assign(new FocalLoss(), { label: 'run 7' });
  expect(await pool.forward(noted, x, y)).toBe(noted.forward(x, y));
  expect(analysis.posterior(x, noted, { numClasses: 2 })).toEqual(
    analysis.posterior(x, new FocalLoss(), { numClasses: 2 }),
  );
  expect(new analysis.LossMeter(noted).update(x, y).result().mean).toBe(noted.forward(x, y));
});

describe('inputs may be changed as soon as the call has returned its promise', () => {
  // The second takes so long that the calling thread lets others have their turn.
  const slow = new FocalLoss({ gamma: 1.3, labelSmoothing: 0.1 });
  const cases = [
    [criterion, logits, targets],
    [slow, Float64Array.from({ length: 16 * MANY }, (_, i) => Math.sin(i)), new Uint8Array(MANY)],
  ] as const;

  it.each([true, false])('with the calling thread: %s', async (useCallingThread) => {
    await using pool = await createPool({ size: 2, useCallingThread });
    for (const [loss, logitsOfCase, targetsOfCase] of cases) {
      const [x, y] = [logitsOfCase.slice(), targetsOfCase.slice()];
      const weights = new Float32Array(y.length).fill(0.5);
      const expected = bitsOf(loss.valueAndGrad(x, y, { sampleWeights: weights }));
      const call = pool.valueAndGrad(loss, x, y, { sampleWeights: weights });
      for (const array of [x, weights]) array.fill(0);
      y.fill(9);
      expect(bitsOf(await call)).toBe(expected);
    }
  });
});
