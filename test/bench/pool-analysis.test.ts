import { expect, it } from 'vitest';
import { measurePoolAnalysis, poolAnalysisTable } from '../../scripts/bench/pool-analysis.js';

it('what workers do of the analysis is timed beside one thread, and as many pools of one', async () => {
  let rounds = 0;
  const results = await measurePoolAnalysis(2, 1, () => rounds++, [[30, 2]]);
  expect(rounds).toBe(3);
  expect(results).toHaveLength(9);
  expect(results[0]?.speedup.median).toBe(1);
  const text = poolAnalysisTable(results);
  for (const name of ['[30, 2]', 'sweep', 'LossMeter', 'report', 'as many'])
    expect(text).toContain(name);
});
