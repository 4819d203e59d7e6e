// The one seam to the generated code. Nothing but these names crosses it, so that wasm-bindgen's own loader, with its
// `fetch` and `import.meta.url`, stays out of the bundle.

import { initSync } from '../crate/pkg/focal_loss.js';
import file from '../crate/pkg/focal_loss_bg.wasm';
import { fromPrintable } from './printable.js';

export {
  alpha_address as alphaAddress,
  count_elements_f32 as countElementsF32,
  count_elements_f64 as countElementsF64,
  count_targets_f32 as countTargetsF32,
  count_targets_f64 as countTargetsF64,
  cross_entropy_f32 as crossEntropyF32,
  cross_entropy_f64 as crossEntropyF64,
  find_invalid_probabilities_f32 as findInvalidProbabilitiesF32,
  find_invalid_probabilities_f64 as findInvalidProbabilitiesF64,
  focal_f32 as focalF32,
  focal_f64 as focalF64,
  gammas_address as gammasAddress,
  gather_f32 as gatherF32,
  gather_f64 as gatherF64,
  logits_address as logitsAddress,
  pos_weights_address as posWeightsAddress,
  reserve,
  row_scales_address as rowScalesAddress,
  row_weights_address as rowWeightsAddress,
  scatter_f32 as scatterF32,
  scatter_f64 as scatterF64,
  sigmoid_f32 as sigmoidF32,
  sigmoid_f64 as sigmoidF64,
  soft_address as softAddress,
  stage_address as stageAddress,
  targets_address as targetsAddress,
  targets_capacity as targetsCapacity,
  total_address as totalAddress,
  values_address as valuesAddress,
} from '../crate/pkg/focal_loss.js';

/** The module. What the bundler makes of the import is text; TypeScript goes by the declarations beside the file. */
const moduleBytes = () => fromPrintable(file as unknown as string);

let memory: WebAssembly.Memory | undefined;
let pending: Promise<void> | undefined;

/** The module's memory. The first call compiles and starts the module, synchronously. */
export function load(): WebAssembly.Memory {
  memory ??= initSync({ module: moduleBytes() }).memory;
  return memory;
}

async function compile(): Promise<void> {
  if (memory !== undefined) return;
  const module = await WebAssembly.compile(moduleBytes());
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
