import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import * as main from 'focal-loss';
import * as analysis from 'focal-loss/analysis';
import * as analysisSlim from 'focal-loss/analysis/slim';
import * as slim from 'focal-loss/slim';
import * as tfjs from 'focal-loss/tfjs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { embeddedText } from '../../scripts/build/embedded-text.js';
import { entries } from '../../scripts/build/entries.mjs';
import { withoutLines } from '../../scripts/build/text-lines.mjs';

const literalOf = (folder: string) =>
  `"${embeddedText(readFileSync(new URL(`../../crate/${folder}/focal_loss_bg.wasm`, import.meta.url)))}"`;
const fileOf = (entry: string) => fileURLToPath(import.meta.resolve(entry));
const read = (entry: string) => readFileSync(fileOf(entry), 'utf8');

/**
 * The entries, with what each holds: the module of a folder, where it does, and at most so many
 * characters of code.
 */
const ENTRIES = [
  ['focal-loss', main, 'pkg', 1, 40_000],
  ['focal-loss/slim', slim, 'pkg', 0, 40_000],
  ['focal-loss/analysis', analysis, 'pkg-analysis', 1, 180_000],
  ['focal-loss/analysis/slim', analysisSlim, 'pkg-analysis', 0, 180_000],
] as const;

/** A test whether this awaits something when it is run, not only in functions of it. */
function awaits(node: ts.Node): boolean {
  return (
    ts.isAwaitExpression(node) ||
    (!ts.isFunctionLike(node) && ts.forEachChild(node, awaits) === true)
  );
}

/** Code without the texts that it has of workers, and these. */
function withoutTexts(code: string): [string, readonly string[]] {
  const texts = code.match(/"[ !#-[\]-~]{10000,}"/g) ?? [];
  return [texts.reduce((rest, text) => rest.replace(text, () => '""'), code), texts];
}

/** A script in which ts/pool/worker-text.ts puts back what a string cannot hold. */
const WORKER_TEXT = /^"@buse strict@b;\(\(\)=>\{/;

const parse = (text: string) => ts.createSourceFile('bundle.js', text, ts.ScriptTarget.Latest);

const importsOf = (code: string) =>
  ts.preProcessFile(code, true, true).importedFiles.map(({ fileName }) => fileName);

it('what awaits something when it is loaded is recognized', () => {
  expect(awaits(parse('const f = async () => await 1;'))).toBe(false);
  expect(awaits(parse('const x = [await 1];'))).toBe(true);
});

describe.each(ENTRIES)('%s', (entry, library, folder, modules, longest) => {
  const bundle = withoutLines(read(entry));
  const literal = literalOf(folder);

  /** The bundle but for the module in it, and what workers of a pool run. */
  const [code, texts] = withoutTexts(bundle.replace(literal, () => '""'));

  it('holds the code of workers where it holds the module for them, and by itself nowhere', () => {
    expect(texts).toHaveLength(entry === 'focal-loss/analysis' ? 1 : 0);
    for (const text of texts) {
      expect(text).toMatch(WORKER_TEXT);
      expect(text).not.toMatch(/<!--|<\/?script/i);
    }
  });

  it(`holds ${modules === 0 ? 'no module' : 'the module, as a string that the minifier did not have to change'}`, () => {
    expect(bundle.split(literal)).toHaveLength(modules + 1);
    expect(code.length).toBeGreaterThan(10_000);
    expect(code.length).toBeLessThan(longest);
  });

  it('holds nothing that only some runtimes have', () => {
    // But for what reads the file of the module, in slim entries, where the runtime turns out to be
    // one that can.
    const reader = /\{process:\w+\}=globalThis|new URL|"node:fs\/promises"/g;
    const rest = modules === 0 ? code.replaceAll(reader, '') : code;
    expect(rest).not.toMatch(
      /import\.meta|new URL|node:|\brequire\b|\bprocess\b|\bdocument\b|\bwindow\b|__dirname/,
    );
  });

  it('imports nothing', () => {
    expect(importsOf(code)).toEqual([]);
  });

  it('awaits nothing when it is loaded', () => {
    expect(awaits(parse(code))).toBe(false);
  });

  it('is the same in every charset: ASCII', () => {
    expect(code).not.toMatch(/[^\0-\x7f]/);
  });

  it('has the same code to be required as to be imported', () => {
    const required = readFileSync(fileOf(entry).replace(/\.js$/, '.cjs'), 'utf8');
    expect(required).toMatch(/^"use strict";\n/);
    expect(withoutLines(required).split(literal)).toHaveLength(modules + 1);
    expect(Math.abs(required.length - read(entry).length)).toBeLessThan(500);
  });

  it('keeps the names of the classes', () => {
    const classes = Object.entries(library).filter(([name]) => /^[A-Z]/.test(name));
    expect(classes.length).toBeGreaterThanOrEqual(3);
    for (const [name, value] of classes) expect(value).toHaveProperty('name', name);
  });
});

