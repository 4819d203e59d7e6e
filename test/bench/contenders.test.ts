import { describe, expect, it } from 'vitest';
import { checkAgreement } from '../../scripts/bench/agreement.js';
import type { Run } from '../../scripts/bench/contender.js';
import { focalLoss } from '../../scripts/bench/contenders/focal-loss.js';
import { plainJs } from '../../scripts/bench/contenders/plain-js.js';
import { plainJsTwo } from '../../scripts/bench/contenders/plain-js-two.js';
import { quartiles, timeInterleaved } from '../../scripts/bench/timing.js';
import { makeWorkload } from '../../scripts/bench/workload.js';

describe("the benchmark's contenders", () => {
  it.each([
    [focalLoss, 2],
    [focalLoss, 10],
    [plainJsTwo, 2],
  ])('compute what the plain loop computes', async (contender, classes) => {
    const workload = makeWorkload({ rows: 100, classes });
    for (const gamma of [2, 1.5]) {
      const run = await contender.prepare({ ...workload, gamma });
      const trusted = await plainJs.prepare({ ...workload, gamma });
      if (!(run && trusted)) throw new Error('a contender refused');
      checkAgreement(workload, contender.name, run, plainJs.name, trusted);
    }
  });

  it('may refuse a shape', async () => {
    expect(await plainJsTwo.prepare(makeWorkload({ rows: 4, classes: 3 }))).toBeUndefined();
  });
});

describe('the check that contenders agree', () => {
  const workload = makeWorkload({ rows: 2, classes: 2 });
  const run = (value: number, ...grad: number[]): Run => ({ call: () => value, grad: () => Float32Array.from(grad) });
  const trusted = run(1, 0.5, -0.5, 1e-3, -1e-3);
  const check = (suspect: Run) => () => checkAgreement(workload, 'suspect', suspect, 'trusted', trusted);

  it('lets the rounding of float32 pass', () => {
    expect(check(run(1.00001, 0.50001, -0.5, 1e-3, -1.0001e-3))).not.toThrow();
  });

  it.each([
    ['another value', run(1.001, 0.5, -0.5, 1e-3, -1e-3), 'suspect against trusted at [2, 2]: value 1.001, wanted 1'],
    ['no value', run(Number.NaN, 0.5, -0.5, 1e-3, -1e-3), 'value NaN, wanted 1'],
    ['another gradient', run(1, 0.5, -0.5, 1e-3, 1e-3), 'gradient[3]'],
    ['a gradient that is not a number', run(1, 0.5, Number.NaN, 1e-3, -1e-3), 'gradient[1] NaN, wanted -0.5'],
    ['a gradient of another length', run(1, 0.5, -0.5), '2 gradient entries, wanted 4'],
  ])('reports %s', (_, suspect, message) => {
    expect(check(suspect)).toThrow(message);
  });
});

describe('timing', () => {
  it('gives every function a sample in every round', () => {
    let rounds = 0;
    const wait = () => {
      const end = performance.now() + 12;
      while (performance.now() < end);
    };
    const samples = timeInterleaved([wait, wait], 3, () => rounds++);
    expect(rounds).toBe(3);
    expect(samples.map((times) => times.length)).toEqual([3, 3]);
    for (const seconds of samples.flat()) expect(seconds).toBeGreaterThanOrEqual(0.012);
  });

  it('interpolates quartiles', () => {
    expect(quartiles([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25 });
    expect(quartiles([5])).toEqual({ lower: 5, median: 5, upper: 5 });
  });
});
