// Engines of JavaScript, which the others are compared with: Node, Deno, Bun, and shells.

const LARGE = 8000;
const SLOW = 20000;

/** @type {any} What shells have. */
const shell = globalThis;
const isShell = shell.process === undefined;
/** @type {string[]} */
const [modulePath = '', tapePath = ''] = isShell
  ? (shell.scriptArgs ?? shell.arguments)
  : process.argv.slice(2);

/**
 * @param {string} path
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function read(path) {
  if (!isShell) return new Uint8Array((await import('node:fs')).readFileSync(path));
  const file = shell.os?.file ?? { readFile: shell.readFile };
  return new Uint8Array(file.readFile(path, 'binary'));
}

const module = new WebAssembly.Module(await read(modulePath));
const tape = new Uint32Array((await read(tapePath)).buffer);

const CRC = new Uint32Array(256).map((_, byte) => {
  let sum = byte;
  for (let i = 0; i < 8; i++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  return sum;
});

/** @param {Uint8Array} bytes */
function crc32(bytes) {
  let sum = -1;
  for (const byte of bytes) sum = (sum >>> 8) ^ /** @type {number} */ (CRC[(sum ^ byte) & 255]);
  return ~sum >>> 0;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} size
 */
function checksum(bytes, size) {
  const copy = bytes.slice().buffer;
  const words = new Uint32Array(copy);
  const numbers = size === 8 ? new Float64Array(copy) : new Float32Array(copy);
  for (const [i, x] of numbers.entries()) {
    if (!Number.isNaN(x)) continue;
    if (size === 8) words.set([0, 0x7ff80000], 2 * i);
    else words[i] = 0x7fc00000;
  }
  return crc32(new Uint8Array(copy));
}

/**
 * The fewest milliseconds that each of the larger calls has taken, by its operation.
 * @type {Map<number, number>}
 */
const fastest = new Map();

/**
 * Notes what a call has taken.
 * @param {number} operation
 * @param {Uint32Array} args
 * @param {number} took
 */
function note(operation, args, took) {
  if (args.length !== 6 || Number(args[3]) * Number(args[4]) < LARGE) return;
  fastest.set(operation, Math.min(took, fastest.get(operation) ?? took));
}

function play() {
  const exports = /** @type {Record<string, any>} */ (new WebAssembly.Instance(module).exports);
  const { memory } = exports;
  let place = 0;
  const next = () => /** @type {number} */ (tape[place++]);
  const [functions, operations] = [next(), next()];
  const calls = Array.from({ length: functions }, () => {
    const bytes = new Uint8Array(tape.buffer, 4 * place, 32);
    const name = String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
    place += 8;
    return { call: exports[name], arity: next() };
  });
  for (let i = 0; i < operations; i++) {
    const kind = next();
    if (kind === 2) {
      const { call, arity } = /** @type {typeof calls[0]} */ (calls[next()]);
      const args = tape.subarray(place, place + arity);
      place += arity;
      const start = performance.now();
      const result = call(...args) ?? 0;
      note(i, args, performance.now() - start);
      if (result >>> 0 !== next()) throw new Error(`operation ${i}: the result is ${result}`);
      continue;
    }
    const [address, length] = [next(), next()];
    const bytes = new Uint8Array(memory.buffer, address, length);
    if (kind === 1) {
      bytes.set(new Uint8Array(tape.buffer, 4 * place, length));
      place += length / 4;
    } else if (checksum(bytes, next()) !== next())
      throw new Error(`operation ${i}: other numbers at ${address}`);
  }
}

let sum = 0;
for (let i = 0; i < 10 && sum < SLOW; i++) {
  play();
  sum = [...fastest.values()].reduce((sum, took) => sum + took, 0);
}
(isShell ? shell.print : console.log)(`SAME ${sum.toFixed(0)}`);
