// `npm run test:engines`: the determinism battery on other processors and in other engines. All
// that it needs is installed into the cache. `npm run test:engines -- Node arm64` runs those with
// these words in their name.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lossesInPages } from '../../test/tfjs/losses-in-pages.mjs';
import { ensureConsumers, nodeOf } from '../bootstrap/consumers.mjs';
import { records, root } from '../bootstrap/paths.mjs';
import { capture, mustRun } from '../bootstrap/process.mjs';
import { ExplainedError, runMain, say } from '../bootstrap/report.mjs';
import { setUp } from '../bootstrap/set-up.mjs';
import { build } from '../build/build.mjs';
import { ENGINES, MODULE } from './engines.mjs';

/** Emulated engines take up to this many seconds on a busy machine; no end is a result as well. */
const LIMIT = 3600;

/** So many of the last characters are shown of what was not expected. */
const LAST = 3000;

/**
 * @param {string} name of a program of this folder
 * @param {import('esbuild').BuildOptions} [options]
 * @returns {Promise<string>} it as one file
 */
async function bundle(name, options) {
  const { build } = await import('esbuild');
  const outfile = join(records, 'engines', `${name}.mjs`);
  mkdirSync(join(records, 'engines'), { recursive: true });
  await build({
    entryPoints: [join(root, 'scripts', 'engines', `${name}.ts`)],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    external: ['node:*'],
    outfile,
    logLevel: 'error',
    ...options,
  });
  return outfile;
}

/** @type {import('esbuild').BuildOptions} */
const WITH_PACKAGES = {
  platform: 'node',
  mainFields: ['module', 'main'],
  // Packages in it are CommonJS modules, and ask for those of Node.
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  plugins: [lossesInPages],
};

/** @returns {Promise<string>} the tape of the battery, which hosts without JavaScript play */
async function recordTape() {
  const tape = join(records, 'engines', 'battery.tape');
  await mustRun('Recording the battery', nodeOf(24), [await bundle('record'), tape]);
  return tape;
}

/**
 * @param {import('./engines.mjs').Engine} engine
 * @param {Record<import('./engines.mjs').Engine['takes'], string[]>} files
 */
async function run({ name, command, expected, exitCode = 0, summary, takes }, files) {
  let printed = '';
  let ended = '';
  const start = performance.now();
  try {
    const words = ['--kill-after=10', String(LIMIT), ...(await command()), ...files[takes]];
    const { code, output } = await capture('timeout', words);
    printed = output.trim();
    if (code !== exitCode) ended = code === 124 ? `no end in ${LIMIT} s` : `exit code ${code}`;
  } catch (error) {
    if (!(error instanceof ExplainedError)) throw error;
    ended = error.message;
  }
  const match = expected.exec(printed);
  const passed = match !== null && ended === '';
  const result = [ended, summary?.(printed) ?? match?.[0]].filter(Boolean).join(', ');
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(`${passed ? 'as expected' : 'NOT AS EXPECTED'} | ${name} | ${result} | ${seconds} s`);
  if (!passed) console.log(printed.slice(-LAST));
  return passed;
}

await runMain(async () => {
  await build(await setUp({ runtimes: true }));
  await ensureConsumers();
  const wanted = process.argv.slice(2);
  const engines = ENGINES.filter(({ name }) => wanted.every((word) => name.includes(word)));
  if (engines.length === 0)
    throw new ExplainedError(`Of these, none has all words: ${ENGINES.map(({ name }) => name)}`);
  const files = {
    battery: [await bundle('battery')],
    bounds: [await bundle('bounds')],
    module: [MODULE],
    nothing: [],
    webgpu: [await bundle('webgpu', WITH_PACKAGES)],
    tape: engines.some(({ takes }) => takes === 'tape') ? [MODULE, await recordTape()] : [],
  };
  let passed = 0;
  // One after the other: each takes a core, and the machine may have no more.
  for (const engine of engines) passed += (await run(engine, files)) ? 1 : 0;
  say(`${passed} passed, ${engines.length - passed} failed`);
  return passed === engines.length ? 0 : 1;
});
