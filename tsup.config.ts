import { defineConfig } from 'tsup';
import { printableWasm } from './scripts/lib/printable.mjs';

export default defineConfig({
  entry: { index: 'ts/index.ts' },
  tsconfig: 'tsconfig.lib.json',
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  // The wasm file becomes text inside the bundle: nothing to fetch, nothing for a bundler to be taught.
  esbuildPlugins: [printableWasm],
  // tsup sets `baseUrl` when it emits types, which TypeScript 6 reports as deprecated.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  // With a top-level await in it, the package could not be required, nor used by a service worker.
  esbuildOptions: (options) => {
    options.supported = { ...options.supported, 'top-level-await': false };
  },
  clean: true,
  treeshake: true,
  minify: 'terser',
  terserOptions: {
    // It would put functions where they are called, where each call makes them anew.
    compress: { inline: false, reduce_funcs: false },
    // People see the names of the classes when they print a criterion.
    mangle: { reserved: ['FocalLoss', 'SigmoidFocalLoss', 'CrossEntropyLoss'] },
  },
});
