// Bytes as printable text, as which the WebAssembly module lies in the bundle.
// scripts/build/embedded-text.ts writes it.
//
// What carries the bundle compresses it, and finds what repeats only where the same bytes give the
// same characters. Base64 hides that: compressed, it is 1.6 times as large as the bytes themselves,
// and this within 2 %. All characters are ASCII and none has to be escaped in a string, so that no
// charset and no minifier changes them.
//
// There are 91 digits, `#` to `~` without the backslash. A byte below 89 is its digit. All others
// take two: the first, 89 or 90, adds itself to twice the second.

const FIRST = 0x23;
const BACKSLASH = 0x5c;
const SINGLES = 89;

/** The bytes that a text stands for. */
export function fromPrintable(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  let size = 0;
  let before = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code - FIRST - (code > BACKSLASH ? 1 : 0);
    if (digit >= SINGLES) {
      before = digit;
    } else {
      bytes[size++] = before === 0 ? digit : before + 2 * digit;
      before = 0;
    }
  }
  return bytes.subarray(0, size);
}
