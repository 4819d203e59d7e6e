import * as library from 'focal-loss';
import { expect, test } from 'vitest';
import { runBattery } from './battery.js';
import battery from './battery.json' with { type: 'json' };

test('the package gives the bits of the native crate', () => {
  expect(runBattery(library as never, battery)).toBe(battery.hash);
});
