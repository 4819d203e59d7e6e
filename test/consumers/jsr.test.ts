import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, inject, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { findRuntime } from '../../scripts/bootstrap/runtimes.mjs';
import { HASH_PRINTED, run } from './project.js';

const read = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8'));
const jsr = read('jsr.json');
const npm = read('package.json');

const home = mkdtempSync(join(tmpdir(), 'focal-loss-'));
afterAll(() => rmSync(home, { recursive: true }));

async function deno(...args: string[]) {
  const program = await findRuntime('deno');
  if (!program) throw new Error('deno is not installed: npm run setup');
  return run(root, program, ...args);
}

it("the JSR package is the npm package: the same version, which is also the crate's, the same entries but the one for an npm package", () => {
  expect(jsr.version).toBe(npm.version);
  expect(readFileSync(join(root, 'Cargo.toml'), 'utf8')).toContain(
    `\nversion = "${npm.version}"\n`,
  );
  expect(jsr.license).toBe(npm.license);
  const entries = Object.keys(npm.exports).filter(
    (entry) => !/\.\w+\*?$/.test(entry) && entry !== './tfjs',
  );
  expect(Object.keys(jsr.exports)).toEqual(entries);
});

it('JSR would take it, with just these files', async () => {
  const { status, stderr } = await deno('publish', '--dry-run', '--allow-dirty');
  expect(status, stderr).toBe(0);
  const files = Array.from(stderr.matchAll(/^\s+(file:\S+)/gm), ([, url = '']) => url);
  const packed = [
    'CHANGELOG.md',
    'THIRD-PARTY-LICENSES.md',
    'LICENSE',
    'README.md',
    ...readdirSync(join(root, 'dist')).map((name) => `dist/${name}`),
  ];
  const own = [
    'jsr.json',
    ...Object.values<string>(jsr.exports).map((path) => path.slice('./'.length)),
  ];
  expect(files.sort()).toEqual(
    [...packed, ...own].map((file) => pathToFileURL(join(root, file)).href).sort(),
  );
  expect(stderr).toContain('Success');
});

it('it gives the same bits', async () => {
  const program = join(home, 'print.ts');
  const at = (...path: string[]) => JSON.stringify(pathToFileURL(join(...path)).href);
  writeFileSync(
    program,
    `import * as library from ${at(root, jsr.exports['.'])};
     import { battery, runBattery } from ${at(inject('project'), 'battery.js')};
     console.log(runBattery(library, battery));`,
  );
  expect(
    await deno('run', '--no-prompt', '--no-config', '--no-lock', '--no-remote', program),
  ).toEqual(HASH_PRINTED);
});
