import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cache, root } from '../../scripts/bootstrap/paths.mjs';

describe('the set-up with a Rust toolchain that is of no use', () => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  });
  afterEach(() => rmSync(bin, { recursive: true }));

  function program(name: string, script: string): void {
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  function compiler(version: string): void {
    program('cargo', 'echo "cargo 1.0.0"');
    program(
      'rustc',
      `case $1 in -vV) echo "rustc ${version} (made up)" ;; *) echo "${bin}/no-such-folder" ;; esac`,
    );
  }

  /**
   * Runs the set-up with nothing but these programs on PATH, which keeps it from installing
   * packages. It may still find a working toolchain where the system keeps its programs; otherwise
   * it must fail and say what to do.
   */
  function setUp(): string {
    const { status, stderr } = spawnSync(
      process.execPath,
      [join(root, 'scripts', 'bootstrap', 'main.mjs')],
      {
        encoding: 'utf8',
        env: { HOME: bin, XDG_CACHE_HOME: join(cache, '..'), PATH: bin },
      },
    );
    if (status !== 0) expect(stderr).toMatch(/\bInstall (?:rustup|one)\b/);
    return stderr;
  }

  it('says that it does not run', () => {
    program('cargo', 'echo "cargo 1.0.0"');
    program('rustc', 'echo "error: no default toolchain" >&2; exit 1');
    expect(setUp()).toContain('rustc does not run: error: no default toolchain');
  });

  it('says that it is too old', () => {
    compiler('1.63.0');
    expect(setUp()).toMatch(/rustc is rustc 1\.63\.0 \(made up\), older than 1\.\d+/);
  });

  it('says that rustup could not add the target', () => {
    compiler('1.99.0');
    program('rustup', 'echo "error: could not download" >&2; exit 1');
    expect(setUp()).toContain('rustup could not add the target wasm32-unknown-unknown');
  });

  it('says that there is no rustup to add the target', () => {
    compiler('1.99.0');
    expect(setUp()).toContain('rustc has no standard library for wasm32-unknown-unknown');
  });
});
