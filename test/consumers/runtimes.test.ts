import { describe, expect, it } from 'vitest';
import { hasConsumers, nodeOf } from '../../scripts/bootstrap/consumers.mjs';
import { findRuntime } from '../../scripts/bootstrap/runtimes.mjs';
import { sampled } from '../support/sample.js';
import {
  analysisPrinted,
  HASH_PRINTED,
  makeProject,
  NODES_TRIED,
  poolAnalysisPrinted,
  poolPrinted,
  run,
} from './project.js';

const project = makeProject('runtimes');
const POOL_PRINTED = { status: 0, stdout: `${await poolPrinted('2 true')}\n`, stderr: '' };
const POOL_ANALYSIS_PRINTED = {
  status: 0,
  stdout: `${await poolAnalysisPrinted('2 true')}\n`,
  stderr: '',
};
const ANALYSIS_PRINTED = { status: 0, stdout: `${await analysisPrinted()}\n`, stderr: '' };

/** The ways in which Node runs it: what each is the test of. */
const PROGRAMS = [
  ['import', 'print.js'],
  ['require', 'require.cjs'],
  ['a worker', 'thread.js'],
  ['focal-loss/slim', 'print-slim.js'],
] as const;

const nodes = NODES_TRIED.map((major) => [major, nodeOf(major)] as const);

describe.skipIf(!hasConsumers()).each(nodes)('Node %i', (major, node) => {
  it('is what it should be', () => {
    expect(run(project, node, '--version').stdout).toMatch(new RegExp(`^v${major}\\.`));
  });

  // Node requires ES modules from version 20.19 on.
  const programs = PROGRAMS.filter(([way]) => way !== 'require' || major >= 20);

  it.each(programs)('%s', (_, program) => {
    expect(run(project, node, program)).toEqual(HASH_PRINTED);
  });

  it('focal-loss/analysis', () => {
    expect(run(project, node, 'print-analysis.js')).toEqual(ANALYSIS_PRINTED);
  });

  it.each(['print-pool.js', 'print-pool-worker.js', 'print-pool.cjs'])('%s', (program) => {
    expect(run(project, node, program)).toEqual(POOL_PRINTED);
  });

  it('focal-loss/pool with focal-loss/analysis', () => {
    expect(run(project, node, 'print-pool-analysis.js')).toEqual(POOL_ANALYSIS_PRINTED);
  });
});

describe("this machine's Node", () => {
  it.each(sampled(PROGRAMS))('%s', (_, program) => {
    expect(run(project, process.execPath, program)).toEqual(HASH_PRINTED);
  });
});

const OTHERS = [...PROGRAMS, ["a browser's worker", 'web-worker.js']] as const;

describe.each([
  [
    'Deno',
    'deno',
    'run --no-prompt --no-lock --no-remote --cached-only --node-modules-dir=manual --allow-read',
    [...OTHERS, ['npm:', 'print-npm.js']],
  ],
  ['Bun', 'bun', 'run --no-install', OTHERS],
] as const)('%s', (_, name, args, programs) => {
  it.each(sampled(programs))('%s', async (_, program) => {
    const runtime = await findRuntime(name);
    if (!runtime) throw new Error(`${name} is not installed: npm run setup`);
    expect(run(project, runtime, ...args.split(' '), program)).toEqual(HASH_PRINTED);
  });

  it('focal-loss/analysis', async () => {
    const runtime = (await findRuntime(name)) ?? 'none';
    expect(run(project, runtime, ...args.split(' '), 'print-analysis.js')).toEqual(
      ANALYSIS_PRINTED,
    );
  });

  it('focal-loss/pool with focal-loss/analysis', async () => {
    const runtime = (await findRuntime(name)) ?? 'none';
    expect(run(project, runtime, ...args.split(' '), 'print-pool-analysis.js')).toEqual(
      POOL_ANALYSIS_PRINTED,
    );
  });

  it.each(['print-pool.js', 'print-pool-web-worker.js', 'print-pool.cjs'])(
    '%s',
    async (program) => {
      const runtime = (await findRuntime(name)) ?? 'none';
      expect(run(project, runtime, ...args.split(' '), program)).toEqual(POOL_PRINTED);
    },
  );
});
