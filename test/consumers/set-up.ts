// Packs the package once, and installs it into a project, outside of the clone, of which each test
// takes a copy.

import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import type { TestProject } from 'vitest/node';
import { consumersHome } from '../../scripts/bootstrap/consumers.mjs';
import { root } from '../../scripts/bootstrap/paths.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** The packed package. */
    tarball: string;
    /** A project that has installed it. */
    project: string;
  }
}

function npm(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${args[0]} failed: ${stderr}`);
  return stdout;
}

/** A file of the determinism tests. */
function read(name: string): string {
  return readFileSync(join(root, 'test', 'determinism', name), 'utf8');
}

/** The same as JavaScript. */
function transpiled(name: string): string {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  return ts.transpileModule(read(name), { compilerOptions }).outputText;
}

/** The determinism battery as one file of JavaScript. */
function batteryModule(): string {
  return `${transpiled('battery.ts')}\nexport const battery = ${read('battery.json')};\n`;
}

/** A program that computes a hash of focal-loss/analysis, as a file of JavaScript. */
function hashModule(name: string): string {
  return transpiled(name)
    .replace("'../../dist/analysis.js'", "'focal-loss/analysis'")
    .replaceAll(/'(\.\/\w+)\.ts'/g, "'$1.js'");
}

/** The hashes that are computed of focal-loss/analysis. */
const HASHED = ['decisions', 'figures', 'posteriors'];

export default function setUp({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-consumers-'));
  const project = join(folder, 'project');
  // The build has been done, by who runs the tests.
  npm(root, 'pack', '--ignore-scripts', '--pack-destination', folder);
  const tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'none');
  cpSync(join(root, 'test', 'consumers', 'project'), project, { recursive: true });
  writeFileSync(join(project, 'battery.js'), batteryModule());
  for (const name of HASHED) writeFileSync(join(project, `${name}.js`), hashModule(`${name}.ts`));
  npm(project, 'install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', tarball);
  // Tools are found where Node and bundlers look next.
  const tools = join(consumersHome, 'node_modules');
  if (existsSync(tools)) symlinkSync(tools, join(folder, 'node_modules'));
  provide('tarball', tarball);
  provide('project', project);
  return () => rmSync(folder, { recursive: true });
}
