import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { consumerBin, hasConsumers } from '../../scripts/lib/consumers.mjs';
import { run } from './project.js';

const project = inject('project');
const installed = join(project, 'node_modules', 'focal-loss');

it('the package holds the entries, their types and the papers, and nothing else', () => {
  const { stdout } = spawnSync('tar', ['--list', '--file', inject('tarball')], { encoding: 'utf8' });
  expect(stdout.trim().split('\n').sort()).toEqual(
    [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY-LICENSES.md',
      'dist/analysis.d.ts',
      'dist/analysis.js',
      'dist/focal-loss.wasm',
      'dist/focal-loss.wasm.d.ts',
      'dist/index.d.ts',
      'dist/index.js',
      'dist/slim.d.ts',
      'dist/slim.js',
      'dist/tfjs.d.ts',
      'dist/tfjs.js',
      'package.json',
    ].map((name) => `package/${name}`),
  );
});

it('it needs no other package, and runs nothing when it is installed', () => {
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  for (const name of Object.keys(manifest)) expect(name).not.toMatch(/^(?!dev|peer).*dependencies/i);
  // Whoever wants the entry for it has it.
  expect(manifest.peerDependenciesMeta).toEqual({ '@tensorflow/tfjs-core': { optional: true } });
  expect(Object.keys(manifest.peerDependencies)).toEqual(Object.keys(manifest.peerDependenciesMeta));
  expect(Object.keys(manifest.scripts).filter((name) => /install|prepare$/.test(name))).toEqual([]);
  const lockfile = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  expect(Object.keys(lockfile.packages)).toEqual(['', 'node_modules/focal-loss']);
});

describe.skipIf(!hasConsumers())('what looks for mistakes in packages finds none:', () => {
  it('publint', () => {
    const { status, stdout, stderr } = run(project, consumerBin('publint'), 'run', inject('tarball'), '--strict');
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('All good!');
  });

  it('Are the types wrong?', () => {
    // What has no CommonJS cannot be right for whoever does not know that Node requires ES modules, nor entries for whoever knows
    // none: these it reports, but lets pass.
    const { status, stdout, stderr } = run(
      project,
      consumerBin('attw'),
      ...[inject('tarball'), '--profile', 'esm-only', '--format', 'json'],
    );
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
    const { analysis, problems } = JSON.parse(stdout);
    expect(Object.keys(analysis.entrypoints)).toEqual(
      expect.arrayContaining(['.', './analysis', './slim', './tfjs', './focal-loss.wasm', './package.json']),
    );
    for (const problem of Object.values<{ resolutionKind: string }[]>(problems).flat()) {
      expect(['node10', 'node16-cjs']).toContain(problem.resolutionKind);
    }
  });
});
