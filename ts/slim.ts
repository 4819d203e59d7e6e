/**
 * The same API without the WebAssembly module: {@link init} says where that comes from. For
 * runtimes that compile modules beforehand, and for pages that want it in a cache of its own.
 *
 * @module focal-loss/slim
 */

export * from './api.js';
export { NotInitializedError } from './module/absent.js';
export { type ImportedDefault, init, type ModuleSource } from './module/slim-init.js';
