import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { records } from '../../scripts/bootstrap/paths.mjs';
import { runStage } from '../../scripts/build/fingerprint.mjs';

describe('a build stage', () => {
  let folder: string;
  let runs: number;

  beforeEach(() => {
    mkdirSync(records, { recursive: true });
    folder = mkdtempSync(join(records, 'stage-'));
    mkdirSync(join(folder, 'in', 'deep'), { recursive: true });
    write('in/deep/a.txt', 'a');
    write('in/left-out.txt', '1');
    runs = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function write(file: string, text: string): void {
    mkdirSync(join(folder, 'out'), { recursive: true });
    writeFileSync(join(folder, file), text);
  }

  /** Runs the stage if it is due; whether it was. */
  function run(settings = '', work = () => write('out/b.txt', 'b')): Promise<boolean> {
    const path = `.build/${basename(folder)}`;
    const stage = {
      inputs: [`${path}/in`],
      skip: (file: string) => file.endsWith('left-out.txt'),
      settings,
    };
    return runStage(
      { ...stage, name: `${basename(folder)}/record`, output: `${path}/out` },
      async () => {
        runs++;
        work();
      },
    );
  }

  it('runs once, and not again while nothing changes', async () => {
    expect([await run(), await run(), await run()]).toEqual([true, false, false]);
    write('in/left-out.txt', '2');
    write('in/deep/a.txt', 'a');
    expect(await run()).toBe(false);
    expect(runs).toBe(1);
  });

  it.each([
    ['an input changed', () => write('in/deep/a.txt', 'other')],
    ['an input is new', () => write('in/deep/c.txt', 'c')],
    ['an input is gone', () => rmSync(join(folder, 'in/deep/a.txt'))],
    ['the output was edited', () => write('out/b.txt', 'other')],
    ['the output is gone', () => rmSync(join(folder, 'out'), { recursive: true })],
  ])('runs again when %s', async (_, change) => {
    await run();
    change();
    expect([await run(), await run()]).toEqual([true, false]);
  });

  it('runs again when its settings changed', async () => {
    expect([await run('one'), await run('two'), await run('two')]).toEqual([true, true, false]);
  });

  it('runs again after it failed, even where the output of the last success is still there', async () => {
    await run('one');
    const failing = () => {
      throw new Error('no luck');
    };
    await expect(run('two', failing)).rejects.toThrow('no luck');
    expect([await run('one'), await run('one')]).toEqual([true, false]);
  });
});
