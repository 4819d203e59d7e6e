import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { disagreement } from '../../scripts/bench/agreement.js';
import { benchCase } from '../../scripts/bench/bench.js';
import {
  CASES,
  type Case,
  makeWorkload,
  plainCase,
  selectCases,
} from '../../scripts/bench/cases.js';
import type { Contender } from '../../scripts/bench/contender.js';
import { focalLoss } from '../../scripts/bench/contenders/focal-loss.js';
import { allocatedBytes } from '../../scripts/bench/garbage.js';
import { quartiles, timeInterleaved } from '../../scripts/bench/timing.js';
import { root } from '../../scripts/bootstrap/paths.mjs';

describe('the cases', () => {
  it('have names of their own', () => {
    expect(new Set(CASES.map(({ name }) => name)).size).toBe(CASES.length);
  });

  it('are selected by a part of their names', () => {
    const names = (pattern: string) => selectCases(pattern).map(({ name }) => name);
    expect(names('')).toHaveLength(CASES.length);
    expect(names('[32,2]')).toEqual(['[32, 2]']);
    expect(names('65536,2] FLOAT64')).toEqual(['[65536, 2] float64']);
    expect(names('nothing')).toEqual([]);
  });

  it('have the data they speak of', () => {
    for (const one of CASES) {
      const rows = Math.min(one.rows, 1000);
      const classes = Math.min(one.classes, 50);
      const { logits, targets } = makeWorkload({ ...one, rows, classes });
      expect(logits).toBeInstanceOf(one.dtype === 'float32' ? Float32Array : Float64Array);
      expect(logits).toHaveLength(rows * classes);
      const widest = Math.max(...logits) - Math.min(...logits);
      expect(widest).toBeGreaterThan(0.8 * one.spread);
      expect(widest).toBeLessThanOrEqual(one.spread);
      expectTargets(one.loss.kind, targets, [rows, classes]);
    }
  });
});

function expectTargets(
  kind: Case['loss']['kind'],
  targets: ArrayLike<number>,
  [rows, classes]: readonly [number, number],
) {
  const all = Array.from(targets);
  const isPerRow = kind === 'focal' || kind === 'cross-entropy';
  expect(all).toHaveLength(isPerRow ? rows : rows * classes);
  if (kind === 'soft-focal') {
    for (let start = 0; start < all.length; start += classes) {
      const sum = all.slice(start, start + classes).reduce((total, share) => total + share);
      expect(sum).toBeCloseTo(1, 5);
    }
    return;
  }
  expect(Math.max(...all)).toBe(isPerRow ? classes - 1 : 1);
  expect(Math.min(...all)).toBe(0);
}

describe('the check that contenders agree', () => {
  const one = plainCase(2, 2);
  const outcome = (value: number, ...grad: number[]) => ({ value, grad: Float32Array.from(grad) });
  const trusted = outcome(1, 0.5, -0.5, 1e-3, -1e-3);

  it('lets the rounding of float32 pass', () => {
    expect(
      disagreement(one, outcome(1.00001, 0.50001, -0.5, 1e-3, -1.0001e-3), trusted),
    ).toBeUndefined();
  });

  it('lets a sum of many terms be off by more', () => {
    const value = (rows: number) =>
      disagreement({ ...one, rows, gradient: false }, { value: 1.0015 }, { value: 1 });
    expect(value(1e6)).toBeUndefined();
    expect(value(1e5)).toBe('value 1.0015, wanted 1');
  });

  it('lets no more than the rounding of float64 pass where it is float64', () => {
    const problem = disagreement(
      { ...one, dtype: 'float64' },
      outcome(1.00001, 0.5, -0.5, 1e-3, -1e-3),
      trusted,
    );
    expect(problem).toBe('value 1.00001, wanted 1');
  });

  it.each([
    ['another value', outcome(1.001, 0.5, -0.5, 1e-3, -1e-3), 'value 1.001, wanted 1'],
    ['no value', outcome(Number.NaN, 0.5, -0.5, 1e-3, -1e-3), 'value NaN, wanted 1'],
    ['another gradient', outcome(1, 0.5, -0.5, 1e-3, 1e-3), 'gradient[3]'],
    [
      'a gradient that is not a number',
      outcome(1, 0.5, Number.NaN, 1e-3, -1e-3),
      'gradient[1] NaN, wanted -0.5',
    ],
    ['a gradient of another length', outcome(1, 0.5, -0.5), '2 gradient entries, wanted 4'],
    ['no gradient', { value: 1 }, 'no gradient'],
  ])('reports %s', (_, suspect, message) => {
    expect(disagreement(one, suspect, trusted)).toContain(message);
  });
});

