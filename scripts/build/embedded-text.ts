import { readFile } from 'node:fs/promises';
import type { Options } from 'tsup';
import {
  assemble,
  BODY,
  CODE,
  CONSTANT,
  DOUBLE,
  digitsOf,
  FRAME,
  INSTRUCTIONS,
  INTEGER,
  LIST,
  LOCAL,
  LOCALS,
  OPERATION,
  PLACE,
  PLACE_AND_LANE,
  TABLE,
  twins,
  VECTOR,
  VECTORS,
} from '../../ts/module/streams.js';

const DIGITS =
  "#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~";
const SINGLES = 89;

/** The characters that stand for the bytes. */
const CODES = Array.from({ length: 256 }, (_, byte) => {
  if (byte < SINGLES) return DIGITS.charAt(byte);
  const rest = byte - SINGLES;
  return DIGITS.charAt(SINGLES + (rest % 2)) + DIGITS.charAt(Math.floor(rest / 2));
});

/** Bytes as the text that ts/module/base91.ts reads: how, and why so, is said there. */
export function toPrintable(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => CODES[byte]).join('');
}

/** The instructions that something follows: the first and the last of a run, and its kind. */
const RUNS = [
  [0x02, 0x04, INTEGER],
  [0x0c, 0x0d, INTEGER],
  [0x0e, 0x0e, TABLE],
  // The table of an indirect call, 0, goes for an instruction.
  [0x10, 0x11, INTEGER],
  [0x20, 0x22, LOCAL],
  [0x23, 0x24, INTEGER],
  [0x28, 0x3e, PLACE],
  [0x3f, 0x42, INTEGER],
  [0x43, 0x43, CONSTANT],
  [0x44, 0x44, CONSTANT + 1],
  [0xfc, 0xfc, INTEGER],
  [0x100, 0x10b, PLACE],
  [0x10c, 0x10d, CONSTANT + 2],
  [0x115, 0x122, INTEGER],
  [0x154, 0x15b, PLACE_AND_LANE],
  [0x15c, 0x15d, PLACE],
] as const;

const KINDS = new Uint8Array(INSTRUCTIONS);
for (const [first, last, kind] of RUNS) KINDS.fill(kind, first, last + 1);

const TWINS = twins();

/** The instruction that stands for another in a function. */
const nameOf = (code: number, isDouble = false) => (isDouble ? (TWINS[code] ?? code) : code);

/** The number that a module has at a place, and where it ends. */
function integerAt(module: Uint8Array, at: number): [number, number] {
  let value = 0;
  for (let end = at; ; ) {
    const digit = module[end] ?? 0;
    value |= (digit & 127) << (7 * (end++ - at));
    if (digit < 128) return [value, end];
  }
}

/** The numbers of times that a function has each instruction. */
type Counts = number[];

/**
 * The streams of a module for a choice of operations and of functions on float64, and what its
 * functions have. The module is put together, and what is asked for on the way is read from it.
 */
function streamsFor(
  module: Uint8Array,
  operations: readonly number[],
  isDouble: readonly boolean[],
): [number[][], Counts[]] {
  const streams = Array.from({ length: OPERATION }, (): number[] => []);
  const functions: Counts[] = [];
  const list = Array.from({ length: INSTRUCTIONS }, (_, code) => {
    const place = operations.indexOf(code);
    return place < 0 ? 0 : 2 * (KINDS[code] ?? 0) + (place < SINGLES ? 1 : 2);
  });
  let at = 0;
  const integer = () => {
    let value: number;
    [value, at] = integerAt(module, at);
    return value;
  };
  const body = () => {
    functions.push(Array.from({ length: INSTRUCTIONS }, () => 0));
    integer();
    return undefined;
  };
  const operation = () => {
    const isVector = module[at] === VECTORS;
    if (isVector) at++;
    const code = isVector ? VECTOR + integer() : (module[at++] ?? 0);
    const counts = functions.at(-1) ?? [];
    counts[code] = (counts[code] ?? 0) + 1;
    // An alignment is left out.
    if (KINDS[code] === PLACE || KINDS[code] === PLACE_AND_LANE) at++;
    return operations.indexOf(nameOf(code, isDouble[functions.length - 1]));
  };
  let digits: number[] = [];
  const local = (recent: Uint16Array) => {
    if (digits.length === 0) digits = digitsOf(recent.indexOf(integer()));
    return digits.shift();
  };
  const read = (stream: number, recent: Uint16Array) => {
    if (stream === LIST) return list.shift();
    if (stream === OPERATION) return operation();
    if (stream === LOCALS) return local(recent);
    if (stream === DOUBLE) return isDouble[functions.length - 1] ? 1 : 0;
    return stream === BODY ? body() : module[at++];
  };
  const again = assemble((stream, recent) => {
    const value = read(stream, recent);
    if (value !== undefined) streams[[CODE, FRAME][stream - OPERATION] ?? stream]?.push(value);
    if (at > module.length + 1) throw new Error('the module ends in the middle of an instruction');
    return value;
  });
  if (!Buffer.from(again).equals(module)) {
    throw new Error('ts/module/streams.ts puts another module together');
  }
  return [streams, functions];
}

/** A module as the streams that ts/module/streams.ts puts together. */
export function toStreams(module: Uint8Array): number[][] {
  const all = Array.from({ length: INSTRUCTIONS }, (_, code) => code);
  const [, functions] = streamsFor(module, all, []);
  const isDouble = functions.map((counts) => {
    // The twin on float32 comes first.
    const surplus = (code: number) => Math.sign((TWINS[code] ?? code) - code) * (counts[code] ?? 0);
    return all.reduce((sum, code) => sum + surplus(code), 0) < 0;
  });
  const often = (code: number) =>
    functions.reduce((sum, counts, i) => sum + (counts[nameOf(code, isDouble[i])] ?? 0), 0);
  const used = all.filter(often).sort((a, b) => often(b) - often(a));
  if (used.length > 256) throw new Error('the module has more kinds of instructions than bytes');
  const inOrder = (codes: number[]) => codes.sort((a, b) => a - b);
  const operations = [...inOrder(used.slice(0, SINGLES)), ...inOrder(used.slice(SINGLES))];
  return streamsFor(module, operations, isDouble)[0];
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
