import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const bundle = readFileSync(fileURLToPath(import.meta.resolve('focal-loss')), 'utf8');

it('holds the module itself, and no code that would fetch it', () => {
  expect(bundle.length).toBeGreaterThan(10_000);
  expect(bundle).not.toMatch(/\bfetch\b|import\.meta|new URL|node:|\brequire\b/);
});

it('has no import, and awaits nothing when it is loaded', () => {
  expect(bundle).not.toMatch(/^\s*import\b/m);
  expect(bundle).not.toMatch(/^(?:(?:var|let|const) .*=\s*)?await\b/m);
});
