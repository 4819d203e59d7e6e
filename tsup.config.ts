import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'ts/index.ts' },
  tsconfig: 'tsconfig.lib.json',
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  // The wasm file becomes a Uint8Array inside the bundle: nothing to fetch, nothing for a bundler to be taught.
  loader: { '.wasm': 'binary' },
  dts: true,
  clean: true,
  treeshake: true,
});
