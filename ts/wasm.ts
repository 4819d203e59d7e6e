// The one seam to the generated code. Nothing but these names crosses it, so that wasm-bindgen's own loader, with its
// `fetch` and `import.meta.url`, stays out of the bundle.

import { initSync } from '../crate/pkg/focal_loss.js';
import file from '../crate/pkg/focal_loss_bg.wasm';

export {
  alpha_address as alphaAddress,
  find_invalid_target as findInvalidTarget,
  focal_f32 as focalF32,
  focal_f64 as focalF64,
  logits_address as logitsAddress,
  reserve,
  targets_address as targetsAddress,
  targets_capacity as targetsCapacity,
  total_address as totalAddress,
  values_address as valuesAddress,
} from '../crate/pkg/focal_loss.js';

/** What the bundler makes of that import. TypeScript goes by the declarations of the module's exports beside the file. */
const bytes = file as unknown as Uint8Array<ArrayBuffer>;

let memory: WebAssembly.Memory | undefined;
let pending: Promise<void> | undefined;

/** The module's memory. The first call compiles and starts the module, synchronously. */
export function load(): WebAssembly.Memory {
  memory ??= initSync({ module: bytes }).memory;
  return memory;
}

async function compile(): Promise<void> {
  if (memory !== undefined) return;
  const module = await WebAssembly.compile(bytes);
  // Does nothing if a loss that was computed meanwhile has started the module.
  memory = initSync({ module }).memory;
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
