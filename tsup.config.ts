import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'ts/index.ts' },
  tsconfig: 'tsconfig.lib.json',
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  // The wasm file becomes a Uint8Array inside the bundle: nothing to fetch, nothing for a bundler to be taught.
  loader: { '.wasm': 'binary' },
  // tsup sets `baseUrl` when it emits types, which TypeScript 6 reports as deprecated.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  // With a top-level await in it, the package could not be required, nor used by a service worker.
  esbuildOptions: (options) => {
    options.supported = { ...options.supported, 'top-level-await': false };
  },
  clean: true,
  treeshake: true,
});
