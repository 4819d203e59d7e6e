export { default as moduleUrl } from 'focal-loss/focal-loss.wasm';
