import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { consumerBin, hasConsumers } from '../../scripts/bootstrap/consumers.mjs';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { entries } from '../../scripts/build/entries.mjs';
import { run } from './project.js';

const project = inject('project');
const installed = join(project, 'node_modules', 'focal-loss');

const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));

it('the package holds the entries, their types, their documentation and the papers, and nothing else', () => {
  const { stdout } = spawnSync('tar', ['--list', '--file', inject('tarball')], {
    encoding: 'utf8',
  });
  const modules = ['focal-loss.wasm', 'focal-loss-analysis.wasm'];
  const docs = readdirSync(join(root, 'docs')).filter((name) => /\.(?:md|svg)$/.test(name));
  expect(stdout.trim().split('\n').sort()).toEqual(
    [
      ...['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY-LICENSES.md', 'package.json'],
      ...entries.flatMap(({ file }) =>
        ['.js', '.d.ts', '.cjs', '.d.cts'].map((extension) => `dist/${file}${extension}`),
      ),
      ...modules.flatMap((name) =>
        ['', '.d.ts', '.d.cts'].map((extension) => `dist/${name}${extension}`),
      ),
      ...entries
        .slice(1)
        .map(({ specifier }) => `${specifier.replace('focal-loss/', '')}/package.json`),
      ...docs.map((name) => `docs/${name}`),
    ]
      .map((name) => `package/${name}`)
      .sort(),
  );
});

it('what knows no exports finds the files of an entry in a folder of its name', () => {
  for (const [entry, { require, types, default: module }] of Object.entries<Record<string, never>>(
    manifest.exports,
  )) {
    if (entry === '.' || !require || /\.wasm/.test(entry)) continue;
    const folder = join(installed, entry);
    const {
      main,
      module: imported,
      types: declared,
    } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    expect([main, imported, declared].map((path) => join(folder, path))).toEqual(
      [(require as { default: string }).default, module, types].map((path) =>
        join(installed, path),
      ),
    );
    expect(manifest.typesVersions['*'][entry.slice(2)]).toEqual([types]);
  }
});

it('links in what it holds lead to what it holds, or to another place by its whole address', () => {
  const files = [
    'README.md',
    'CHANGELOG.md',
    ...readdirSync(join(installed, 'docs')).map((name) => `docs/${name}`),
  ];
  const broken: string[] = [];
  let links = 0;
  for (const file of files.filter((name) => name.endsWith('.md'))) {
    const text = readFileSync(join(installed, file), 'utf8').replaceAll(
      /```[\s\S]*?```|`[^`\n]*`/g,
      '',
    );
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target) || target.startsWith('#')) continue;
      links++;
      if (!existsSync(join(installed, dirname(file), target.replace(/#.*/, ''))))
        broken.push(`${file}: ${target}`);
    }
  }
  expect(links).toBeGreaterThan(10);
  expect(broken).toEqual([]);
});

it('says where it is developed, or that nobody has said so yet', () => {
  const places = [manifest.repository?.url, manifest.homepage, manifest.bugs?.url];
  for (const place of places)
    expect(new URL(String(place).replace(/^git\+/, '')).protocol).toBe('https:');
  const open = places.filter((place) =>
    new URL(place.replace(/^git\+/, '')).hostname.endsWith('.invalid'),
  );
  if (open.length > 0) {
    process.stderr.write(
      `\nPLACEHOLDERS in package.json, to be set before it is published: repository, homepage, bugs: ${open.join(', ')}\n\n`,
    );
  }
});

it('it needs no other package, and runs nothing when it is installed', () => {
  for (const name of Object.keys(manifest))
    expect(name).not.toMatch(/^(?!dev|peer).*dependencies/i);
  // Whoever wants the entry for it has it.
  expect(manifest.peerDependenciesMeta).toEqual({ '@tensorflow/tfjs-core': { optional: true } });
  expect(Object.keys(manifest.peerDependencies)).toEqual(
    Object.keys(manifest.peerDependenciesMeta),
  );
  expect(Object.keys(manifest.scripts).filter((name) => /install|prepare$/.test(name))).toEqual([]);
  const lockfile = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  expect(Object.keys(lockfile.packages)).toEqual(['', 'node_modules/focal-loss']);
});

describe.skipIf(!hasConsumers())('what looks for mistakes in packages finds none:', () => {
  it('publint', () => {
    const { status, stdout, stderr } = run(
      project,
      consumerBin('publint'),
      'run',
      inject('tarball'),
      '--strict',
    );
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('All good!');
  });

  it('Are the types wrong?', () => {
    const { status, stdout, stderr } = run(
      project,
      consumerBin('attw'),
      inject('tarball'),
      '--format',
      'json',
    );
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' });
    const { analysis, problems } = JSON.parse(stdout);
    expect(Object.keys(analysis.entrypoints)).toEqual(Object.keys(manifest.exports));
    expect(problems).toEqual({});
  });
});
