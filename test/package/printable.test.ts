import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toPrintable } from '../../scripts/build/printable.mjs';
import { fromPrintable } from '../../ts/module/base91.js';

const module = readFileSync(new URL('../../crate/pkg/focal_loss_bg.wasm', import.meta.url));

/** Every byte before every byte. */
const pairs = Uint8Array.from({ length: 2 ** 17 }, (_, i) => (i % 2 === 0 ? i >> 9 : i >> 1));

it.each([
  ['no bytes', Uint8Array.of()],
  ['all pairs of bytes', pairs],
  ['the module', module],
])('%s', (_, bytes) => {
  const text = toPrintable(bytes);
  expect(text).toMatch(/^[#-[\]-~]*$/);
  expect(Buffer.from(fromPrintable(text)).equals(bytes)).toBe(true);
});

it('any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
      expect(fromPrintable(toPrintable(bytes))).toEqual(bytes);
    }),
  );
});
