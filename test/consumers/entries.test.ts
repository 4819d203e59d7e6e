// The behaviour of each entry in each version of Node, imported and required; and every way to load
// the WebAssembly file there.

import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, inject, it } from 'vitest';
import { hasConsumers, nodeOf } from '../../scripts/bootstrap/consumers.mjs';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { findRuntime } from '../../scripts/bootstrap/runtimes.mjs';
import { entries } from '../../scripts/build/entries.mjs';
import { makeProject, NODES_TRIED, run } from './project.js';

/** The entries that have the losses and need no other package. */
const ENTRIES = entries
  .map(({ specifier }) => specifier)
  .filter((specifier) => !/\/(?:tfjs|pool|worker)$/.test(specifier));
const LOSS = 'new FocalLoss().forward(new Float32Array(2), new Uint8Array(1))';
const COMPUTED = { status: 0, stdout: '0.12996509671211243\n', stderr: '' };

const SOURCES = {
  'source.js': 'import source source from "focal-loss/focal-loss.wasm";',
  'exports.js': 'import * as source from "focal-loss/focal-loss.wasm";',
  'file.js': 'const source = new URL(import.meta.resolve("focal-loss/focal-loss.wasm"));',
};

const project = makeProject('entries', {
  ...Object.fromEntries(
    Object.entries(SOURCES).map(([name, source]) => [
      name,
      `${source}\nimport { FocalLoss, init } from 'focal-loss/slim';\nawait init(source);\nconsole.log(${LOSS});\n`,
    ]),
  ),
  'loss.js': `import { FocalLoss } from 'focal-loss';\nconsole.log(${LOSS});\n`,
  'forbidden.cjs': `const { createContext, Script } = require('node:vm');
    const made = {};
    const context = createContext({ exports: made }, { codeGeneration: { wasm: false } });
    new Script(require('node:fs').readFileSync(require.resolve('focal-loss'), 'utf8')).runInContext(context);
    try { new made.FocalLoss().forward(new Float32Array(2), new Uint8Array(1)); }
    catch (error) { console.log(error.name, error instanceof made.ModuleError, error.message); }`,
  'both.js': `import { createRequire } from 'node:module';
    import * as imported from 'focal-loss';
    import { compareLosses } from 'focal-loss/analysis';
    import * as slim from 'focal-loss/slim';
    const require = createRequire(import.meta.url);
    const required = require('focal-loss');
    const batch = [Float32Array.of(1, 0, 0, 1), Uint8Array.of(0, 1)];
    const compare = (loss) => JSON.stringify(compareLosses(...batch, { loss }));
    const { NotInitializedError } = require('focal-loss/slim');
    let error;
    try { new slim.FocalLoss().forward(...batch); } catch (thrown) { error = thrown; }
    console.log(
      imported.FocalLoss === required.FocalLoss,
      compare(new imported.FocalLoss()) === compare(new required.FocalLoss()),
      error instanceof NotInitializedError,
      error.name,
    );`,
});

const nodes = NODES_TRIED.map((major) => [major, nodeOf(major)] as const);

