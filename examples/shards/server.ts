import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A server of Redis or Valkey, of this process alone. */
export interface Server {
  readonly url: string;
  close(): Promise<void>;
}

/** A port of this machine that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no port');
  return address.port;
}

/** Starts `redis-server` or `valkey-server`, which keeps nothing on disk. */
export async function startServer(program: string, attempts = 5): Promise<Server> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-queue-'));
  const settings = { port, bind: '127.0.0.1', dir: folder, save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  const ended = once(child, 'close');
  const close = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (line.includes('Ready to accept connections')) {
      child.stdout.resume();
      return { url: `redis://127.0.0.1:${port}`, close };
    }
  }
  await close();
  // Somebody else has taken the port.
  if (attempts > 1) return startServer(program, attempts - 1);
  throw new Error(`${program} does not start: ${lines.at(-1)}`);
}
