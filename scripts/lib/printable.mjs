import { readFile } from 'node:fs/promises';

const DIGITS = "#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~";
const SINGLES = 89;
const SHIFT = 3;

/** What stands for each byte. */
const CODES = Array.from({ length: 256 }, (_, byte) => {
  const value = (byte + SHIFT) % 256;
  if (value < SINGLES) return DIGITS.charAt(value);
  const rest = value - SINGLES;
  return DIGITS.charAt(SINGLES + (rest % 2)) + DIGITS.charAt(Math.floor(rest / 2));
});

/**
 * Bytes as the text that ts/printable.ts reads: how, and why so, is said there.
 * @param {Uint8Array} bytes
 */
export function toPrintable(bytes) {
  return Array.from(bytes, (byte) => CODES[byte]).join('');
}

/**
 * Makes the import of a WebAssembly file a string of this text.
 * @type {NonNullable<import('tsup').Options['esbuildPlugins']>[number]}
 */
export const printableWasm = {
  name: 'printable-wasm',
  setup({ onLoad }) {
    onLoad({ filter: /\.wasm$/ }, async ({ path }) => ({
      contents: toPrintable(await readFile(path)),
      loader: 'text',
    }));
  },
};
