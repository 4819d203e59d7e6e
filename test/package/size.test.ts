import { expect, it } from 'vitest';
import { BUDGET, measure, sizeTable } from '../../scripts/size/sizes.js';

const sizes = measure();
console.log(sizeTable(sizes));

it('the main entry keeps to its budget', () => {
  expect(sizes.entry.brotli).toBeLessThanOrEqual(BUDGET);
});

it('the module takes hardly more as a part of it than by itself', () => {
  // 2 % more is what it took when this was written, and in base64 60 %.
  expect(sizes.entry.brotli - sizes.code.brotli).toBeLessThan(1.05 * sizes.module.brotli);
});
