import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../scripts/lib/paths.mjs';

it('the npm package holds the bundle, its types and the papers, and needs no other package', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const [packed] = Object.values<{ files: { path: string }[] }>(JSON.parse(stdout));
  const names = packed?.files.map(({ path }) => path).sort();
  expect(names).toEqual([
    'LICENSE',
    'README.md',
    'dist/analysis.d.ts',
    'dist/analysis.js',
    'dist/focal-loss.wasm',
    'dist/focal-loss.wasm.d.ts',
    'dist/index.d.ts',
    'dist/index.js',
    'dist/slim.d.ts',
    'dist/slim.js',
    'package.json',
  ]);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(Object.keys(manifest)).not.toContain('dependencies');
});
