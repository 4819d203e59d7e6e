import { createPool } from 'focal-loss/pool';
import { expect, it } from 'vitest';
import { loadContenders, poolEntries } from '../../scripts/bench/contenders/index.js';
import { measurePool, poolTable } from '../../scripts/bench/pool.js';

it('a pool is timed beside one thread, and processes that share nothing', async () => {
  const pool = await createPool({ size: 2 });
  const { contenders, missing } = await loadContenders(
    ['thread', 'pool', 'processes'],
    poolEntries(pool),
  );
  expect(missing).toEqual([]);
  const names = contenders.map(({ name }) => name);
  expect(names).toEqual([
    'focal-loss',
    'one thread, shared arrays',
    'pool, ordinary arrays',
    'pool, shared arrays',
    '2 processes',
  ]);
  let rounds = 0;
  const results = await measurePool(contenders, 1, () => rounds++, [
    [50, 2],
    [20, 5],
  ]);
  for (const { close } of contenders) close?.();
  await pool.close();
  expect(rounds).toBe(2);
  for (const [i, shape] of ['[50, 2]', '[20, 5]'].entries()) {
    const { case: of, results: times, problems } = results[i];
    expect(of.name).toBe(shape);
    expect(problems).toEqual([]);
    expect(times.map(({ name }) => name)).toEqual(names);
    expect(times[0].ratio.median).toBe(1);
  }
  // A table says how many times as fast each is.
  const text = poolTable(results, names);
  for (const word of ['[50, 2]', '[20, 5]', 'ordinary', 'shared', 'processes'])
    expect(text).toContain(word);
  const [, { ratio }] = results[0].results;
  const twice = { ...ratio, median: 0.5 };
  const made = [
    { ...results[0], results: [results[0].results[0], { ...results[0].results[1], ratio: twice }] },
  ];
  expect(poolTable(made, names.slice(0, 2))).toContain(' 2.00× ');
});
