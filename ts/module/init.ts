import { moduleBytes } from './embedded.js';
import { type Exports, startOnce } from './instance.js';
import { explained } from './module-error.js';

async function instantiated(): Promise<Exports> {
  const bytes = moduleBytes();
  try {
    return (await WebAssembly.instantiate(bytes)).instance.exports;
  } catch (cause) {
    throw explained(cause, bytes);
  }
}

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
export function init(): Promise<void> {
  return startOnce(instantiated);
}
