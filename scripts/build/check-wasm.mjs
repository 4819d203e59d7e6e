import { ExplainedError } from '../bootstrap/report.mjs';

const SIMD = /^(?:v128|[if](?:8x16|16x8|32x4|64x2))\./;
const RELAXED = /relaxed/;

/** Instructions that some engine computes wrongly somewhere. */
const REFUSED = /^memory\.(?:copy|fill|init)$/;

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
 * The instructions of a module that matter here, in its disassembly.
 * @param {Uint8Array} bytes
 * @returns {Promise<{ simd: number, relaxed: string[], refused: string[] }>} the number of vector
 *   instructions, the names of the relaxed ones among them, and those of refused instructions
 */
async function lookAtInstructions(bytes) {
  const text = await disassemble(bytes);
  // Every instruction stands on a line of its own, behind nothing but spaces and its parenthesis.
  const names = [...text.matchAll(/^ *\(([a-z0-9_.]+)/gm)].map(([, name]) => name ?? '');
  const vector = names.filter((name) => SIMD.test(name));
  return {
    simd: vector.length,
    relaxed: [...new Set(vector.filter((name) => RELAXED.test(name)))],
    refused: [...new Set(names.filter((name) => REFUSED.test(name)))],
  };
}

/**
 * Refuses a module that was compiled without SIMD (its speed would be gone), with relaxed SIMD
 * (results would differ from one processor to the next), or with bulk-memory instructions, which V8
 * 14.6 computes wrongly on some processors. Looks at the module itself: compiler flags come from
 * many places.
 * @param {Uint8Array} bytes
 * @returns {Promise<number>} how many SIMD instructions it holds
 */
export async function checkInstructions(bytes) {
  const { simd, relaxed, refused } = await lookAtInstructions(bytes);
  if (simd === 0) throw new ExplainedError('The WebAssembly module holds no SIMD128 instruction.');
  if (relaxed.length > 0) {
    throw new ExplainedError(
      `The WebAssembly module holds relaxed SIMD instructions: ${relaxed.join(', ')}.`,
    );
  }
  if (refused.length > 0) {
    throw new ExplainedError(
      `The WebAssembly module holds ${refused.join(', ')}: see scripts/build/close-wasm.mjs.`,
    );
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
    throw new ExplainedError(
      `The WebAssembly module can panic, in ${[...new Set(files)].join(', ')}.`,
    );
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
