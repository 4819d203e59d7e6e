import { resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** The files whose code a worker runs: one of the losses, and one that knows the analysis. */
type WorkerFile = 'ts/worker.ts' | 'ts/pool/analysis-worker.ts';

/** Has the WebAssembly module be handed over, in place of the one in the bundle. */
export const givenModule: Plugin = {
  name: 'given-module',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\.?\/(?:module\/)?embedded\.js$/ }, () => ({
      path: resolve('ts/module/given.ts'),
    }));
  },
};

/** Characters that would be escaped in a string, and what stands for them. */
const ESCAPES: Record<string, string> = { '@': '@a', '"': '@b', '\\': '@c', '\n': '@d' };

/** Code as a text that needs no escapes in a string: ts/pool/thread.ts reads it. */
export function withoutEscapes(code: string): string {
  return code.replaceAll(/[@"\\\n]/g, (character) => ESCAPES[character] ?? character);
}

/** The code of a worker of the pool, which is a script and a module alike. */
export async function workerCode(file: WorkerFile): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    minify: true,
    format: 'iife',
    platform: 'neutral',
    target: 'es2022',
    tsconfig: 'tsconfig.lib.json',
    plugins: [givenModule],
    logLevel: 'error',
  });
  return outputFiles[0]?.text.trim() ?? '';
}
