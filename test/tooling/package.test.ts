import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/lib/paths.mjs';

const bundle = readFileSync(join(root, 'dist', 'index.js'), 'utf8');

function awaitsAtTopLevel(node: ts.Node): boolean {
  const found = ts.forEachChild(node, (child) => {
    return ts.isAwaitExpression(child) || (!ts.isFunctionLike(child) && awaitsAtTopLevel(child));
  });
  return found ?? false;
}

describe('the bundle', () => {
  it('imports nothing', () => {
    expect(bundle).not.toMatch(/^\s*import\b|\bimport\s*\(|\brequire\s*\(|^\s*export .* from\b/m);
  });

  it('does not ask where it lies', () => {
    expect(bundle).not.toMatch(/import\.meta|document\.currentScript|__dirname/);
  });

  it('has no top-level await', () => {
    const parse = (text: string) => ts.createSourceFile('bundle.js', text, ts.ScriptTarget.Latest, true);
    expect(awaitsAtTopLevel(parse(bundle))).toBe(false);
    expect(awaitsAtTopLevel(parse('async function f() { await 0; }\nif (f) [await f()];'))).toBe(true);
  });
});

it('the npm package holds the bundle, its types and the papers, and needs no other package', () => {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
  });
  const [packed] = Object.values<{ files: { path: string }[] }>(JSON.parse(stdout));
  const names = packed?.files.map(({ path }) => path).sort();
  expect(names).toEqual(['LICENSE', 'README.md', 'dist/index.d.ts', 'dist/index.js', 'package.json']);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(Object.keys(manifest)).not.toContain('dependencies');
});
