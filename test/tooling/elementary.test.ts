import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';

/** The functions of `Math` that IEEE 754 leaves no choice in, or that are of integers. */
const EXACT = 'abs ceil clz32 floor fround imul max min round sign sqrt trunc'.split(' ');

/**
 * The places of a source where an engine's own elementary functions are asked for, whose last bits
 * are others elsewhere: functions of `Math`, and powers of anything but 2.
 */
function inexactIn(source: string): string[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const isFault = (node: ts.Node): boolean => {
    if (ts.isIdentifier(node) && node.text === 'Math') {
      const { parent } = node;
      const isExact = ts.isPropertyAccessExpression(parent) && EXACT.includes(parent.name.text);
      return !isExact;
    }
    if (!ts.isBinaryExpression(node)) return false;
    const { kind } = node.operatorToken;
    if (kind === ts.SyntaxKind.AsteriskAsteriskEqualsToken) return true;
    return kind === ts.SyntaxKind.AsteriskAsteriskToken && node.left.getText(file) !== '2';
  };
  const visit = (node: ts.Node): void => {
    if (isFault(node)) found.push(node.parent.getText(file));
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

it('nothing in ts/analysis computes with what engines have each their own', () => {
  const folder = join(root, 'ts/analysis');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  expect(names.length).toBeGreaterThan(50);
  const faults = names.flatMap((name) =>
    inexactIn(readFileSync(join(folder, name), 'utf8')).map((text) => `${name}: ${text}`),
  );
  expect(faults).toEqual([]);
});

it.each([
  ['const y = Math.exp(x);', 1],
  ['const y = Math.log1p(-x) + Math.expm1(x) + Math.pow(x, 2);', 3],
  ["const y = Math['log'](x);", 1],
  ['const { log } = Math;', 1],
  ['const y = x ** 2;', 1],
  ['x **= 2;', 1],
  ['// Math.log(x)\nconst y = Math.sqrt(x) * 2 ** -30 + Math.max(x, 1);', 0],
])('finds it: %s', (source, faults) => {
  expect(inexactIn(source)).toHaveLength(faults);
});
