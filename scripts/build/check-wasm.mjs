import { ExplainedError } from '../bootstrap/report.mjs';

const SIMD = /^(?:v128|[if](?:8x16|16x8|32x4|64x2))\./;
const RELAXED = /relaxed/;

/** @param {Uint8Array} bytes */
async function disassemble(bytes) {
  // Imported here, because the scripts start before npm packages are installed.
  const { default: binaryen } = await import('binaryen');
  const module = binaryen.readBinary(bytes);
  const text = module.emitText();
  module.dispose();
  return text;
}

/**
 * The vector instructions of a module, counted in its disassembly.
 * @param {Uint8Array} bytes
 * @returns {Promise<{ simd: number, relaxed: string[] }>} how many there are, and the names of the
 *   relaxed ones among them
 */
async function countVectorInstructions(bytes) {
  const text = await disassemble(bytes);
  // Every instruction stands on a line of its own, behind nothing but spaces and its parenthesis.
  const names = [...text.matchAll(/^ *\(([a-z0-9_.]+)/gm)].map(([, name]) => name ?? '');
  const vector = names.filter((name) => SIMD.test(name));
  return { simd: vector.length, relaxed: [...new Set(vector.filter((name) => RELAXED.test(name)))] };
}

/**
 * Refuses a module that was compiled without SIMD (its speed would be gone), or with relaxed SIMD
 * (results would differ from one processor to the next). Looks at the module itself: compiler flags
 * come from many places.
 * @param {Uint8Array} bytes
 * @returns {Promise<number>} how many SIMD instructions it holds
 */
export async function checkInstructions(bytes) {
  const { simd, relaxed } = await countVectorInstructions(bytes);
  if (simd === 0) throw new ExplainedError('The WebAssembly module holds no SIMD128 instruction.');
  if (relaxed.length > 0) {
    throw new ExplainedError(`The WebAssembly module holds relaxed SIMD instructions: ${relaxed.join(', ')}.`);
  }
  return simd;
}

/**
 * Refuses a module that can panic. Whatever panics says in which source file, so the module then
 * has the file's name in its data, and all that formats the message in its code.
 * @param {Uint8Array} bytes
 */
export async function checkPanics(bytes) {
  const segments = (await disassemble(bytes)).match(/^ *\(data .*$/gm) ?? [];
  // A byte that is not printable is written as a backslash and two digits.
  const files = segments
    .join()
    .replaceAll(/\\[0-9a-f]{2}/g, ' ')
    .match(/[\w./-]+\.rs\b/g);
  if (files) {
    throw new ExplainedError(`The WebAssembly module can panic, in ${[...new Set(files)].join(', ')}.`);
  }
}

/**
 * Refuses a module that imports something: whoever loads the file would have to have it.
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export function checkClosed(bytes) {
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  if (imports.length > 0) {
    const names = imports.map(({ module, name }) => `${module} ${name}`);
    throw new ExplainedError(`The WebAssembly module imports ${names.join(', ')}.`);
  }
}
