// Stops a function that works in turns in its later ones, time and again: `node stop-turns.mjs
// NAME`, which is one of CALLS. A program of its own without an event loop: what stops a script can
// take a job or a timer of the process around it along, which then waits for ever. The turns are
// begun here by hand, with what they gave to `setTimeout`.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createContext, runInContext } from 'node:vm';

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
  let turns = 0;
  const onProgress = () => { turns++; };
`;

/** The calls that work in turns. @type {Record<string, string>} */
export const CALLS = {
  sweepAsync: 'entry.sweepAsync(many, manyTargets, { gamma: [0, 2], onProgress })',
  classificationReportAsync: 'entry.classificationReportAsync(many, manyTargets, { onProgress })',
  diagnoseAsync: 'entry.diagnoseAsync(many, manyTargets, focal, { onProgress })',
  compareLossesAsync: 'entry.compareLossesAsync(many, manyTargets, { focal }, { onProgress })',
};

/** @param {string} call */
function stopTurns(call) {
  const module = { exports: {} };
  /** The functions to be called at the next turn. @type {(() => void)[]} */
  let next = [];
  const context = createContext(
    {
      module,
      exports: module.exports,
      require: createRequire(import.meta.url),
      setTimeout: (/** @type {() => void} */ callback) => next.push(callback),
    },
    { microtaskMode: 'afterEvaluate' },
  );
  const code = readFileSync(new URL('../../dist/analysis.cjs', import.meta.url), 'utf8');
  runInContext(`(() => {${code}\n})()`, context);
  context.entry = module.exports;
  runInContext(SET_UP, context);

  /** Runs a script and the jobs that are there. @param {string} script */
  const run = (script) => runInContext(script, context);
  /** The same, for so many milliseconds. @param {string} script @param {number} timeout */
  const isStopped = (script, timeout) => {
    try {
      runInContext(script, context, { timeout });
      return false;
    } catch (error) {
      if (/** @type {{ code?: unknown }} */ (error).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
        throw error;
      }
      return true;
    }
  };
  const beginTurn = () => {
    const callbacks = next;
    next = [];
    for (const callback of callbacks) callback();
    return callbacks.length > 0;
  };

  let stopped = 0;
  for (let i = 0; i < 12; i++) {
    next = [];
    run(`turns = 0; ${call}.catch(() => {});`);
    // Some turns come to their end, the next has too little time.
    for (let round = 0; beginTurn(); round++) {
      if (round < i % 3) {
        run('0');
      } else if (isStopped('0', 1 + (i % 4))) {
        stopped++;
        break;
      }
    }
    assert(run('turns') > 0, 'no turn was counted');
    assert.equal(run('battery()'), run('before'));
  }
  assert(stopped > 2, `of 12 only ${stopped} were stopped`);
  // And a whole one comes to its end.
  next = [];
  run(`let isDone = false; ${call}.then(() => { isDone = true; });`);
  while (beginTurn()) run('0');
  assert.equal(run('isDone'), true);
}

const [name] = process.argv.slice(2);
if (name !== undefined) stopTurns(CALLS[name] ?? '');
