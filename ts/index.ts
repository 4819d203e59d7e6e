/**
 * The focal-loss family: value and analytic gradient on typed arrays. The WebAssembly module is a
 * part of this entry, and starts by itself.
 *
 * @module focal-loss
 */

export * from './api.js';
export { init } from './module/init.js';
