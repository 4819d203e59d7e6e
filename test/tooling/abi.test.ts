import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as abi from '../../ts/module/abi.js';

const page = readFileSync(new URL('../../docs/abi.md', import.meta.url), 'utf8');

/** The numbers that hosts other than JavaScript have to know. */
const DOCUMENTED = /^(?:AREA_|NUMBER_|TOTAL_)/;

it('the page on the module has the numbers of the code', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)];
  const stated = Object.fromEntries(rows.map(([, name, value]) => [name, Number(value)]));
  for (const [name, value] of Object.entries(stated))
    expect({ name, value }).toEqual({ name, value: Reflect.get(abi, name) });
  const missing = Object.keys(abi).filter((name) => DOCUMENTED.test(name) && !(name in stated));
  expect(missing).toEqual([]);
  expect(rows.length).toBeGreaterThan(40);
});
