import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureQueueServer, findQueueServer } from '../../scripts/bootstrap/queue-server.mjs';

const { PATH } = process.env;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'focal-loss-path-'));
  process.env.PATH = folder;
});

afterEach(() => {
  process.env.PATH = PATH;
  rmSync(folder, { recursive: true });
});

it('says what to install where there is no server, and nothing to install it with', async () => {
  expect(findQueueServer()).toBeUndefined();
  await expect(ensureQueueServer()).rejects.toThrow(
    'The tests need valkey-server or redis-server on PATH. On Debian: apt-get install redis-server',
  );
});

it.each(['valkey-server', 'redis-server'])('takes the %s that is there', async (name) => {
  const program = join(folder, name);
  writeFileSync(program, '');
  chmodSync(program, 0o755);
  expect(findQueueServer()).toBe(program);
  await ensureQueueServer();
});
