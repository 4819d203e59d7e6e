/**
 * The battery as a tape: each call of the module that the package makes for it, what it writes into
 * the memory before and what is there afterwards, for hosts without JavaScript to play.
 * `hosts/README.md` says how it is written.
 */
import { writeFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { type Battery, type Library, runBattery } from '../../test/determinism/battery.js';
import battery from '../../test/determinism/battery.json' with { type: 'json' };

/** The operations of a tape. */
const WRITE = 1;
const CALL = 2;
const CHECK = 3;

/** Words that are changed are written together with up to so many between them that are not. */
const GAP = 1024;

/**
 * The address of all that is not the module's own stack, which holds NaNs of any bits.
 */
const BEHIND_STACK = 2 ** 20;

/** The flag of calls in float64, of docs/abi.md. */
const FLOAT64 = 512;

/** The functions that take floats, and only look at numbers: they are left out. */
const WITH_FLOATS = ['flushes_subnormals', 'count_elements'];

const parts: Uint8Array[] = [];
const words = (...numbers: number[]) =>
  void parts.push(new Uint8Array(Uint32Array.from(numbers).buffer));

let operations = 0;
const names: string[] = [];
const arities: number[] = [];

let memory: WebAssembly.Memory;
/** The memory after the last operation, as words. */
let shadow = new Uint32Array(0);

/** Makes all NaNs of float32, or of float64, the same. */
function canonical(given: Uint32Array<ArrayBuffer>, elementBytes: number) {
  const bits = given.slice();
  if (elementBytes === 8) {
    const numbers = new Float64Array(bits.buffer);
    for (const [i, x] of numbers.entries()) if (Number.isNaN(x)) bits.set([0, 0x7ff80000], 2 * i);
    return bits;
  }
  const numbers = new Float32Array(bits.buffer);
  for (const [i, x] of numbers.entries()) if (Number.isNaN(x)) bits[i] = 0x7fc00000;
  return bits;
}

/** Notes each range of words that has changed. */
function noteChanges(note: (address: number, range: Uint32Array<ArrayBuffer>) => void): void {
  const now = new Uint32Array(memory.buffer);
  const before = shadow;
  if (now.length > before.length) {
    shadow = new Uint32Array(now.length);
    shadow.set(before);
  }
  for (let start = BEHIND_STACK / 4; start < now.length; start++) {
    if (now[start] === shadow[start]) continue;
    let last = start;
    for (let i = start + 1; i < now.length && i - last <= GAP; i++)
      if (now[i] !== shadow[i]) last = i;
    const first = start & ~1;
    const range = now.slice(first, (last | 1) + 1) as Uint32Array<ArrayBuffer>;
    shadow.set(range, first);
    note(4 * first, range);
    operations++;
    start = last + 1;
  }
}

type Call = (...args: number[]) => number | undefined;

function recorded(name: string, call: Call): Call {
  return (...args) => {
    noteChanges((address, range) => {
      words(WRITE, address, range.byteLength);
      parts.push(new Uint8Array(range.buffer));
    });
    if (!names.includes(name)) {
      names.push(name);
      arities.push(args.length);
    }
    const result = call(...args);
    words(CALL, names.indexOf(name), ...args, result ?? 0);
    operations++;
    const elementBytes = (args.at(-1) ?? 0) & FLOAT64 ? 8 : 4;
    noteChanges((address, range) => {
      const bytes = new Uint8Array(canonical(range, elementBytes).buffer);
      words(CHECK, address, range.byteLength, elementBytes, crc32(bytes));
    });
    return result;
  };
}

const { Instance } = WebAssembly;
Reflect.set(
  WebAssembly,
  'Instance',
  class {
    readonly exports: Record<string, unknown>;

    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      const { exports } = new Instance(module, imports);
      memory = exports.memory as WebAssembly.Memory;
      shadow = new Uint32Array(memory.buffer.slice(0));
      const isRecorded = (name: string, value: unknown) =>
        typeof value === 'function' && !WITH_FLOATS.includes(name);
      this.exports = Object.fromEntries(
        Object.entries(exports).map(([name, value]) => [
          name,
          isRecorded(name, value) ? recorded(name, value as Call) : value,
        ]),
      );
    }
  },
);

const library = await import('../../dist/index.js');
const hash = runBattery(library as unknown as Library, battery as unknown as Battery);
if (hash !== battery.hash) throw new Error(`The battery gives ${hash} here`);

const head = names.flatMap((name, i) => {
  const text = new TextEncoder().encode(name.padEnd(32, '\0'));
  return [text, new Uint8Array(Uint32Array.of(arities[i] ?? 0).buffer)];
});
const counts = new Uint8Array(Uint32Array.of(names.length, operations).buffer);
writeFileSync(process.argv[2] as string, Buffer.concat([counts, ...head, ...parts]));
console.log(operations);
