import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { findRuntime } from '../../scripts/bootstrap/runtimes.mjs';

/**
 * The runtimes beside Node. Deno is granted no permission; neither may install or look up anything.
 */
export const RUNTIMES = [
  ['deno', 'run --no-prompt --no-config --no-lock --no-remote --no-npm'],
  ['bun', 'run --no-install'],
] as const;

/** The caches of the runtimes go here. */
const home = mkdtempSync(join(tmpdir(), 'focal-loss-'));
afterAll(() => rmSync(home, { recursive: true }));

/** Runs a program in a runtime: its output, and how it ends. */
export async function runIn(name: 'deno' | 'bun', args: string[]) {
  const runtime = await findRuntime(name);
  if (!runtime) throw new Error(`${name} is not installed: npm run setup`);
  const { stdout, stderr, status } = spawnSync(runtime, args, {
    cwd: root,
    encoding: 'utf8',
    env: { HOME: home },
  });
  return { stdout, stderr, status };
}
