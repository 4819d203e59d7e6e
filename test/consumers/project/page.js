// Tells the test what the main thread and a worker computed, or what was thrown there.
import { analyse } from './analysis.js';
import { hash } from './hash.js';
import { moduleUrl } from './module-url.js';
import { slimHash } from './slim-hash.js';

const outcome = (compute) => new Promise((resolve) => resolve(compute())).catch(String);

const inWorker = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
  });

async function report() {
  // The worker computes while the main thread does.
  const worker = outcome(inWorker);
  const main = await outcome(hash);
  const slim = await outcome(() => slimHash(fetch(moduleUrl)));
  const analysis = await outcome(analyse);
  const body = JSON.stringify({ main, worker: await worker, slim, analysis });
  await fetch(new URLSearchParams(location.search).get('report'), {
    method: 'POST',
    mode: 'no-cors',
    body,
  });
}

report();
