import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embeddedText, toPrintable, toStreams } from '../../scripts/build/embedded-text.js';
import { fromPrintable } from '../../ts/module/base91.js';
import { fromStreams } from '../../ts/module/streams.js';

const moduleOf = (folder: string) =>
  readFileSync(new URL(`../../crate/${folder}/focal_loss_bg.wasm`, import.meta.url));

/** Every byte before every byte. */
const pairs = Uint8Array.from({ length: 2 ** 17 }, (_, i) => (i % 2 === 0 ? i >> 9 : i >> 1));

describe('printable text', () => {
  it.each([
    ['no bytes', Uint8Array.of()],
    ['all pairs of bytes', pairs],
    ['the module', moduleOf('pkg')],
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
});

describe.each(['pkg', 'pkg-analysis'])('the streams of the module in %s', (folder) => {
  const module = moduleOf(folder);
  const streams = toStreams(module);

  it('give the module', () => {
    const again = fromStreams(streams.map((stream) => Uint8Array.from(stream)));
    expect(Buffer.from(again).equals(module)).toBe(true);
  });

  it('hold what they are for: the walk is in step to the end', () => {
    const [code = [], locals = [], offsets = [], constants = []] = streams;
    // Reading and writing local variables is the most frequent instruction by far.
    const reads = code.filter((byte) => byte >= 0x20 && byte <= 0x22).length;
    expect(locals.length).toBeGreaterThan(0.8 * reads);
    expect(locals.length).toBeLessThan(1.2 * reads);
    expect(offsets.length).toBeGreaterThan(1000);
    expect(constants.length % 4).toBe(0);
  });
});

it.each(['pkg', 'pkg-analysis'])('%s: a page can hold the text in a script', (folder) => {
  expect(embeddedText(moduleOf(folder))).not.toMatch(/<!--|<\/?script/i);
});

it('a module that ends early is refused', () => {
  const module = Uint8Array.from(moduleOf('pkg'));
  expect(() => toStreams(module.subarray(0, 60_000))).toThrow('ends in the middle');
});

it('the text is one string of ASCII that needs no escapes', () => {
  expect(embeddedText(moduleOf('pkg'))).toMatch(/^(?:[#-[\]-~]+!){3}[#-[\]-~]+$/);
});
