import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CrossEntropyLoss, FocalLoss, SigmoidFocalLoss } from 'focal-loss';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { toPrintable } from '../../scripts/lib/printable.mjs';

const module = readFileSync(new URL('../../crate/pkg/focal_loss_bg.wasm', import.meta.url));
const bundle = readFileSync(fileURLToPath(import.meta.resolve('focal-loss')), 'utf8');
const literal = `"${toPrintable(module)}"`;

/** The bundle but for the module in it. */
const code = bundle.replace(literal, () => '""');

/** Whether this awaits something when it is run, not only in functions of it. */
function awaits(node: ts.Node): boolean {
  return ts.isAwaitExpression(node) || (!ts.isFunctionLike(node) && ts.forEachChild(node, awaits) === true);
}

const parse = (text: string) => ts.createSourceFile('bundle.js', text, ts.ScriptTarget.Latest);

it('holds the module, as a string that the minifier did not have to change', () => {
  expect(bundle.split(literal)).toHaveLength(2);
});

it('holds no code that would fetch it', () => {
  expect(code.length).toBeGreaterThan(10_000);
  expect(code).not.toMatch(/\bfetch\b|import\.meta|new URL|node:|\brequire\b/);
});

it('imports nothing', () => {
  expect(ts.preProcessFile(code, true, true).importedFiles).toEqual([]);
});

it('awaits nothing when it is loaded', () => {
  expect(awaits(parse('const f = async () => await 1;'))).toBe(false);
  expect(awaits(parse('const x = [await 1];'))).toBe(true);
  expect(awaits(parse(code))).toBe(false);
});

it('is the same in every charset: ASCII', () => {
  expect(code).not.toMatch(/[^\0-\x7f]/);
});

it('keeps the names of the classes', () => {
  expect([FocalLoss, SigmoidFocalLoss, CrossEntropyLoss].map(({ name }) => name)).toEqual([
    'FocalLoss',
    'SigmoidFocalLoss',
    'CrossEntropyLoss',
  ]);
});
