// The one seam to the generated code, of which nothing but the module and its types gets into the
// bundle: its functions only take numbers, and wasm-bindgen's loader would bring `fetch` and
// `import.meta.url`.

import type { InitOutput } from '../../crate/pkg/focal_loss.js';
import { moduleBytes } from './embedded.js';
import { explained, ModuleError } from './module-error.js';

type Started = InitOutput & { reset_stack(): void };

/**
 * The module's functions, once it has been started: its own, since wasm-bindgen's would only pass
 * these numbers on. What is 2 GiB or more, an address for one, comes out of them as a negative
 * number.
 */
export let wasm: Started;

/** The exports of an instance of the module. */
export type Exports = WebAssembly.Exports | Started;

/** The functions of the module that work on rows. */
export type Kernels = ReturnType<typeof takeKernels>;

/**
 * Taken out once: the exports of a module are a dictionary, in which every call would look its
 * function up.
 */
export function takeKernels() {
  return {
    solve: wasm.solve,
    sigmoid: wasm.sigmoid,
    countTargets: wasm.count_targets,
    countElements: wasm.count_elements,
    findInvalidProbabilities: wasm.find_invalid_probabilities,
    transpose: wasm.transpose,
  };
}

/** Where the memory begins that the module itself does not use: behind all that it started with. */
export let freeStart: number;

/** Takes an instance's exports for the module's, where there are none yet. */
export function take(exports: Exports): void {
  if (wasm !== undefined) return;
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
    throw new ModuleError(
      'this processor is big-endian: its typed arrays do not hold numbers as WebAssembly does',
    );
  }
  freeStart = (exports as Started).memory.buffer.byteLength;
  // The last of it: where a call ends before, there is no module yet.
  wasm = exports as Started;
}

/**
 * Empties the module's stack: an engine whose own has ended leaves the module as it is, and there
 * would be less of it each time.
 */
export function resetStack(): void {
  wasm.reset_stack();
}

/** The module's memory. The first call compiles and starts the module, synchronously. */
export function load(): WebAssembly.Memory {
  if (wasm === undefined) {
    const bytes = moduleBytes();
    try {
      take(new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports);
    } catch (cause) {
      throw explained(cause, bytes);
    }
  }
  return wasm.memory;
}
