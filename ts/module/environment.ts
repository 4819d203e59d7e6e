import { enter, leave } from './gate.js';
import { load, wasm } from './instance.js';

/** Properties of the processor that results depend on. */
export interface Environment {
  /**
   * True where subnormal numbers (in float32 those below 1.2e-38, in float64 those below 2.2e-308)
   * become 0 here, and results that come near them may have other bits than elsewhere. Processors
   * do so where something in the process has told them to (a native library linked with
   * `-ffast-math`, say), and 32-bit ARM in float32.
   *
   * @throws ModuleError where the engine does not start the module.
   */
  readonly flushesSubnormals: boolean;
}

/**
 * The processor, as far as results depend on it. Reading a property starts the WebAssembly module.
 *
 * @example
 * ```ts
 * import { environment } from 'focal-loss';
 *
 * environment.flushesSubnormals; // => false
 * ```
 */
export const environment: Environment = {
  get flushesSubnormals() {
    load();
    enter();
    const flushes = wasm.flushes_subnormals(0.5);
    leave();
    return Boolean(flushes);
  },
};
