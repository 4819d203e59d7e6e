import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { defineConfig, type Options } from 'tsup';
import { moduleId, withModuleId } from './scripts/lib/module-id.mjs';
import { printableWasm } from './scripts/lib/printable.mjs';

const module = readFileSync('crate/pkg/focal_loss_bg.wasm');

/** Takes the WebAssembly module out of the bundle. */
const withoutModule: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'without-module',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/embedded\.js$/ }, () => ({ path: resolve('ts/absent.ts') }));
  },
};

/** Leaves the main entry where it is, beside the bundle: whoever imports both then has one copy of it. */
const besideIndex: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'beside-index',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\/index\.js$/ }, () => ({ path: './index.js', external: true }));
  },
};

/** Has the WebAssembly module that can do more take the place of the other. */
const analysisModule: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'analysis-module',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.\/crate\/pkg\// }, ({ path }) => ({
      path: resolve(path.replace('../crate/pkg/', 'crate/pkg-analysis/')),
    }));
  },
};

/** An entry of the package: one file that imports nothing, unless it says so, and its types. */
function entry(name: string, options: Options = {}, file = `ts/${name}.ts`): Options {
  return {
    entry: { [name]: file },
    tsconfig: 'tsconfig.lib.json',
    format: 'esm',
    platform: 'neutral',
    target: 'es2022',
    // tsup sets `baseUrl` when it emits types, which TypeScript 6 reports as deprecated.
    dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
    // With a top-level await in it, the package could not be required, nor used by a service worker.
    esbuildOptions: (options) => {
      options.supported = { ...options.supported, 'top-level-await': false };
    },
    treeshake: true,
    minify: 'terser',
    terserOptions: {
      // It would put functions where they are called, where each call makes them anew.
      compress: { inline: false, reduce_funcs: false },
      // Bundlers leave out what they mark, where it is not used.
      format: { preserve_annotations: true },
      // People see the names of the classes when they print a criterion, and those of metrics in a model's history.
      mangle: {
        reserved: [
          ...['FocalLoss', 'SigmoidFocalLoss', 'CrossEntropyLoss', 'LossMeter', 'NotInitializedError'],
          ...['logitAccuracy', 'binaryLogitAccuracy'],
        ],
      },
    },
    ...options,
  };
}

export default defineConfig([
  // The wasm file becomes text inside the bundle: nothing to fetch, nothing for a bundler to be taught.
  entry('index', { esbuildPlugins: [printableWasm] }),
  entry('slim', {
    esbuildPlugins: [withoutModule],
    define: { MODULE_ID: JSON.stringify(moduleId(module)) },
    onSuccess: async () => {
      await writeFile('dist/focal-loss.wasm', withModuleId(module));
      await writeFile(
        'dist/focal-loss.wasm.d.ts',
        "import type { ModuleSource } from './slim.js';\n\n/** What importing the file gives, which depends on the bundler: `init` takes it. */\ndeclare const source: ModuleSource;\nexport default source;\n",
      );
    },
  }),
  entry('analysis', { esbuildPlugins: [analysisModule, printableWasm] }, 'ts/analysis/index.ts'),
  // Its peer, being one, stays an import too.
  entry('tfjs', { esbuildPlugins: [besideIndex] }),
]);