it('focal-loss holds no code that would fetch the module', () => {
  expect(read('focal-loss')).not.toMatch(/\bfetch\b/);
  expect(read('focal-loss/slim')).toMatch(/\bfetch\b/);
});

it('focal-loss/tfjs is what it adds to the main entry and its peer, and no more', () => {
  const code = read('focal-loss/tfjs');
  expect(importsOf(code).sort()).toEqual(['./index.js', '@tensorflow/tfjs-core']);
  expect(code.length).toBeLessThan(12_000);
  expect(awaits(parse(code))).toBe(false);
  expect(code).not.toMatch(/[^\0-\x7f]/);
  // Names in the history of a model that is trained with them as metrics.
  for (const metric of [tfjs.logitAccuracy, tfjs.binaryLogitAccuracy])
    expect(metric.name).toMatch(/ogitAccuracy$/);
});

it('focal-loss/pool holds the module, its workers as text, and what all runtimes have', () => {
  const literal = literalOf('pkg');
  const bundle = withoutLines(read('focal-loss/pool'));
  expect(bundle.split(literal)).toHaveLength(2);
  const [rest, texts] = withoutTexts(bundle.replace(literal, () => '""'));
  expect(texts).toHaveLength(1);
  expect(texts[0]).toMatch(WORKER_TEXT);
  expect(texts[0]).not.toMatch(/<!--|<\/?script/i);
  expect(rest.length).toBeLessThan(70_000);
  expect(rest).not.toMatch(/import\.meta|\brequire\b|\bdocument\b|\bwindow\b|__dirname/);
  for (const checked of [bundle, read('focal-loss/worker')]) {
    expect(importsOf(checked).filter((name) => !/^node:/.test(name))).toEqual([]);
    expect(checked).not.toMatch(/from ?"node:|[^\0-\x7f]/);
    expect(awaits(parse(checked))).toBe(false);
  }
  expect(read('focal-loss/worker').length).toBeLessThan(40_000);
});

it.each([
  ['sweepAsync, LossMeter, ReportMeter', 0],
  ['poolAnalysis', 1],
])('a bundle that imports %s has the code of workers %i times', async (names, times) => {
  const contents = `import { ${names} } from 'focal-loss/analysis'; console.log(${names});`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    logLevel: 'error',
  });
  expect(outputFiles[0]?.text.split('@buse strict@b')).toHaveLength(times + 1);
});

it('every entry is looked at here', () => {
  const own = ['focal-loss/tfjs', 'focal-loss/pool', 'focal-loss/worker'];
  const looked = [...ENTRIES.map(([entry]) => entry), ...own];
  expect(looked.sort()).toEqual(entries.map(({ specifier }) => specifier).sort());
});

it.each(entries)('$specifier lies on short lines', ({ specifier: entry }) => {
  for (const file of [fileOf(entry), fileOf(entry).replace(/\.js$/, '.cjs')]) {
    const lines = readFileSync(file, 'utf8').split('\n');
    // Those of the module are longer, and no code: nothing is thrown there.
    const text = lines.filter((line) => line.endsWith('\\'));
    // Nothing is thrown where names are exported, either.
    const code = lines.filter((line) => !(line.endsWith('\\') || /^;?export\{/.test(line)));
    expect(Math.max(...code.map(({ length }) => length))).toBeLessThanOrEqual(600);
    for (const { length } of text) expect(length).toBeLessThanOrEqual(8001);
  }
});
