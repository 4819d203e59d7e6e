import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Options } from 'tsup';
import { moduleId } from './scripts/build/close-wasm.mjs';
import { embeddedWasm } from './scripts/build/embedded-text.js';
import { givenModule, withoutEscapes, workerCode } from './scripts/build/worker-code.js';

/**
 * The names that stay: people see those of the classes when they print a criterion, and those of
 * metrics in a model's history.
 */
const NAMES = [
  ...readdirSync('ts/losses').flatMap((file) =>
    Array.from(
      readFileSync(`ts/losses/${file}`, 'utf8').matchAll(/^export (?:abstract )?class (\w+)/gm),
      ([, name]) => name,
    ),
  ),
  ...[
    'LossMeter',
    'ReportMeter',
    'Calibrator',
    'ModuleError',
    'NotInitializedError',
    'logitAccuracy',
    'binaryLogitAccuracy',
  ],
];

/** Takes the WebAssembly module out of the bundle. */
const withoutModule: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'without-module',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/(?:module\/)?embedded\.js$/ }, () => ({
      path: resolve('ts/module/absent.ts'),
    }));
  },
};

/**
 * Leaves the main entry where it is, beside the bundle: whoever imports both then has one copy of
 * it.
 */
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
    onResolve({ filter: /^\.\.\/\.\.\/crate\/pkg\// }, ({ path }) => ({
      path: resolve(path.replace('../../crate/pkg/', 'crate/pkg-analysis/')),
    }));
  },
};

/**
 * An entry without the module, and what it says of that: which file it takes, and which entry it
 * is.
 */
function slim(entry: string, file: string, folder: string): Options {
  const id = moduleId(readFileSync(`crate/${folder}/focal_loss_bg.wasm`));
  const define = {
    ENTRY: `focal-loss/${entry}`,
    MODULE_FILE: file,
    MODULE_ID: id,
    // Without the module a worker could do nothing.
    ANALYSIS_WORKER_CODE: '',
  };
  return {
    esbuildPlugins: [withoutModule],
    define: Object.fromEntries(
      Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
  };
}

/**
 * An entry of the package: a file to import and one to require, which import nothing, unless it
 * says so.
 */
function entry(name: string, options: Options = {}): Options {
  return {
    entry: { [name]: `ts/${name}.ts` },
    tsconfig: 'tsconfig.lib.json',
    format: ['esm', 'cjs'],
    platform: 'neutral',
    target: 'es2022',
    // With a top-level await in it, the package could not be used by a service worker.
    esbuildOptions: (options) => {
      options.supported = { ...options.supported, 'top-level-await': false };
    },
    treeshake: true,
    minify: 'terser',
    // Terser writes into the objects that it is given, and both formats are built at once: each
    // gets its own.
    terserOptions: {
      // It would put functions where they are called, where each call makes them anew.
      get compress() {
        return { inline: false as const, reduce_funcs: false };
      },
      // Node prints the line that an error was thrown in. Comments are left where bundlers are told
      // to look away, and marks of what they may leave out where it is not used.
      get format() {
        return {
          preserve_annotations: true,
          ascii_only: true,
          max_line_len: 256,
          // It would escape `-->`, which the text of the module may hold.
          inline_script: false,
          comments: /webpackIgnore|@vite-ignore/,
        };
      },
      get mangle() {
        return { reserved: [...NAMES] };
      },
    },
    ...options,
  };
}

/** The code of a worker, as a text in the bundle. */
async function withWorker(
  name: string,
  file: Parameters<typeof workerCode>[0],
): Promise<Record<string, string>> {
  return { [name]: JSON.stringify(withoutEscapes(await workerCode(file))) };
}

export default defineConfig(async () => [
  // The wasm file becomes text inside the bundle: nothing to fetch, nothing for a bundler to be
  // taught.
  entry('index', { esbuildPlugins: [embeddedWasm] }),
  entry('slim', slim('slim', 'focal-loss.wasm', 'pkg')),
  // So does, in two entries, the code of workers of a pool.
  entry('analysis', {
    esbuildPlugins: [analysisModule, embeddedWasm],
    define: await withWorker('ANALYSIS_WORKER_CODE', 'ts/pool/analysis-worker.ts'),
  }),
  entry('analysis-slim', slim('analysis/slim', 'focal-loss-analysis.wasm', 'pkg-analysis')),
  // Its peer, being one, stays an import too.
  entry('tfjs', { esbuildPlugins: [besideIndex] }),
  // The code of its workers becomes text inside the bundle, and is an entry by itself.
  entry('pool', {
    esbuildPlugins: [embeddedWasm],
    define: await withWorker('WORKER_CODE', 'ts/worker.ts'),
  }),
  entry('worker', { esbuildPlugins: [givenModule] }),
]);
