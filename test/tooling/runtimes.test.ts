import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { dependencies as versions } from '../../scripts/bootstrap/runtimes/package.json' with {
  type: 'json',
};
import { findRuntime } from '../../scripts/bootstrap/runtimes.mjs';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'focal-loss-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a runtime', () => {
  function program(platform: string, script: string): string {
    const bin = join(folder, 'node_modules', '@oven', platform, 'bin');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'bun'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return join(bin, 'bun');
  }

  it('is not found where nothing is installed', async () => {
    expect(await findRuntime('bun', folder)).toBeUndefined();
  });

  it('is not found where the one installed does not run, or is of another version', async () => {
    program('broken', 'exit 1');
    program('old', 'echo 1.0.0');
    program('newer', `echo ${versions.bun}1`);
    expect(await findRuntime('bun', folder)).toBeUndefined();
  });

  it('is found among those for other platforms', async () => {
    program('a-platform', 'exit 127');
    const right = program('b-platform', `echo ${versions.bun}`);
    expect(await findRuntime('bun', folder)).toBe(right);
  });
});

it('the set-up says which runtimes it could not install', () => {
  const npm = join(folder, 'npm.cjs');
  writeFileSync(npm, 'console.error("npm error code E404"); process.exit(1)');
  const lib = JSON.stringify(join(root, 'scripts', 'bootstrap', 'runtimes.mjs'));
  const script = `import(${lib}).then(async ({ ensureRuntimes }) => console.log(await ensureRuntimes()))`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--eval', script], {
    encoding: 'utf8',
    env: { XDG_CACHE_HOME: folder, npm_execpath: npm },
  });
  expect(stderr).toContain('npm error code E404');
  for (const [name, version] of Object.entries(versions))
    expect(stderr).toContain(`There is no ${name} ${version} in `);
  expect(stdout).toBe('[]\n');
});