describe('a case', () => {
  it('is measured with those that agree, and says who was left out', async () => {
    const wrong: Contender = {
      name: 'wrong',
      about: '',
      prepare: async ({ logits }) => ({
        time: () => 1,
        outcome: () => ({ value: 1, grad: logits }),
      }),
    };
    const broken: Contender = {
      name: 'broken',
      about: '',
      prepare: () => Promise.reject(new Error('out of order')),
    };
    const refusing: Contender = { name: 'refusing', about: '', prepare: async () => undefined };
    const slow: Contender = {
      name: 'slow',
      about: '',
      prepare: async () => ({ time: (calls) => 0.1 * calls }),
    };

    let rounds = 0;
    const contenders = [focalLoss, wrong, broken, refusing, slow];
    const { results, problems } = await benchCase(plainCase(8, 2), contenders, 2, () => rounds++);
    expect(rounds).toBe(2);
    expect(results.map(({ name }) => name)).toEqual(['focal-loss', 'slow']);
    expect(results[0]?.ratio.median).toBe(1);
    expect(results[1]?.seconds.median).toBeCloseTo(0.1, 9);
    expect(problems).toEqual([
      expect.stringContaining('wrong at [8, 2]: value 1, wanted 0.'),
      'broken at [8, 2]: out of order',
    ]);
  });
});

describe('timing', () => {
  const lasting = (seconds: number) => ({ time: (calls: number) => seconds * calls });

  it('gives everyone a sample in every round', async () => {
    const done: number[] = [];
    const samples = await timeInterleaved([lasting(1e-6), lasting(0.02)], 3, (round) =>
      done.push(round),
    );
    expect(done).toEqual([1, 2, 3]);
    expect(samples.map((times) => times.map((seconds) => seconds.toFixed(6)))).toEqual([
      ['0.000001', '0.000001', '0.000001'],
      ['0.020000', '0.020000', '0.020000'],
    ]);
  });

  it('gives those that are slow fewer samples, spread evenly', async () => {
    const [fast = [], slow = []] = await timeInterleaved(
      [lasting(0.01), lasting(0.5)],
      12,
      () => {},
    );
    expect(Object.keys(fast)).toHaveLength(12);
    expect(Object.keys(slow)).toEqual(['0', '3', '6', '9']);
    expect(quartiles(slow)).toEqual({ lower: 0.5, median: 0.5, upper: 0.5 });
  });

  it('interpolates quartiles', () => {
    expect(quartiles([4, 1, 3, 2])).toEqual({ lower: 1.75, median: 2.5, upper: 3.25 });
    expect(quartiles([5])).toEqual({ lower: 5, median: 5, upper: 5 });
    expect(quartiles([4, 1, 3, 2, 5])).toEqual({ lower: 2, median: 3, upper: 4 });
    expect(quartiles([10, 0])).toEqual({ lower: 2.5, median: 5, upper: 7.5 });
  });
});

it('what a function allocates is counted, collected or not', async () => {
  const kept: number[][] = [];
  const bytes = await allocatedBytes(() => {
    for (let i = 0; i < 200_000; i++) kept[i % 10] = [i, i + 0.5];
  });
  // Two numbers and what holds them: at least 48 bytes, several times what the youngest generation
  // has room for in all.
  expect(bytes / 200_000).toBeGreaterThan(47);
  expect(bytes / 200_000).toBeLessThan(200);
});

describe('the program', () => {
  const cache = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  afterAll(() => rmSync(cache, { recursive: true }));

  /** The cache is one where nothing has been installed to compare with. */
  const run = (...args: string[]) => {
    const main = fileURLToPath(new URL('../../scripts/bench/main.ts', import.meta.url));
    const tsx = fileURLToPath(import.meta.resolve('tsx/cli'));
    return spawnSync(process.execPath, [tsx, main, ...args], {
      encoding: 'utf8',
      cwd: root,
      env: { ...process.env, XDG_CACHE_HOME: cache },
    });
  };

  it('prints ratios and targets of what it is asked for, and writes figures and chart', () => {
    const what = [
      '--only',
      '[256,2]',
      '--contenders',
      'plain,copy,TF.js wasm',
      '--rounds',
      '1',
      '--output',
      cache,
    ];
    const { stdout, stderr, status } = run(...what);
    const figures = JSON.parse(readFileSync(join(cache, 'latest.json'), 'utf8'));
    const chart = readFileSync(join(cache, 'latest.svg'), 'utf8');
    expect(stderr).not.toContain('Error');
    expect(status).toBe(0);
    expect(figures).toMatchObject({ rounds: 1, results: [{ case: { name: '[256, 2]' } }] });
    expect(chart).toContain('<svg');
    expect(stdout).toMatch(/│ \[256, 2\] .* µs │ .*×/);
    expect(stdout).toMatch(/Targets: .* 2 met/);
    expect(stdout).not.toContain('[32, 2]');
    expect(stdout).toMatch(
      /Not measured: TF\.js wasm: .*@tensorflow\/tfjs.* \(npm run bench installs it/,
    );
  });

  it('says what is wrong with its arguments', () => {
    expect(run('--rounds', '0')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('--rounds'),
    });
    expect(run('--only', 'nothing')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('"nothing"'),
    });
  });
});
