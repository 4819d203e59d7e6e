import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { records, root } from '../../scripts/lib/paths.mjs';

const readme = readFileSync(join(root, 'README.md'), 'utf8');

function block(language: string): string {
  const blocks = [...readme.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))];
  expect(blocks).toHaveLength(1);
  return blocks[0]?.[1] ?? '';
}

it("the README's example prints what the README says", () => {
  // Inside the clone, so that the package is found by its name.
  const folder = mkdtempSync(join(records, 'readme-'));
  try {
    const file = join(folder, 'example.ts');
    writeFileSync(file, block('ts'));
    const tsx = fileURLToPath(import.meta.resolve('tsx/cli'));
    const { stdout, stderr } = spawnSync(process.execPath, [tsx, file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toBe(block('text'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('every command that the README and CONTRIBUTING name is there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const texts = [readme, readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')];
  const named = texts.flatMap((text) => [
    ...text.matchAll(/npm (?:run )?(demo|test:all|test|bench|build|setup|lint|format|size|docs)\b/g),
  ]);
  expect(named.length).toBeGreaterThan(5);
  for (const [, name = ''] of named) expect(Object.keys(scripts)).toContain(name);
});
