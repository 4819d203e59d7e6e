import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { circlesIn, importsIn, upwardIn } from '../../scripts/check/imports.mjs';

describe('the lint of imports', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'focal-loss-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function graphOf(files: Record<string, string>) {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return importsIn(folder);
  }

  it.each([
    ['a value', "import { b } from './low/b.js';"],
    ['a type', "import type { B } from './low/b.js';"],
    ['a type among values', "import { type B } from './low/b.js';"],
    ['what it exports in turn', "export { b } from './low/b.js';"],
    ['everything that it exports in turn', "export * from './low/b.js';"],
    ['a type where it is used', "export type A = import('./low/b.js').B;"],
    ['a file for its effects', "import './low/b.js';"],
  ])('finds a circle by way of %s', async (_, text) => {
    const graph = await graphOf({
      'a.ts': text,
      'low/b.ts': "import { c } from '../low/c.js';",
      'low/c.ts': "import type { A } from '../a.js';",
    });
    expect(circlesIn(graph)).toEqual([['a.ts', 'low/b.ts', 'low/c.ts', 'a.ts']]);
  });

  it('finds a file that imports itself, and circles behind files that are in none', async () => {
    const graph = await graphOf({
      'a.ts': "import { b } from './b.js';",
      'b.ts': "import { c } from './c.js';",
      'c.ts': "import { b } from './b.js';",
      'd.ts': "import { d } from './d.js';",
    });
    expect(circlesIn(graph)).toEqual([
      ['b.ts', 'c.ts', 'b.ts'],
      ['d.ts', 'd.ts'],
    ]);
  });

  it('takes two ways to one file for no circle, and leaves packages alone', async () => {
    const graph = await graphOf({
      'a.ts':
        "import { b } from './b.js';\nimport { c } from './c.js';\nimport fc from 'fast-check';",
      'b.ts': "import { c } from './c.js';",
      'c.ts': '// import { a } from "./a.js";',
    });
    expect(graph).toEqual(
      new Map([
        ['a.ts', ['b.ts', 'c.ts']],
        ['b.ts', ['c.ts']],
        ['c.ts', []],
      ]),
    );
    expect(circlesIn(graph)).toEqual([]);
  });

  it('finds imports from above, and from a folder that has no layer', async () => {
    const graph = await graphOf({
      'index.ts': "import { high } from './high/a.js';",
      'high/a.ts': "import { low } from '../low/a.js';",
      'low/a.ts': "import type { high } from '../high/b.js';",
      'high/b.ts': "import { odd } from '../odd/a.js';",
      'odd/a.ts': '',
    });
    expect(upwardIn(graph, ['low', 'high', '.'])).toEqual([
      'high/b.ts imports odd/a.ts, which lies above it or in a folder without a layer',
      'low/a.ts imports high/b.ts, which lies above it or in a folder without a layer',
    ]);
  });

  it('finds nothing in ts/', async () => {
    const graph = await importsIn(join(root, 'ts'));
    expect(graph.size).toBeGreaterThan(50);
    expect(graph.get('index.ts')).toContain('api.ts');
    expect(circlesIn(graph)).toEqual([]);
    expect(upwardIn(graph)).toEqual([]);
  });
});
