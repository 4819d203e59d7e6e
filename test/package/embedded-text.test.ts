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
    expect(locals.length).toBeGreaterThan(0.3 * code.length);
    expect(locals.length).toBeLessThan(0.4 * code.length);
    // The one used last is used again most often of all.
    const often = Array.from({ length: 100 }, (_, i) => locals.filter((x) => x === i).length);
    expect(often.indexOf(Math.max(...often))).toBeLessThan(2);
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

it('a module with alignments is refused', () => {
  const module = Uint8Array.from(moduleOf('pkg'));
  // `local.get 0`, `v128.load` without an alignment and an offset.
  const load = [0x20, 0, 0xfd, 0, 0, 0];
  const at = module.findIndex((_, i) => load.every((byte, k) => module[i + k] === byte));
  expect(at).toBeGreaterThan(0);
  module[at + 4] = 4;
  expect(() => toStreams(module)).toThrow('another module');
});

it('the text is one string of ASCII that needs no escapes', () => {
  expect(embeddedText(moduleOf('pkg'))).toMatch(/^(?:[#-[\]-~]+!){5}[#-[\]-~]+$/);
});
