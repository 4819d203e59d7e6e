import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { disagreement } from '../../scripts/bench/agreement.js';
import { CASES, type Case, makeWorkload, plainCase } from '../../scripts/bench/cases.js';
import type { Contender } from '../../scripts/bench/contender.js';
import { startChild } from '../../scripts/bench/contenders/child.js';
import { copy } from '../../scripts/bench/contenders/copy.js';
import { buildIn, focalLoss } from '../../scripts/bench/contenders/focal-loss.js';
import { ENTRIES, type Entry, loadContenders } from '../../scripts/bench/contenders/index.js';
import { plainJs, plainJsTwo } from '../../scripts/bench/contenders/plain-js/index.js';
import { root } from '../../scripts/bootstrap/paths.mjs';

async function outcomeOf(contender: Contender, of: Case) {
  const run = await contender.prepare(makeWorkload(of));
  const outcome = await run?.outcome?.();
  if (!outcome) throw new Error(`${contender.name} refused ${of.name}`);
  return outcome;
}

/** Every kind of case of the benchmark, with fewer rows. */
const SMALL_CASES = CASES.map((one) => ({
  ...one,
  rows: Math.min(one.rows, 50),
  classes: Math.min(one.classes, 60),
}));

it.each(SMALL_CASES.map((one) => [one.name, one] as const))(
  'the plain loop computes %s',
  async (_, one) => {
    const [ours, plain] = [await outcomeOf(focalLoss, one), await outcomeOf(plainJs, one)];
    expect(disagreement(one, plain, ours)).toBeUndefined();
    expect(plain.grad?.length).toBe(one.gradient ? one.rows * one.classes : undefined);
  },
);

it('the loop for two classes computes what the other does, and nothing else', async () => {
  const one = plainCase(50, 2);
  const [two, any] = [await outcomeOf(plainJsTwo, one), await outcomeOf(plainJs, one)];
  expect(disagreement(one, two, any)).toBeUndefined();
  expect(await plainJsTwo.prepare(makeWorkload(plainCase(4, 3)))).toBeUndefined();
});

it('another build computes what this one does', async () => {
  const one = plainCase(50, 3);
  const other = await outcomeOf(await buildIn(join(root, 'dist')), one);
  expect(other).toEqual(await outcomeOf(focalLoss, one));
});

it('the copy computes nothing', async () => {
  const run = await copy.prepare(makeWorkload(plainCase(4, 2)));
  expect(run?.outcome).toBeUndefined();
  expect(await run?.time(3)).toBeGreaterThanOrEqual(0);
});

describe('a contender in another process', () => {
  /**
   * A program that gives every batch the value 2, and the number of logits as every entry of the
   * gradient.
   */
  const script = `
    const { readFileSync, writeFileSync } = require('node:fs');
    console.log(JSON.stringify({ about: 'made up' }));
    require('node:readline').createInterface(process.stdin).on('line', (line) => {
      const { prepare, time } = JSON.parse(line);
      if (time === 13) return console.log(JSON.stringify({ error: 'bad luck' }));
      if (time === 14) process.exit();
      if (time) return console.log(JSON.stringify({ seconds: time / 2 }));
      const count = readFileSync(prepare.logits).length / 4;
      writeFileSync(prepare.grad, new Float32Array(count).fill(count));
      console.log(JSON.stringify({ value: prepare.loss.gamma }));
    });`;
  const start = (text: string) =>
    startChild({ name: 'child', command: process.execPath, args: ['--eval', text] });

  it('is asked for values and times', async () => {
    const child = await start(script);
    const run = await child.prepare(makeWorkload(plainCase(3, 2)));
    expect(child.about).toBe('made up');
    expect(await run?.outcome?.()).toEqual({ value: 2, grad: new Float32Array(6).fill(6) });
    expect(await run?.time(8)).toBe(4);
    await expect(run?.time(13)).rejects.toThrow('bad luck');
    await expect(run?.time(14)).rejects.toThrow('ended without a word');
    child.close?.();
  });

  it('says why it did not start', async () => {
    await expect(
      start('console.error("first"); console.error("no such module"); process.exit(1)'),
    ).rejects.toThrow('no such module');
    await expect(
      startChild({ name: 'none', command: join(root, 'nowhere'), args: [] }),
    ).rejects.toThrow('ENOENT');
  });
});

describe('the list of contenders', () => {
  const entries: readonly Entry[] = [
    { name: 'focal-loss', role: 'ours', load: async () => focalLoss },
    { name: 'plain JS', role: 'peer', load: async () => plainJs },
    {
      name: 'absent',
      role: 'peer',
      load: () => Promise.reject(new Error('not here\nat all')),
      hint: 'get it',
    },
  ];

  it('begins with this package', () => {
    expect(ENTRIES.map(({ role, name }) => [role, name])[0]).toEqual(['ours', focalLoss.name]);
  });

  it('is chosen from by parts of names, and the first is always there', async () => {
    const { contenders, missing } = await loadContenders(['PLAIN'], entries);
    expect(contenders).toEqual([focalLoss, plainJs]);
    expect(missing).toEqual([]);
  });

  it('says which are missing, and what to do', async () => {
    const { contenders, missing } = await loadContenders([], entries);
    expect(contenders).toEqual([focalLoss, plainJs]);
    expect(missing).toEqual([{ name: 'absent', reason: 'not here (get it)' }]);
  });
});
