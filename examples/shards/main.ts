// A set of invented rows, evaluated by processes that share a queue, and by one: `npm run shards`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Queue, QueueEvents } from 'bullmq';
import { FocalLoss, LossMeter, ReportMeter } from 'focal-loss/analysis';
import { findQueueServer } from '../../scripts/bootstrap/queue-server.mjs';
import { QUEUE, type Shard } from './jobs.ts';
import { differentiate, evaluate } from './producer.ts';
import { type Server, startServer } from './server.ts';

const HELP = `Evaluates invented rows in processes that take shards from a queue, and in one process.

npm run shards [-- options]
  --workers <n>   how many processes (default 2)
  --shards <n>    how many files the rows lie in (default 16)
  --rows <n>      how many rows of two classes (default 400000)
  --url <url>     a server of Redis or Valkey that is there, whose queue "${QUEUE}" is removed in
                  the end (default: one is started, of valkey-server or redis-server)
  --help          this text
`;

const CLASSES = 2;

const { values: options } = parseArgs({
  options: {
    workers: { type: 'string', default: '2' },
    shards: { type: 'string', default: '16' },
    rows: { type: 'string', default: '400000' },
    url: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** A number of things. */
function countOf(name: 'workers' | 'shards' | 'rows'): number {
  const count = Number(options[name]);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`--${name} must be a whole number from 1 on, not "${options[name]}"`);
}

/** The server that was asked for, or one of this process. */
function openServer(): Promise<Server> {
  if (options.url) return Promise.resolve({ url: options.url, close: async () => {} });
  const program = findQueueServer();
  if (program) return startServer(program);
  throw new Error('There is neither valkey-server nor redis-server: install one, or give --url');
}

function startWorker(url: string) {
  const program = fileURLToPath(new URL('./worker.ts', import.meta.url));
  const args = ['--import', import.meta.resolve('tsx'), program, url];
  return spawn(process.execPath, args, { stdio: 'inherit' });
}

async function main(): Promise<void> {
  const [workers, parts, rows] = [countOf('workers'), countOf('shards'), countOf('rows')];
  const logits = Float32Array.from({ length: CLASSES * rows }, (_, k) => 3 * Math.sin(k * k));
  const targets = Uint8Array.from({ length: rows }, (_, row) => Number(row % 10 === 0));
  const criterion = new FocalLoss();

  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-shards-'));
  const shards = Array.from({ length: parts }, (_, i): Shard => {
    const [start, end] = [Math.floor((i * rows) / parts), Math.floor(((i + 1) * rows) / parts)];
    const shard = { logits: join(folder, `${i}.logits`), targets: join(folder, `${i}.targets`) };
    writeFileSync(shard.logits, logits.subarray(CLASSES * start, CLASSES * end));
    writeFileSync(shard.targets, targets.subarray(start, end));
    return shard;
  });

  const server = await openServer();
  const connection = { url: server.url };
  const queue = new Queue(QUEUE, { connection });
  const events = new QueueEvents(QUEUE, { connection });
  const processes = Array.from({ length: workers }, () => startWorker(server.url));
  try {
    const run = { queue, events, name: `run-${process.pid}` };
    const empty = { loss: new LossMeter(criterion), report: new ReportMeter() };
    const { loss, report } = await evaluate(run, shards, empty);
    const files = await differentiate(run, shards, criterion, loss.result().denominator);
    console.log(`${parts} shards of ${rows} rows, ${workers} processes\n`);
    console.log(`${loss}\n\n${report}\n`);

    const alone = new LossMeter(criterion).update(logits, targets).result();
    const { grad } = criterion.valueAndGrad(logits, targets);
    const whole = Buffer.concat(files.map((file) => readFileSync(file)));
    console.log(
      'The mean of one process:',
      loss.result().mean === alone.mean ? 'the same' : 'another',
    );
    console.log('Its gradient:', whole.equals(Buffer.from(grad.buffer)) ? 'the same' : 'another');
  } finally {
    for (const child of processes) {
      child.kill();
      await once(child, 'close');
    }
    await queue.obliterate({ force: true });
    await queue.close();
    await events.close();
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

if (options.help) {
  console.log(HELP);
} else {
  await main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
