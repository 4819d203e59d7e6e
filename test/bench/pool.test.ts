import { createPool } from 'focal-loss/pool';
import { expect, it } from 'vitest';
import { loadContenders, poolEntries } from '../../scripts/bench/contenders/index.js';
import { withoutSharing } from '../../scripts/bench/contenders/shared.js';
import { measurePaused, measurePool, pausedTable, poolTable } from '../../scripts/bench/pool.js';

it('a pool is timed beside one thread, and processes that share nothing', async () => {
  const pool = await createPool({ size: 2 });
  const copying = await withoutSharing(() => createPool({ size: 2 }));
  const { contenders, missing } = await loadContenders(
    ['thread', 'pool', 'processes'],
    poolEntries(pool, copying),
  );
  expect(missing).toEqual([]);
  const names = contenders.map(({ name }) => name);
  expect(names).toEqual([
    'focal-loss',
    'one thread, shared arrays',
    'pool, ordinary arrays',
    'pool, shared arrays',
    'pool without shared memory',
    '2 processes',
  ]);
  let rounds = 0;
  const results = await measurePool(contenders, 1, () => rounds++, [
    [50, 2],
    [20, 5],
  ]);
  for (const { close } of contenders) close?.();
  await Promise.all([pool.close(), copying.close()]);
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

it('a pool is timed after pauses, beside one thread', async () => {
  let rounds = 0;
  const [result] = await measurePaused(2, 2, () => rounds++, [[50, 2]]);
  expect(rounds).toBe(2);
  const { rows, classes, seconds, ordinary, shared } = result;
  expect([rows, classes]).toEqual([50, 2]);
  for (const { lower, median, upper } of [seconds, ordinary, shared]) {
    expect(lower).toBeGreaterThan(0);
    expect(median).toBeGreaterThanOrEqual(lower);
    expect(upper).toBeGreaterThanOrEqual(median);
  }
  const twice = { lower: 2, median: 2, upper: 2 };
  const text = pausedTable([{ ...result, shared: twice }]);
  for (const word of ['[50, 2]', 'ordinary', ' 2.00×']) expect(text).toContain(word);
});
