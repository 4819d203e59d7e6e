/**
 * The same as `focal-loss/analysis` without the WebAssembly module: {@link init} says where that comes from. For runtimes that
 * compile modules beforehand.
 *
 * @module focal-loss/analysis/slim
 */

export { NotInitializedError } from '../absent.js';
export { type ImportedDefault, init, type ModuleSource } from '../slim-init.js';
export * from './index.js';
