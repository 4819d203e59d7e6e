export const moduleUrl = '/node_modules/focal-loss/dist/focal-loss.wasm';
