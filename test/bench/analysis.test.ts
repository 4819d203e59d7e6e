import { expect, it } from 'vitest';
import { analysisTable, measureAnalysis } from '../../scripts/bench/analysis.js';

it('the functions of focal-loss/analysis are timed beside the loss', async () => {
  let rounds = 0;
  const results = await measureAnalysis(1, () => rounds++, [
    [50, 2],
    [20, 5],
  ]);
  expect(rounds).toBe(2);
  const names = results.filter(({ classes }) => classes === 5).map(({ name }) => name);
  expect(names).toContain('diagnose');
  expect(names).toContain('classificationReport');
  expect(results).toHaveLength(2 * names.length);
  expect(results[0]).toMatchObject({ rows: 50, classes: 2, name: 'forward', ratio: { median: 1 } });
  const lines = analysisTable(results).split('\n');
  for (const { name } of results) expect(lines.some((line) => line.includes(name))).toBe(true);
});
