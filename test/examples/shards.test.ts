import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Queue, QueueEvents } from 'bullmq';
import { CrossEntropyLoss, FocalLoss, LossMeter, ReportMeter } from 'focal-loss/analysis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { QUEUE, type Shard } from '../../examples/shards/jobs.js';
import { differentiate, evaluate } from '../../examples/shards/producer.js';
import { type Server, startServer } from '../../examples/shards/server.js';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { findQueueServer } from '../../scripts/bootstrap/queue-server.mjs';
import { findRuntime } from '../../scripts/bootstrap/runtimes.mjs';
import { sha256 } from '../../scripts/bootstrap/sha256.mjs';
import { blocksOf } from '../support/program.js';

it('docs/shards.md shows the programs as they are run', () => {
  const page = readFileSync(join(root, 'docs', 'shards.md'), 'utf8');
  const read = (name: string) => readFileSync(join(root, 'examples', 'shards', name), 'utf8');
  expect(blocksOf(page, 'ts')).toEqual(['jobs.ts', 'worker.ts', 'producer.ts'].map(read));
});

/** The class of rows that do not count. */
const IGNORED = 255;

const SMOOTHED = new FocalLoss({ gamma: 1.5, labelSmoothing: 0.1, ignoreIndex: IGNORED });

/** A set of rows. */
interface Rows {
  readonly logits: Float32Array;
  readonly targets: Uint8Array;
  readonly classes: number;
}

function makeRows(rows: number, classes: number): Rows {
  const isIgnored = (row: number) => row % 11 === 5;
  return {
    logits: Float32Array.from({ length: rows * classes }, (_, k) => 6 * Math.sin(k * k + rows)),
    targets: Uint8Array.from({ length: rows }, (_, row) =>
      isIgnored(row) ? IGNORED : (row * row + (row >> 3)) % classes,
    ),
    classes,
  };
}

/** The results of the set in one process; of the gradient a hash. */
function wholeOf({ logits, targets }: Rows, criterion: FocalLoss) {
  const loss = new LossMeter(criterion).update(logits, targets);
  const report = new ReportMeter({ ignoreIndex: IGNORED }).update(logits, targets);
  const { grad } = criterion.valueAndGrad(logits, targets);
  return { loss: loss.result(), report: report.result(), grad: sha256(grad) };
}

/** A process that takes jobs, and what it says of its faults. */
interface Process {
  readonly child: ChildProcess;
  readonly closed: Promise<unknown[]>;
  /** Waits for words on stderr. */
  says(words: RegExp): Promise<void>;
}

const server = findQueueServer();

