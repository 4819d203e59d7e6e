import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as analysis from 'focal-loss/analysis';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { blocksOf, runProgram } from '../support/program.js';

const page = readFileSync(join(root, 'docs', 'analysis.md'), 'utf8');
const programs = blocksOf(page, 'ts');
const outputs = blocksOf(page, 'text');

describe('docs/analysis.md', () => {
  it('has an example of every function of the entry that the main one lacks', async () => {
    const main = Object.keys(await import('focal-loss'));
    const own = Object.keys(analysis).filter((name) => !main.includes(name));
    expect(own.length).toBeGreaterThanOrEqual(6);
    // A class that another function makes objects of is used by its own functions.
    const isUsed = (name: string) =>
      programs.some((code) => new RegExp(`\\b${name}(\\.\\w+)?\\(`).test(code));
    for (const name of own) expect(isUsed(name), name).toBe(true);
    expect(outputs).toHaveLength(programs.length);
  });

  it.each(
    programs.map((code, i) => [
      /\w+(?=\()/.exec(code.replace(/import.*/g, ''))?.[0],
      code,
      outputs[i],
    ]),
  )('the example that begins with %s prints what the page says', (_, code, output) => {
    const { stdout, stderr } = runProgram(code ?? '');
    expect(stderr).toBe('');
    expect(stdout).toBe(output);
  });
});
