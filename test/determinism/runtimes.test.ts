import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { root } from '../../scripts/lib/paths.mjs';
import { findRuntime } from '../../scripts/lib/runtimes.mjs';
import battery from './battery.json' with { type: 'json' };

/** What the runtimes keep for later goes here. */
const home = mkdtempSync(join(tmpdir(), 'focal-loss-'));
afterAll(() => rmSync(home, { recursive: true }));

// Deno is granted no permission at all, and neither may install or look up anything.
it.each([
  ['deno', 'run --no-prompt --no-config --no-lock --no-remote --no-npm'],
  ['bun', 'run --no-install'],
] as const)('the package gives the same bits in %s', { timeout: 60_000 }, async (name, args) => {
  const runtime = await findRuntime(name);
  if (!runtime) throw new Error(`${name} is not installed: npm run setup`);
  const { stdout, stderr, status } = spawnSync(runtime, [...args.split(' '), 'test/determinism/run.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: { HOME: home },
  });
  expect({ stdout, stderr, status }).toEqual({ stdout: `${battery.hash}\n`, stderr: '', status: 0 });
});
