import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import type { CaseResults } from '../../scripts/bench/bench.js';
import { CASES, plainCase } from '../../scripts/bench/cases.js';
import { comparisonChart, scalingChart } from '../../scripts/bench/chart.js';
import { BEFORE } from '../../scripts/bench/contenders/focal-loss.js';
import { ENTRIES } from '../../scripts/bench/contenders/index.js';
import {
  formatSeconds,
  ratioTable,
  summary,
  targetTable,
  toJson,
} from '../../scripts/bench/report.js';
import { judge, parseTargets, targetsJson } from '../../scripts/bench/targets.js';
import fixture from './results.json' with { type: 'json' };

const names = ENTRIES.map(({ name }) => name);
const spread = (median: number) => ({ lower: median, median, upper: median });
const results: CaseResults[] = fixture.map(({ rows, classes, seconds, ratios }) => ({
  case: plainCase(rows, classes),
  problems: [],
  results: Object.entries(ratios).map(([name, ratio]) => ({
    name,
    seconds: spread(seconds * ratio),
    ratio: spread(ratio),
  })),
}));

const parse = (json: string) =>
  parseTargets(json, ['[32, 2]', '[65536, 2]'], ['plain JS', 'JAX', 'native crate']);

describe('the targets', () => {
  it('name cases and contenders that there are', () => {
    const cases = CASES.map(({ name }) => name);
    const contenders = [...names, BEFORE];
    expect(parseTargets(targetsJson, cases, contenders)).toMatchObject({
      '[32, 2]': { 'plain JS': 4 },
    });
  });

  it.each([
    ['[]x', 'JSON'],
    ['null', 'the targets must be an object'],
    ['{"[32, 3]": {}}', 'there is no case [32, 3]'],
    ['{"[32, 2]": 4}', '[32, 2] must be an object'],
    ['{"[32, 2]": {"PHP": 4}}', 'there is no contender PHP'],
    ['{"[32, 2]": {"JAX": "4"}}', 'JAX has no number'],
    ['{"[32, 2]": {"JAX": 0}}', 'JAX has no number'],
  ])('cannot be %s', (json, message) => {
    expect(() => parse(json)).toThrow(message);
  });

  it('are met or missed; without one, a peer is to be beaten, and a limit is not', () => {
    const verdicts = judge(
      results,
      parse('{"[32, 2]": {"plain JS": 4}, "[65536, 2]": {"native crate": 0.8}}'),
      ENTRIES,
    );
    expect(verdicts).toEqual([
      { case: '[32, 2]', contender: 'plain JS', target: 4, ratio: 3.5, met: false },
      { case: '[32, 2]', contender: 'JAX', target: 1, ratio: 44, met: true },
      { case: '[65536, 2]', contender: 'plain JS', target: 1, ratio: 10.25, met: true },
      { case: '[65536, 2]', contender: 'JAX', target: 1, ratio: 0.97, met: false },
      { case: '[65536, 2]', contender: 'native crate', target: 0.8, ratio: 0.8, met: true },
    ]);
    expect(summary(verdicts)).toBe('3 of 5 met.');
    expect(targetTable(verdicts.slice(1, 2), names)).not.toContain('[32, 2]');
    const cells = targetTable(verdicts, names).replaceAll(/ +/g, ' ');
    expect(cells).toContain('│ [32, 2] │ ✗ 3.50× / 4 │ ✓ 44.0× / 1 │ │');
    expect(cells).toContain('│ [65536, 2] │ ✓ 10.3× / 1 │ ✗ 0.970× / 1 │ ✓ 0.800× / 0.8 │');
  });
});

it('the table has a line per case, and a blank where a contender could not', () => {
  const cells = ratioTable(results, names).replaceAll(/ +/g, ' ');
  expect(cells).toContain('│ [32, 2] │ 0.400 µs │ 80.0 │ 3.50× │ 44.0× │ │ 0.060× │');
  expect(cells).toContain('│ [65536, 2] │ 328 µs │ 200 │ 10.3× │ 0.970× │ 0.800× │ 0.060× │');
});

it('times are written with three digits', () => {
  expect([3.456e-7, 1.2344e-4, 0.0034567, 1.5].map(formatSeconds)).toEqual([
    '0.346 µs',
    '123 µs',
    '3.46 ms',
    '1500 ms',
  ]);
});

it('figures are written with what they were measured on, and no more digits than count', () => {
  const figures = JSON.parse(toJson({ seconds: 1.23456789e-5, name: 'x' }));
  expect(figures).toMatchObject({
    seconds: 1.235e-5,
    name: 'x',
    machine: { node: process.version },
  });
});

describe('the charts', () => {
  const parseSvg = (svg: string) => parseHTML(svg).document;
  const texts = (svg: string) =>
    [...parseSvg(svg).querySelectorAll('text')].map((text) => text.textContent);

  it('show every ratio of the cases that are asked for, on a background', () => {
    const svg = comparisonChart(results, ENTRIES, ['[65536, 2]']);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg).toMatch(/<title>Time of a call/);
    expect(svg).toMatch(/<rect [^>]*fill="white"/);
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['[65536, 2]', 'plain JS', '10.3×', 'JAX', '0.970×', '0.800×']),
    );
    expect(texts(svg)).not.toContain('[32, 2]');
    expect(parseSvg(svg).querySelectorAll('[aria-label="bar"] rect')).toHaveLength(4);
  });

  it('show the time per row at every size', () => {
    const points = [2, 10].flatMap((classes) =>
      [1e3, 1e5, 1e7].map((rows) => ({
        rows,
        classes,
        secondsPerRow: spread(classes * 1e-9),
        wasmMemory: 0,
        rssGrowth: 0,
      })),
    );
    const svg = scalingChart(points);
    expect(texts(svg)).toEqual(
      expect.arrayContaining(['2 classes', '10 classes', 'nanoseconds per row']),
    );
    expect(parseSvg(svg).querySelectorAll('circle')).toHaveLength(6);
  });
});