describe.skipIf(!server)('examples/shards', () => {
  let folder: string;
  let redis: Server;
  let url: string;
  let queue: Queue;
  let events: QueueEvents;
  let databases = 0;
  let runs = 0;
  const processes: Process[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'focal-loss-shards-'));
    redis = await startServer(server ?? '');
  });

  beforeEach(() => {
    // Workers of one queue look for silent ones as seldom as the slowest of them.
    url = `${redis.url}/${databases++}`;
    queue = new Queue(QUEUE, { connection: { url } });
    events = new QueueEvents(QUEUE, { connection: { url } });
  });

  afterEach(async () => {
    await queue.close();
    await events.close();
    for (const { child, closed } of processes.splice(0)) {
      child.kill('SIGKILL');
      await closed;
    }
  });

  afterAll(async () => {
    await redis?.close();
    rmSync(folder, { recursive: true });
  });

  const NODE = [process.execPath, '--import', import.meta.resolve('tsx')];

  /** A worker, whose jobs are another's after so many seconds of silence. */
  function startWorker(seconds = 30, [command = '', ...flags] = NODE): Process {
    const program = join(root, 'examples', 'shards', 'worker.ts');
    const args = [...flags, program, url, String(seconds)];
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'pipe'] });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      words += text;
    });
    const started: Process = {
      child,
      closed: once(child, 'close'),
      says: async (wanted) => {
        while (!wanted.test(words)) await once(child.stderr, 'data');
      },
    };
    processes.push(started);
    return started;
  }

  /** A run of a name that no other has had. */
  const newRun = () => ({ queue, events, name: `run${runs++}` });

  /** Files of as many parts, of which each but the last has a row more than the one before. */
  function split({ logits, targets, classes }: Rows, parts: number): Shard[] {
    const prefix = join(folder, `set${runs++}`);
    const least = Math.floor(targets.length / parts - parts / 2);
    let end = 0;
    return Array.from({ length: parts }, (_, i) => {
      const start = end;
      end = i === parts - 1 ? targets.length : start + least + i;
      const shard = { logits: `${prefix}-${i}.logits`, targets: `${prefix}-${i}.targets` };
      writeFileSync(shard.logits, logits.subarray(start * classes, end * classes));
      writeFileSync(shard.targets, targets.subarray(start, end));
      return shard;
    });
  }

  const emptyMeters = (criterion: FocalLoss | CrossEntropyLoss) => ({
    loss: new LossMeter(criterion),
    report: new ReportMeter({ ignoreIndex: IGNORED }),
  });

  /** The results of the set in parts: the files of its gradient are put in the order of rows. */
  async function resultsOf(shards: readonly Shard[], criterion: FocalLoss, run = newRun()) {
    const { loss, report } = await evaluate(run, shards, emptyMeters(criterion));
    const { denominator } = loss.result();
    const files = await differentiate(run, shards, criterion, denominator);
    const grad = Buffer.concat([...files].sort(byPart).map((file) => readFileSync(file)));
    return { loss: loss.result(), report: report.result(), grad: sha256(grad) };
  }

  const partOf = (file: string) => Number(/-(\d+)\./.exec(file)?.[1]);
  const byPart = (a: string, b: string) => partOf(a) - partOf(b);

  /**
   * Shards of which the first is a pipe: a worker that reads it waits there, in the middle of its
   * job.
   */
  function splitWithPipe(rows: Rows, parts: number) {
    const shards = split(rows, parts);
    const { logits: path } = shards[0];
    const file = `${path}.file`;
    renameSync(path, file);
    expect(spawnSync('mkfifo', [path]).status).toBe(0);
    return {
      shards,
      /** Waits for a worker to read. */
      isRead: () => open(path, 'w'),
      bytes: readFileSync(file),
      /** Puts the file in place of the pipe. */
      mend: () => renameSync(file, path),
    };
  }

  it.each([
    { size: 1, parts: 1, rows: 1000, classes: 2 },
    { size: 1, parts: 23, rows: 4097, classes: 3 },
    { size: 3, parts: 23, rows: 4097, classes: 3 },
    { size: 2, parts: 5, rows: 400, classes: 100 },
    // More rows than a worker sees at a time.
    { size: 2, parts: 2, rows: 40_000, classes: 2 },
  ])(
    'gives the bits of one process: $size workers, $parts shards of [$rows, $classes]',
    async ({ size, parts, rows, classes }) => {
      const set = makeRows(rows, classes);
      for (let i = 0; i < size; i++) startWorker();
      for (const criterion of [new FocalLoss({ ignoreIndex: IGNORED }), SMOOTHED]) {
        const whole = wholeOf(set, criterion);
        const shards = split(set, parts);
        expect(await resultsOf(shards, criterion)).toEqual(whole);
        expect(await resultsOf(shards.reverse(), criterion)).toEqual(whole);
      }
    },
  );

  it.each([
    { name: 'deno', flags: ['run', '--allow-all'] },
    { name: 'bun', flags: [] },
  ] as const)('gives the bits of one process: a worker in $name', async ({ name, flags }) => {
    const program = await findRuntime(name);
    expect(program).toBeDefined();
    startWorker(30, [program ?? '', ...flags]);
    const set = makeRows(1000, 3);
    const shards = split(set, 3);
    expect(await resultsOf(shards, SMOOTHED)).toEqual(wholeOf(set, SMOOTHED));
    // A worker knows of no loss: any will do.
    const other = new CrossEntropyLoss({ weight: [0.1, 0.7, 2.3], ignoreIndex: IGNORED });
    const { loss } = await evaluate(newRun(), shards, emptyMeters(other));
    const whole = new LossMeter(other).update(set.logits, set.targets);
    expect(loss.result()).toEqual(whole.result());
  });

  it('does the job of a worker that is killed again, and counts it once', async () => {
    const rows = makeRows(500, 3);
    const { shards, isRead, mend } = splitWithPipe(rows, 4);
    const run = newRun();
    const { child, closed } = startWorker(1);
    const results = resultsOf(shards, SMOOTHED, run);
    const pipe = await isRead();
    child.kill('SIGKILL');
    await closed;
    mend();
    await pipe.close();
    startWorker(1);
    expect(await results).toEqual(wholeOf(rows, SMOOTHED));
    const job = await queue.getJob(`${run.name}-evaluate-0`);
    expect(job?.stalledCounter).toBeGreaterThanOrEqual(1);
    expect(job?.attemptsStarted).toBeGreaterThanOrEqual(2);
  });

  it('refuses the answer of a worker that was given up', async () => {
    const rows = makeRows(500, 3);
    const { shards, isRead, bytes, mend } = splitWithPipe(rows, 4);
    const run = newRun();
    const late = startWorker(1);
    const results = resultsOf(shards, SMOOTHED, run);
    const pipe = await isRead();
    late.child.kill('SIGSTOP');
    mend();
    startWorker(1);
    const whole = wholeOf(rows, SMOOTHED);
    expect(await results).toEqual(whole);
    await pipe.writeFile(bytes);
    await pipe.close();
    late.child.kill('SIGCONT');
    await late.says(/Missing lock/);
    expect(await resultsOf(shards, SMOOTHED, run)).toEqual(whole);
  });

  it('finishes a job before it ends when it is asked to end', async () => {
    const rows = makeRows(500, 3);
    const { shards, isRead, bytes } = splitWithPipe(rows, 1);
    const run = newRun();
    const { child, closed } = startWorker();
    const meters = evaluate(run, shards, emptyMeters(SMOOTHED));
    const pipe = await isRead();
    child.kill('SIGTERM');
    await pipe.writeFile(bytes);
    await pipe.close();
    expect((await meters).loss.result()).toEqual(wholeOf(rows, SMOOTHED).loss);
    expect(await closed).toEqual([0, null]);
    const job = await queue.getJob(`${run.name}-evaluate-0`);
    expect(job?.attemptsStarted).toBe(1);
  });

  it('has the answers of a run that is begun again', async () => {
    const rows = makeRows(500, 3);
    const shards = split(rows, 5);
    const run = newRun();
    const worker = startWorker();
    const first = await resultsOf(shards, SMOOTHED, run);
    worker.child.kill('SIGKILL');
    await worker.closed;
    // Nobody could compute anything now.
    for (const { logits } of shards) rmSync(logits);
    expect(await resultsOf(shards, SMOOTHED, run)).toEqual(first);
  });

  it('says what is wrong with a shard after three attempts, and works on', async () => {
    const rows = makeRows(500, 3);
    const shards = split(rows, 5);
    const { targets, logits } = shards[3];
    const good = readFileSync(targets);
    startWorker();
    writeFileSync(
      targets,
      Uint8Array.from(good, (target, row) => (row === 7 ? 3 : target)),
    );
    const run = newRun();
    await expect(evaluate(run, shards, emptyMeters(SMOOTHED))).rejects.toThrow(
      'targets[7] must be a class in [0, 3) or ignoreIndex, 255, got 3',
    );
    expect((await queue.getJob(`${run.name}-evaluate-3`))?.attemptsMade).toBe(3);
    writeFileSync(targets, good);
    expect(await resultsOf(shards, SMOOTHED, run)).toEqual(wholeOf(rows, SMOOTHED));
    renameSync(logits, `${logits}.away`);
    await expect(evaluate(newRun(), shards, emptyMeters(SMOOTHED))).rejects.toThrow(logits);
    renameSync(`${logits}.away`, logits);
    expect(await resultsOf(shards, SMOOTHED)).toEqual(wholeOf(rows, SMOOTHED));
  });
});
