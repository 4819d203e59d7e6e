import { readFile } from 'node:fs/promises';

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

/**
 * Bytes as the text that ts/module/base91.ts reads: how, and why so, is said there.
 * @param {Uint8Array} bytes
 */
export function toPrintable(bytes) {
  return Array.from(bytes, (byte) => CODES[byte]).join('');
}

/** The length of the lines that the text lies in. */
const LINE = 8000;

/**
 * Code with the text of the module on lines of its own: in a string, a backslash at the end of a
 * line leaves the end out. Engines and tools show lines, above all that in which an error was
 * thrown.
 * @param {string} code
 */
export function inLines(code) {
  return code.replaceAll(/"[#-[\]-~]{10000,}"/g, (literal) => {
    const lines = literal.slice(1, -1).match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
    return `"\\\n${lines.join('\\\n')}\\\n"`;
  });
}

/**
 * Code with the text of the module as it was.
 * @param {string} code
 */
export function withoutLines(code) {
  return code.replaceAll('\\\n', '');
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
