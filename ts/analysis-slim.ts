/**
 * The same as `focal-loss/analysis` without the WebAssembly module: {@link init} says where that
 * comes from. For runtimes that compile modules beforehand.
 *
 * @module focal-loss/analysis/slim
 */

export * from './analysis.js';
export { NotInitializedError } from './module/absent.js';
export { type ImportedDefault, init, type ModuleSource } from './module/slim-init.js';
