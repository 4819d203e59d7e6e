import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { blocksOf, runProgram } from '../support/program.js';
import { withStandIns } from './stand-ins.js';

/** TensorFlow.js recommends its package for Node to whoever runs it there. */
const ADVERTISEMENT = /=+\nHi, looks like you are running TensorFlow\.js in Node\.js.*\n=+\n/;

describe.each(['recipes.md', 'tfjs.md'])('docs/%s', (name) => {
  const page = readFileSync(join(root, 'docs', name), 'utf8');
  const outputs = blocksOf(page, 'text');
  const programs = blocksOf(page, 'ts').map((code, i) => ({
    code,
    output: outputs[i],
    title: titleOf(page, code),
  }));

  it('shows what each program prints', () => {
    expect(programs.length).toBeGreaterThanOrEqual(2);
    expect(outputs).toHaveLength(programs.length);
  });

  for (const { code, output, title } of programs) {
    it.skipIf(code.includes('jax-js') && typeof navigator === 'undefined')(title, () => {
      const { stdout, stderr } = runProgram(
        withStandIns(code, (file) => new URL(file, import.meta.url).href),
      );
      expect(stderr.replace(ADVERTISEMENT, '').trim()).toBe('');
      expect(stdout).toBe(output);
    });
  }
});

/** The heading above a program. */
function titleOf(page: string, code: string): string {
  const headings = page.slice(0, page.indexOf(code)).match(/^#+ .*$/gm) ?? [];
  return `${headings.at(-1)?.replace(/^#+ /, '')}: ${/[\w.-]+(?=';\n)/.exec(code)?.[0]}`;
}
