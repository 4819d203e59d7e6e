import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { blocksOf, runProgram } from '../support/program.js';

const page = readFileSync(new URL('../../docs/pool.md', import.meta.url), 'utf8');

it('the programs of docs/pool.md print what the page says', () => {
  const outputs = blocksOf(page, 'ts').map((code) => runProgram(code));
  expect(outputs.map(({ stderr }) => stderr).join('')).toBe('');
  expect(blocksOf(page, 'text')).toEqual(outputs.map(({ stdout }) => stdout));
  expect(outputs).toHaveLength(2);
});
