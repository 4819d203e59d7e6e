export const moduleUrl = new URL('focal-loss/focal-loss.wasm', import.meta.url);
