// Node itself, which the others are compared with.
import { readFileSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const LARGE = 8000;

const [, , modulePath = '', tapePath = ''] = process.argv;
const module = new WebAssembly.Module(readFileSync(modulePath));
const tape = new Uint32Array(new Uint8Array(readFileSync(tapePath)).buffer);

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

/** @returns {number} the milliseconds that the calls took */
function play() {
  const exports = /** @type {Record<string, any>} */ (new WebAssembly.Instance(module).exports);
  const { memory } = exports;
  let place = 0;
  const next = () => /** @type {number} */ (tape[place++]);
  const [functions, operations] = [next(), next()];
  const calls = Array.from({ length: functions }, () => {
    const name = new TextDecoder().decode(tape.subarray(place, place + 8)).replace(/\0+$/, '');
    place += 8;
    return { call: exports[name], arity: next() };
  });
  let milliseconds = 0;
  for (let i = 0; i < operations; i++) {
    const kind = next();
    if (kind === 2) {
      const { call, arity } = /** @type {typeof calls[0]} */ (calls[next()]);
      const args = tape.subarray(place, place + arity);
      place += arity;
      const start = performance.now();
      const result = call(...args) ?? 0;
      const took = performance.now() - start;
      if (arity === 6 && Number(args[3]) * Number(args[4]) >= LARGE) milliseconds += took;
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
  return milliseconds;
}

let least = Infinity;
const end = performance.now() + 10_000;
for (let i = 0; i < 5 && performance.now() < end; i++) least = Math.min(least, play());
console.log(`SAME ${least.toFixed(0)}`);
