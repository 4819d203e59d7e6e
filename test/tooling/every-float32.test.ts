import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { everyFloat32 } from '../../scripts/check/every-float32.mjs';

describe('the elementary functions over all inputs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  const record = join(folder, 'record.json');
  const toolchain = { folder: '', cargo: 'cargo', version: 'rustc 1.2.3', env: {} };
  beforeEach(() => rmSync(record, { force: true }));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('are left out where they passed with the same compiler, and that is told', () => {
    const first = everyFloat32(toolchain, record);
    expect(first.missed).toEqual([]);
    expect(first.checks).toHaveLength(1);
    // A run that did not pass leaves nothing behind.
    expect(everyFloat32(toolchain, record).checks).toHaveLength(1);

    first.checks[0]?.onPassed?.();
    const second = everyFloat32(toolchain, record);
    expect(second.checks).toEqual([]);
    expect(second.missed).toHaveLength(1);
    expect(second.missed[0]?.reason).toMatch(/passed on this machine/);
  });

  it('run again with another compiler, and where the record cannot be read', () => {
    everyFloat32(toolchain, record).checks[0]?.onPassed?.();
    expect(everyFloat32({ ...toolchain, version: 'rustc 1.2.4' }, record).checks).toHaveLength(1);
    writeFileSync(record, '{');
    expect(everyFloat32(toolchain, record).checks).toHaveLength(1);
  });
});
