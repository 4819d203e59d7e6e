import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BUDGET, measure, sizeTable } from '../../scripts/size/sizes.js';

const sizes = measure();
console.log(sizeTable(sizes));

it('the main entry keeps to its budget', () => {
  expect(sizes.entry.brotli).toBeLessThanOrEqual(BUDGET);
});

it('the README says how large the entries are', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const rows = readme.matchAll(/^\| \[?`focal-loss(?:\/([\w/]+))?`.* \| ([\d.]+) KB.* \|$/gm);
  const stated = Object.fromEntries(
    [...rows].map(([, entry = 'index', size]) => [entry.replace('/', '-'), Number(size)]),
  );
  const measured = Object.fromEntries(
    Object.entries(sizes.others).map(([path, { brotli }]) => [path.slice(5, -3), brotli]),
  );
  expect(Object.keys(stated).sort()).toEqual(['index', ...Object.keys(measured)].sort());
  for (const [entry, size] of Object.entries({ ...measured, index: sizes.entry.brotli })) {
    expect(Math.abs(size / 1000 / (stated[entry] as number) - 1), entry).toBeLessThan(0.05);
  }
});

it('the module takes hardly more as a part of it than by itself', () => {
  // 2 % more is what it took when this was written, and in base64 60 %.
  expect(sizes.entry.brotli - sizes.code.brotli).toBeLessThan(1.05 * sizes.module.brotli);
});
