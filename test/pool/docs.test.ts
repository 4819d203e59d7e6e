import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { blocksOf, runProgram } from '../support/program.js';

const page = readFileSync(new URL('../../docs/pool.md', import.meta.url), 'utf8');

it('the first program of docs/pool.md prints what the page says', () => {
  const [code = ''] = blocksOf(page, 'ts');
  const { stdout, stderr } = runProgram(code);
  expect(stderr).toBe('');
  expect(blocksOf(page, 'text')).toEqual([stdout]);
});
