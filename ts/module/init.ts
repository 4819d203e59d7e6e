import { moduleBytes } from './embedded.js';
import { take, wasm } from './instance.js';
import { explained } from './module-error.js';

/**
 * The engine's promise, which all calls wait for, each with a job of its own: a job that is
 * stopped, or is dropped with others, is one call's alone.
 */
let pending: Promise<WebAssembly.WebAssemblyInstantiatedSource> | undefined;

/**
 * Compiles and starts the WebAssembly module in the background. Mostly there is no need to call it:
 * the first loss that is computed does so, which takes a few milliseconds. Await it where these
 * should not fall on that first call, and on the main thread of a page in Chrome or Edge before
 * version 115, which start modules only so.
 *
 * @throws ModuleError where the engine does not start the module.
 *
 * @example
 * ```ts
 * import { FocalLoss, init } from 'focal-loss';
 *
 * await init();
 * new FocalLoss().forward(new Float32Array(2), new Uint8Array(1)); // => 0.1299651
 * ```
 */
export async function init(): Promise<void> {
  if (wasm !== undefined) return;
  try {
    pending ??= WebAssembly.instantiate(moduleBytes());
    take((await pending).instance.exports);
  } catch (cause) {
    throw explained(cause, moduleBytes());
  } finally {
    // After a failure the next call tries again.
    pending = undefined;
  }
}