describe.skipIf(!hasConsumers()).each(nodes)('Node %i', (major, node) => {
  const evaluate = (kind: 'module' | 'commonjs', code: string) =>
    run(project, node, `--input-type=${kind}`, '--eval', code);

  it.each(ENTRIES)('prints at most 2 KB for an error of %s that nobody catches', (entry) => {
    const create = 'new FocalLoss({ label_smoothing: 0.1 });';
    for (const { status, stdout, stderr } of [
      evaluate('module', `import { FocalLoss } from '${entry}'; ${create}`),
      evaluate('commonjs', `const { FocalLoss } = require('${entry}'); ${create}`),
    ]) {
      expect(status).toBe(1);
      expect(stderr).toContain('label_smoothing');
      expect(stdout.length + stderr.length).toBeLessThanOrEqual(2048);
    }
  });

  it.each(ENTRIES)('gives the same names of %s to import and to require', (entry) => {
    const imported = evaluate(
      'module',
      `console.log(Object.keys(await import('${entry}')).sort().join())`,
    );
    const required = evaluate(
      'commonjs',
      `console.log(Object.keys(require('${entry}')).sort().join())`,
    );
    // An import of a file to be required would have these as well.
    expect(imported.stdout).not.toMatch(/default|module\.exports/);
    expect(required).toEqual(imported);
    expect(imported.stdout).toContain('FocalLoss');
  });

  it('has a copy of each kind, which get along', () => {
    expect(run(project, node, 'both.js')).toEqual({
      status: 0,
      stdout: 'false true false NotInitializedError\n',
      stderr: '',
    });
  });

  it('reads the module from the URL of its file', () => {
    expect(run(project, node, 'file.js')).toEqual(COMPUTED);
  });

  // From version 24 on, without a flag.
  it.each(major < 24 ? [] : ['source.js', 'exports.js'])(
    'imports the module, as in %s',
    (program) => {
      const { status, stdout } = run(project, node, '--no-warnings', program);
      expect({ status, stdout }).toEqual({ status: 0, stdout: COMPUTED.stdout });
    },
  );

  it.each([
    ['without WebAssembly', '--jitless', /there is no WebAssembly.*--jitless/],
    // Processors of other kinds have no such flag.
    ...(process.arch === 'x64'
      ? [['without SIMD', '--no-enable-sse4-1', /has no WebAssembly SIMD/] as const]
      : []),
  ] as const)('says what is missing %s', (_, flag, message) => {
    const { status, stderr } = run(project, node, '--no-warnings', flag, 'loss.js');
    expect(status).toBe(1);
    expect(stderr).toMatch(/ModuleError: /);
    expect(stderr).toMatch(message);
  });

  it('says what to do where it may not compile', () => {
    const { stdout, stderr } = run(project, node, 'forbidden.cjs');
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /^ModuleError true .*wasm-unsafe-eval.*focal-loss\/slim.*disallowed by embedder/,
    );
  });
});

describe('Deno', async () => {
  const deno = (await findRuntime('deno')) ?? 'none';
  const flags =
    'run --no-prompt --no-lock --no-remote --cached-only --node-modules-dir=manual'.split(' ');

  it.each(Object.keys(SOURCES))('starts the module as %s has it', (program) => {
    expect(run(project, deno, ...flags, '--allow-read', program)).toEqual(COMPUTED);
  });

  it('says which permission is missing', () => {
    const { status, stderr } = run(project, deno, ...flags, 'file.js');
    expect(status).toBe(1);
    expect(stderr).toMatch(/could not be fetched from file:.*--allow-read/);
  });
});

describe('types', () => {
  const installed = join(inject('project'), 'node_modules', 'focal-loss', 'dist');
  const files = ['index', 'slim', 'analysis', 'analysis-slim', 'pool', 'worker'];

  it.each(files)('%s declares as values just what it exports', async (name) => {
    for (const extension of ['ts', 'cts']) {
      const file = join(installed, `${name}.d.${extension}`);
      const program = ts.createProgram([file], {
        module: ts.ModuleKind.NodeNext,
        lib: ['lib.es2022.d.ts'],
        types: [],
      });
      const checker = program.getTypeChecker();
      const symbol = checker.getSymbolAtLocation(
        program.getSourceFile(file) as ts.SourceFile,
      ) as ts.Symbol;
      const values = checker
        .getExportsOfModule(symbol)
        .filter((found) => {
          const target =
            found.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(found) : found;
          return target.flags & ts.SymbolFlags.Value;
        })
        .map(({ name }) => name);
      const { stdout } = run(
        root,
        process.execPath,
        '--eval',
        `console.log(Object.keys(require(${JSON.stringify(join(installed, `${name}.cjs`))})).join())`,
      );
      expect(values.sort()).toEqual(stdout.trim().split(',').filter(Boolean).sort());
    }
  });
});
