import { moduleBytes } from './embedded.js';
import { startOnce } from './wasm.js';

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
  return startOnce(() => WebAssembly.compile(moduleBytes()));
}
