import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { type Context, createContext, runInContext } from 'node:vm';
import { expect, it } from 'vitest';

// Functions that work in turns are stopped in their later ones: in a context with jobs of its own,
// a turn is run by whatever script comes next, and its time ends there. Nothing waits for such work
// any more; all other calls must give what they gave before.

const require = createRequire(import.meta.url);

/** More logits than there are in two turns. */
const ROWS = 300_000;

const SET_UP = `
  const { FocalLoss, LossMeter } = entry;
  const focal = new FocalLoss({ gamma: 2.5 });
  const few = Float64Array.from({ length: 24 }, (_, i) => Math.sin(i));
  const fewTargets = Uint8Array.from({ length: 8 }, (_, i) => i % 3);
  const many = Float32Array.from({ length: 4 * ${ROWS} }, (_, i) => Math.sin(i));
  const manyTargets = Uint8Array.from({ length: ${ROWS} }, (_, i) => i % 4);
  const resident = entry.allocate(2, 2);
  resident.logits.set([1, 2, 3, -4]);
  const battery = () => JSON.stringify([
    focal.valueAndGrad(few, fewTargets),
    focal.forward(few, new Float64Array(24).fill(1 / 3), { numClasses: 3 }),
    new LossMeter(focal).update(few, fewTargets),
    entry.sweep(few, fewTargets, { gamma: [0, 1, 2.5], labelSmoothing: [0, 0.1] }),
    entry.classificationReport(few, fewTargets),
    entry.softmax(few, 3),
    resident.logits,
    focal.forward(resident.logits, Uint8Array.of(0, 1)),
  ]);
  const before = battery();
`;

/** The calls that work in turns. */
const CALLS = {
  sweepAsync: 'entry.sweepAsync(many, manyTargets, { gamma: [0, 2], onProgress })',
  classificationReportAsync: 'entry.classificationReportAsync(many, manyTargets, { onProgress })',
  diagnoseAsync: 'entry.diagnoseAsync(many, manyTargets, focal, { onProgress })',
  compareLossesAsync: 'entry.compareLossesAsync(many, manyTargets, { focal }, { onProgress })',
};

/** Runs a script and the jobs that are there, for so many milliseconds. */
function isStopped(context: Context, code: string, timeout: number): boolean {
  try {
    runInContext(code, context, { timeout });
    return false;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    return true;
  }
}

it.each(Object.entries(CALLS))(
  '%s, stopped in its later turns, leaves all as it was',
  { timeout: 120_000 },
  async (_, call) => {
    const module = { exports: {} };
    const context = createContext(
      { module, exports: module.exports, require, setTimeout },
      { microtaskMode: 'afterEvaluate' },
    );
    const code = readFileSync('dist/analysis.cjs', 'utf8');
    runInContext(`(() => {${code}\n})()`, context);
    context.entry = module.exports;
    runInContext(SET_UP, context);
    let stopped = 0;
    for (let i = 0; i < 12; i++) {
      context.turns = 0;
      const begin = `{ const onProgress = () => { turns++; }; ${call}.catch(() => {}); }`;
      expect(isStopped(context, begin, 60_000)).toBe(false);
      // Some turns come to their end, the next has too little time.
      for (let round = 0; round < 20; round++) {
        await wait(2);
        const isLate = round >= i % 3;
        if (isStopped(context, '0', isLate ? 1 + (i % 4) : 60_000)) {
          expect(context.turns).toBeGreaterThan(0);
          stopped++;
          break;
        }
      }
      expect(runInContext('battery()', context)).toBe(runInContext('before', context));
    }
    expect(stopped).toBeGreaterThan(2);
    // And a whole one comes to its end.
    runInContext(`{ const onProgress = () => {}; ${call}.then(() => { turns = -1; }); }`, context);
    for (let round = 0; round < 2000 && context.turns !== -1; round++) {
      await wait(1);
      runInContext('0', context);
    }
    expect(context.turns).toBe(-1);
  },
);
