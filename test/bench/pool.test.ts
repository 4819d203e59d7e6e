import { expect, it } from 'vitest';
import { measurePool, poolTable } from '../../scripts/bench/pool.js';

it('a pool is timed beside one thread', async () => {
  let rounds = 0;
  const results = await measurePool(2, 1, () => rounds++, [
    [50, 2],
    [20, 5],
  ]);
  expect(rounds).toBe(2);
  expect(results).toHaveLength(6);
  expect(results[0]).toMatchObject({ rows: 50, classes: 2, way: 'one thread' });
  expect(results[0]?.speedup.median).toBe(1);
  const text = poolTable(results);
  for (const name of ['[50, 2]', '[20, 5]', 'shared']) expect(text).toContain(name);
});
