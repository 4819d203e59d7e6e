import { copyFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { consumersHome, hasConsumers } from '../../scripts/bootstrap/consumers.mjs';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { sampled } from '../support/sample.js';
import { makeProject, mustRun } from './project.js';

const sources = join(root, 'test', 'consumers', 'types');
const project = makeProject('types');
for (const file of readdirSync(sources)) copyFileSync(join(sources, file), join(project, file));

const OPTIONS = {
  target: 'es2022',
  strict: true,
  skipLibCheck: false,
  resolveJsonModule: true,
  types: [],
  noEmit: true,
};
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };

/** Compiles files of the project, which must give no error. */
function compile(tsc: string, options: object, files: readonly string[]): void {
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...OPTIONS, ...options }, files }),
  );
  mustRun(project, process.execPath, tsc, '--project', '.');
}

const compilers = [
  ['of the clone', join(root, 'node_modules', 'typescript', 'lib', 'tsc.js'), true],
  [
    '5.7, the oldest that will do',
    join(consumersHome, 'node_modules', 'typescript-5.7', 'lib', 'tsc.js'),
    hasConsumers(),
  ],
] as const;

// The resolution that knows no `exports` of packages: TypeScript 6 reports it as deprecated, which
// 5.7 knows nothing of yet.
const NODE = { module: 'esnext', moduleResolution: 'node10' };
const DEPRECATED = [{ ignoreDeprecations: '6.0' }, {}];

for (const [i, [version, tsc, isThere]] of compilers.entries()) {
  describe.skipIf(!isThere)(`TypeScript ${version}`, () => {
    it.each(
      sampled([
        ['node16', { module: 'node16' }, 'ES2022', ['use.ts', 'use.cts', 'analysis.ts', 'pool.ts']],
        ['node16, with the types of browsers', { module: 'node16' }, 'ES2022,DOM', ['use.ts']],
        ['bundler', BUNDLER, 'ES2022', ['use.ts', 'wasm.ts', 'analysis.ts', 'pool.ts']],
        [
          'node, which knows no exports',
          { ...NODE, ...DEPRECATED[i] },
          'ES2022',
          ['use.ts', 'wasm.ts', 'analysis.ts', 'pool.ts'],
        ],
        ['bundler, with all the types there are', BUNDLER, 'ESNext,DOM', ['use.ts', 'wasm.ts']],
      ] as const),
    )('%s', (_, module, lib, files) => {
      compile(tsc, { ...module, lib: lib.split(',') }, files);
    });
  });
}

// From version 5.8 on, TypeScript knows that Node requires ES modules.
it('TypeScript of the clone: CommonJS', () => {
  compile(compilers[0][1], { module: 'nodenext', lib: ['ES2022'] }, ['use.cts']);
});
