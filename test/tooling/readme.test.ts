import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { blocksOf, runProgram } from '../support/program.js';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

it("the README's example prints what the README says", () => {
  const code = blocksOf(readme, 'ts');
  expect(code).toHaveLength(1);
  const { stdout, stderr } = runProgram(code.join());
  expect(stderr).toBe('');
  expect(blocksOf(readme, 'text')).toEqual([stdout]);
});

it('every command that the README and CONTRIBUTING name is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const texts = [readme, readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')];
  const named = texts.flatMap((text) => [
    ...text.matchAll(
      /npm (?:run )?(demo|example|test:all|test|bench|build|setup|lint|format|size|docs)\b/g,
    ),
  ]);
  expect(named.length).toBeGreaterThan(5);
  for (const [, name = ''] of named) expect(Object.keys(scripts)).toContain(name);
});
