import { readFile } from 'node:fs/promises';
import type { Options } from 'tsup';
import { STREAMS, walkModule } from '../../ts/module/streams.js';

const DIGITS =
  "#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~";
const SINGLES = 89;
const SHIFT = 3;

/** The characters that stand for the bytes. */
const CODES = Array.from({ length: 256 }, (_, byte) => {
  const value = (byte + SHIFT) % 256;
  if (value < SINGLES) return DIGITS.charAt(value);
  const rest = value - SINGLES;
  return DIGITS.charAt(SINGLES + (rest % 2)) + DIGITS.charAt(Math.floor(rest / 2));
});

/** Bytes as the text that ts/module/base91.ts reads: how, and why so, is said there. */
export function toPrintable(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => CODES[byte]).join('');
}

/** A module as the streams that ts/module/streams.ts puts together. */
export function toStreams(module: Uint8Array): number[][] {
  const streams = Array.from({ length: STREAMS }, (): number[] => []);
  let at = 0;
  walkModule(module.length, (stream) => {
    const byte = module[at++];
    if (byte === undefined) throw new Error('the module ends in the middle of an instruction');
    streams[stream]?.push(byte);
    return byte;
  });
  return streams;
}

/** A module as the text that ts/module/embedded.ts reads. */
export function embeddedText(module: Uint8Array): string {
  return toStreams(module).map(toPrintable).join('!');
}

/** Makes the import of a WebAssembly file a string of this text. */
export const embeddedWasm: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'embedded-wasm',
  setup({ onLoad }) {
    onLoad({ filter: /\.wasm$/ }, async ({ path }) => ({
      contents: embeddedText(await readFile(path)),
      loader: 'text',
    }));
  },
};
