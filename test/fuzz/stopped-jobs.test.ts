import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { type Context, createContext, runInContext } from 'node:vm';
import { expect, it } from 'vitest';
import { sampled } from '../support/sample.js';

// A script that is stopped while a job of a promise runs takes all jobs behind it with it: nothing
// that waits for these ever goes on. In a context with jobs of its own, each place of a start is
// made to be the one where that happens.

const require = createRequire(import.meta.url);

/** A context into which an entry has been loaded, as `entry`. */
function contextWith(entry: string): Context {
  const module = { exports: {} };
  const context = createContext(
    { module, exports: module.exports, require },
    { microtaskMode: 'afterEvaluate' },
  );
  runInContext(readFileSync(`dist/${entry}.cjs`, 'utf8'), context);
  return Object.assign(context, {
    entry: module.exports,
    bytes: readFileSync('dist/focal-loss.wasm'),
  });
}

/** Runs a script and the jobs that are there. Returns whether it was stopped. */
function isStopped(context: Context, code: string): boolean {
  try {
    runInContext(code, context, { timeout: 150 });
    return false;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return true;
  }
}

/** Runs the jobs of a context, and what the engine does in between, until there is an outcome. */
async function outcomeOf(context: Context, rounds: number): Promise<string> {
  for (let i = 0; i < rounds && context.outcome === 'none'; i++) {
    await wait(2);
    isStopped(context, '0');
  }
  return context.outcome;
}

const LOSS = 'new entry.FocalLoss().forward(new Float32Array(2), new Uint8Array(1))';

/** Once it is released, this has a job that never ends, behind so many other turns of jobs. */
const stopAfter = (turns: number) => `{
  let turns = ${turns};
  const next = () => {
    if (turns-- > 0) return Promise.resolve().then(next);
    for (;;);
  };
  new Promise((resolve) => { globalThis.release = resolve; }).then(next);
}`;

const STARTS = [
  { entry: 'index', start: 'entry.init()', waits: 1 },
  { entry: 'slim', start: 'entry.init(bytes)', waits: 2 },
  { entry: 'slim', start: 'entry.init(Promise.resolve(bytes))', waits: 2 },
  {
    entry: 'slim',
    start: 'entry.init({ then(resolve) { resolve({ default: bytes }); } })',
    waits: 2,
  },
];

it.each(sampled(STARTS))(
  '$entry: $start, stopped at any job of it, leaves the next to work',
  async ({ entry, start, waits }) => {
    const begin = `globalThis.outcome = 'none'; ${start}.then(() => { outcome = 'started'; });`;
    let lost = 0;
    // So many of the engine's answers come before.
    for (let answers = 0; answers <= waits; answers++) {
      for (let turns = 0; turns < 5; turns++) {
        const context = contextWith(entry);
        const isAtOnce = answers === 0;
        const wasStopped = isStopped(
          context,
          stopAfter(turns) + (isAtOnce ? 'release();' : '') + begin,
        );
        expect(wasStopped).toBe(isAtOnce);
        for (let i = 1; i < answers; i++) {
          await wait(15);
          isStopped(context, '0');
        }
        if (!isAtOnce) {
          context.release();
          // The engine's answer waits behind the job that never ends.
          await wait(15);
          expect(isStopped(context, '0')).toBe(true);
        }
        if ((await outcomeOf(context, 10)) === 'none') lost++;
        isStopped(context, begin);
        expect(await outcomeOf(context, 500), `${answers} answers, ${turns} turns`).toBe('started');
        expect(runInContext(LOSS, context)).toBeCloseTo(0.1299651, 6);
      }
    }
    expect(lost).toBeGreaterThan(waits);
  },
  60_000,
);
