import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeBin, records, root } from '../../scripts/bootstrap/paths.mjs';
import { blocksOf } from '../support/program.js';
import { withStandIns } from './stand-ins.js';

const OPTIONS = {
  target: 'es2022',
  lib: ['es2023', 'dom'],
  module: 'nodenext',
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
  allowImportingTsExtensions: true,
  // Programs print the message of what they catch.
  useUnknownInCatchVariables: false,
};

it('the programs of the pages have the types of the packages that they use', () => {
  // Inside the clone, so that the packages are found by their names.
  const folder = mkdtempSync(join(records, 'types-'));
  try {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: OPTIONS }));
    const programs = ['recipes', 'tfjs', 'porting'].flatMap((page) => {
      const blocks = blocksOf(readFileSync(join(root, 'docs', `${page}.md`), 'utf8'), 'ts');
      return blocks.map(
        (code, i) =>
          [
            `${page}-${i}.ts`,
            withStandIns(code, (file) => join(root, 'test', 'recipes', file)),
          ] as const,
      );
    });
    expect(programs.length).toBeGreaterThan(8);
    for (const [name, code] of programs) writeFileSync(join(folder, name), code);
    const { stdout } = spawnSync(process.execPath, [join(nodeBin, 'tsc'), '--project', folder], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
