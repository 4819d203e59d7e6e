import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';
import { thirdPartyLicenses } from '../../scripts/check/third-party.mjs';

const read = (file: string) => readFileSync(join(root, file), 'utf8');

it('THIRD-PARTY-LICENSES.md has the licences of what is compiled into the module: npm run licenses', () => {
  const file = read('THIRD-PARTY-LICENSES.md');
  expect(file).toContain('## wasm-bindgen ');
  expect(file).toBe(thirdPartyLicenses());
});

interface Locked {
  version?: string;
  integrity?: string;
  resolved?: string;
  link?: boolean;
}

it.each(['.', 'scripts/bootstrap/runtimes', 'scripts/bootstrap/consumers', 'scripts/bench/peers'])(
  'the lockfile in %s is exact, and names no registry',
  (folder) => {
    const file = read(join(folder, 'package-lock.json'));
    const packages = Object.entries<Locked>(JSON.parse(file).packages);
    expect(packages.length).toBeGreaterThan(2);
    for (const [path, { version, integrity, resolved, link }] of packages) {
      if (path === '' || link) continue;
      expect(version, path).toMatch(/^\d+\.\d+\.\d+/);
      expect(resolved, path).toBeUndefined();
      // The dependencies that a package brings along are covered by its own hash.
      if (!(path.includes('/node_modules/') && integrity === undefined))
        expect(integrity, path).toMatch(/^sha512-/);
    }
  },
);

it.each(['Cargo.lock', 'crate/fuzz/Cargo.lock'])(
  '%s has a hash for every crate from the public registry',
  (name) => {
    const crates = read(name).split('[[package]]').slice(1);
    const foreign = crates.filter((crate) => crate.includes('\nsource = '));
    expect(foreign.length).toBeGreaterThan(2);
    for (const crate of foreign) {
      expect(crate).toContain('source = "registry+https://github.com/rust-lang/crates.io-index"');
      expect(crate).toMatch(/\nchecksum = "[0-9a-f]{64}"/);
    }
    // All others are of this repository.
    expect(crates.length - foreign.length).toBeLessThanOrEqual(2);
  },
);

it('no build or test lets cargo change the lockfile', () => {
  for (const file of [
    'scripts/check/checks.mjs',
    'scripts/build/build.mjs',
    'scripts/check/third-party.mjs',
  ]) {
    expect(read(file), file).toContain('--locked');
  }
});
