export { NotInitializedError } from './absent.js';
export * from './api.js';
export { init, type ModuleSource } from './slim-init.js';
