import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, inject } from 'vitest';
import { NODE_VERSIONS } from '../../scripts/bootstrap/consumers.mjs';
import battery from '../determinism/battery.json' with { type: 'json' };
import hashes from '../determinism/hashes.json' with { type: 'json' };
import { IS_SAMPLE } from '../support/sample.js';

/** The versions of Node in which the package is tried: of a sample the oldest and the newest. */
export const NODES_TRIED = NODE_VERSIONS.filter(
  (major, i) => !IS_SAMPLE || i === 0 || major === NODE_VERSIONS.at(-1),
);

/** The work of a program that prints the hash of the battery. */
export const HASH_PRINTED = { status: 0, stdout: `${battery.hash}\n`, stderr: '' };

/** The results of focal-loss/analysis in the process of the tests. */
export async function analysisPrinted(): Promise<string> {
  const { analyse } = await import(pathToFileURL(join(inject('project'), 'analysis.js')).href);
  const text: string = await analyse();
  expect(text.length).toBeGreaterThan(5000);
  expect(hashes).toMatchObject(JSON.parse(text).hashes);
  return text;
}

/** The results of focal-loss/pool, with so many workers that share memory or not. */
export function poolPrinted(workers: Workers): Promise<string> {
  return printedBy('poolHash', workers);
}

/** The same of what focal-loss/analysis has workers do. */
export function poolAnalysisPrinted(workers: Workers): Promise<string> {
  return printedBy('poolAnalysisHash', workers);
}

type Workers = '2 true' | '2 false' | '0 false';

async function printedBy(name: string, workers: Workers): Promise<string> {
  const pool = await import(pathToFileURL(join(inject('project'), 'pool.js')).href);
  const text: string = await pool[name]();
  expect(text).toMatch(/^2 true true [0-9a-f]{16}$/);
  return text.replace('2 true', workers);
}

/** A copy of the project that has installed the package, with more files in it. */
export function makeProject(name: string, files: Record<string, string> = {}): string {
  const folder = mkdtempSync(join(dirname(inject('project')), `${name}-`));
  cpSync(inject('project'), folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

/** Runs a program in a project, with the environment of nobody in particular. */
export function run(cwd: string, command: string, ...args: string[]) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: inject('project'), NO_COLOR: '1' },
  });
  return { status, stdout, stderr: error ? String(error) : stderr };
}

/** Runs a program that has to succeed. */
export function mustRun(cwd: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = run(cwd, command, ...args);
  expect(status, `${command} ${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}
