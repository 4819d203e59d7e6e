// The one seam to the generated code. Nothing but these names crosses it, so that wasm-bindgen's own loader, with its
// `fetch` and `import.meta.url`, stays out of the bundle.

import { type InitOutput, initSync } from '../crate/pkg/focal_loss.js';
import file from '../crate/pkg/focal_loss_bg.wasm';
import { fromPrintable } from './printable.js';

/** The module. What the bundler makes of the import is text; TypeScript goes by the declarations beside the file. */
const moduleBytes = () => fromPrintable(file as unknown as string);

/**
 * The module's functions, once it has been started: its own, since wasm-bindgen's would only pass these numbers on. What
 * is 2 GiB or more, an address for one, comes out of them as a negative number.
 */
export let wasm: InitOutput;

/** The functions of the module that work on rows. */
export type Kernels = ReturnType<typeof takeKernels>;

/** Taken out once: the exports of a module are a dictionary, in which every call would look its function up. */
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

let pending: Promise<void> | undefined;

/** The module's memory. The first call compiles and starts the module, synchronously. */
export function load(): WebAssembly.Memory {
  wasm ??= initSync({ module: moduleBytes() });
  return wasm.memory;
}

async function compile(): Promise<void> {
  if (wasm !== undefined) return;
  const module = await WebAssembly.compile(moduleBytes());
  // Does nothing if a loss that was computed meanwhile has started the module.
  wasm = initSync({ module });
}

/**
 * Compiles the WebAssembly module in the background. There is no need to call it: the first loss that is computed
 * compiles the module, which takes a few milliseconds. Await it where these should not fall on that first call.
 *
 * @example
 * ```ts
 * import { FocalLoss, init } from 'focal-loss';
 *
 * await init();
 * new FocalLoss().forward(new Float32Array(2), new Uint8Array(1)); // => 0.1299651
 * ```
 */
export function init(): Promise<void> {
  pending ??= compile().catch((error: unknown) => {
    // The next call tries again.
    pending = undefined;
    throw error;
  });
  return pending;
}
