// Tells the test what the main thread and a worker computed, or what was thrown there.
import { poolAnalysis } from 'focal-loss/analysis';
import { analyse } from './analysis.js';
import { hash } from './hash.js';
import { moduleUrl } from './module-url.js';
import { poolAnalysisHash, poolHash } from './pool.js';
import { slimHash } from './slim-hash.js';

const outcome = (compute) => new Promise((resolve) => resolve(compute())).catch(String);

const inWorker = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
  });

const makeWorker = () =>
  new Worker(new URL('./pool-worker.js', import.meta.url), { type: 'module' });

const makeAnalysisWorker = () =>
  new Worker(new URL('./analysis-worker.js', import.meta.url), { type: 'module' });

async function report() {
  // The worker computes while the main thread does.
  const worker = outcome(inWorker);
  const main = await outcome(hash);
  const slim = await outcome(() => slimHash(fetch(moduleUrl)));
  const analysis = await outcome(analyse);
  const pool = await outcome(() => poolHash());
  const poolWorker = await outcome(() => poolHash({ worker: makeWorker }));
  const known = { analysis: poolAnalysis };
  const poolSweep = await outcome(() => poolAnalysisHash(known));
  const poolSweepWorker = await outcome(() =>
    poolAnalysisHash({ ...known, worker: makeAnalysisWorker }),
  );
  const pools = { pool, poolWorker, poolSweep, poolSweepWorker };
  const results = { main, worker: await worker, slim, analysis, ...pools };
  const hasShared = typeof SharedArrayBuffer !== 'undefined';
  const body = JSON.stringify({ ...results, hasShared });
  await fetch(new URLSearchParams(location.search).get('report'), {
    method: 'POST',
    mode: 'no-cors',
    body,
  });
}

report();
