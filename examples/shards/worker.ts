// A process that takes jobs: node worker.ts redis://HOST:PORT [SECONDS]

import { readFile, rename, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { type Job, Worker } from 'bullmq';
import { FocalLoss, LossMeter, ReportMeter } from 'focal-loss/analysis';
import { type Differentiation, type Evaluation, QUEUE, type Shard } from './jobs.ts';

/** The rows that are seen without a pause. */
const ROWS = 16384;

async function read({ logits, targets }: Shard) {
  const [floats, bytes] = await Promise.all([readFile(logits), readFile(targets)]);
  const classes = floats.length / 4 / bytes.length;
  // A copy, as the bytes of a file may lie anywhere in a buffer, and floats may not.
  return { logits: new Float32Array(Uint8Array.from(floats).buffer), targets: bytes, classes };
}

async function evaluate({ shard, ...empty }: Evaluation) {
  const { logits, targets, classes } = await read(shard);
  const loss = LossMeter.fromJSON(empty.loss);
  const report = ReportMeter.fromJSON(empty.report);
  for (let row = 0; row < targets.length; row += ROWS) {
    const x = logits.subarray(row * classes, (row + ROWS) * classes);
    const y = targets.subarray(row, row + ROWS);
    loss.update(x, y);
    report.update(x, y);
    // The pause in which this process says that it is alive.
    await setImmediate();
  }
  return { loss, report };
}

async function differentiate(
  { shard, options, normalizer, grad: file }: Differentiation,
  token: string,
) {
  const { logits, targets } = await read(shard);
  const { grad } = new FocalLoss({ ...options, normalizer }).valueAndGrad(logits, targets);
  // The file is there when it is whole, and whoever writes it writes the same.
  await writeFile(`${file}.${token}`, grad);
  await rename(`${file}.${token}`, file);
}

const [url = 'redis://127.0.0.1:6379', seconds = '30'] = process.argv.slice(2);
const worker = new Worker(
  QUEUE,
  async (job: Job, token = '') => {
    if (job.name === 'evaluate') return evaluate(job.data);
    if (job.name === 'differentiate') return differentiate(job.data, token);
    throw new Error(`There is no job ${job.name}`);
  },
  {
    connection: { url },
    // A job whose process has been silent for so long is another's.
    lockDuration: 1000 * Number(seconds),
    stalledInterval: 1000 * Number(seconds),
    maxStalledCount: 100,
  },
);
worker.on('error', ({ message }) => console.error(message));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => worker.close());
