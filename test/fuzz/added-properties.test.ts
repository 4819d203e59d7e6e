import { readFileSync } from 'node:fs';
import * as main from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import * as analysisSlim from 'focal-loss/analysis/slim';
import * as slim from 'focal-loss/slim';
import { describe, expect, it } from 'vitest';
import { sampled } from '../support/sample.js';
import { bitsOf, harnessOf } from './interrupted-calls.js';

// A page may add properties to all objects, by any name. What the package itself makes, property
// descriptors among it, must not take them for its own: every name that an entry reads is added in
// turn, and every public function called.

const fileOf = (specifier: string) => new URL(import.meta.resolve(specifier));
await slim.init(readFileSync(fileOf('focal-loss/focal-loss.wasm')));
await analysisSlim.init(readFileSync(fileOf('focal-loss/focal-loss-analysis.wasm')));

const DESCRIPTOR = ['get', 'set', 'value', 'writable', 'enumerable', 'configurable'];

/** Places of numbers, too, are names. */
const PLACES = Array.from({ length: 12 }, (_, place) => String(place));

/** The names of properties in a bundle without the module, but for those that all objects have. */
function namesIn(specifier: string): string[] {
  const code = readFileSync(fileOf(specifier), 'utf8');
  const found = code.matchAll(/\.([A-Za-z_$][\w$]{2,})\b(?!\()|[{,]([A-Za-z_$][\w$]{2,}):/g);
  const names = Array.from(found, ([, read, written]) => (read ?? written) as string);
  // A promise takes whatever has a method `then` for another.
  return [...new Set([...names, ...DESCRIPTOR, ...PLACES])].filter(
    (name) => !(name in {}) && name !== 'then',
  );
}

/** Makes a call while all objects have properties of these names. */
function whileAdded(names: readonly string[], value: unknown, call: () => unknown): unknown {
  const descriptor = { __proto__: null, value, configurable: true, writable: true };
  for (const name of names)
    Object.defineProperty(Object.prototype, name, descriptor as PropertyDescriptor);
  try {
    return call();
  } catch (error) {
    return String(error);
  } finally {
    for (const name of names) Reflect.deleteProperty(Object.prototype, name);
  }
}

describe.each([
  ['focal-loss', main, 'focal-loss/slim'],
  ['focal-loss/slim', slim, 'focal-loss/slim'],
  ['focal-loss/analysis', analysis, 'focal-loss/analysis/slim'],
  ['focal-loss/analysis/slim', analysisSlim, 'focal-loss/analysis/slim'],
] as const)('%s', (_, entry, names) => {
  // A meter that is added to gives something else each time.
  const calls = Object.entries(harnessOf(entry as unknown as typeof analysis, 5).calls).filter(
    ([name]) => name !== 'update of one meter',
  );
  const all = namesIn(names);

  it('reads names that are looked for', () => {
    expect(all.length).toBeGreaterThan(100);
    for (const name of ['isWide', 'columns', 'sampleWeights', 'get']) expect(all).toContain(name);
  });

  const values = [
    ['a number', 1],
    ['a function', () => 1],
  ] as const;

  it.each(sampled(values))(
    'gives the same if all objects have all names it reads, each of them %s',
    (_, value) => {
      for (const [name, call] of calls)
        expect(bitsOf(whileAdded(all, value, call)), name).toBe(bitsOf(call()));
    },
  );

  it.each(sampled(DESCRIPTOR))('gives the same if all objects have the property %s', (added) => {
    for (const [name, call] of calls)
      expect(bitsOf(whileAdded([added], 1, call)), name).toBe(bitsOf(call()));
  });
});
