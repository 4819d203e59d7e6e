import { expect, it } from 'vitest';
import { EXPORTED, LOSSES } from './index.js';

it('every loss that is exported takes part in the tests of all losses', () => {
  expect(LOSSES.map(({ name }) => name).sort()).toEqual([...EXPORTED].sort());
  for (const { name, Loss } of LOSSES) expect(Loss.name).toBe(name);
});
