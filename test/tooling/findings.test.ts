import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../scripts/bootstrap/paths.mjs';

const folder = join(root, 'findings');
const scripts = readdirSync(folder).filter((name) => name.endsWith('.sh'));

it('the table of the findings names every script, and no other', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  const named = Array.from(readme.matchAll(/^\| \[([\w-]+\.sh)\]\(\1\) /gm), ([, name]) => name);
  expect(named.toSorted()).toEqual(scripts.toSorted());
});

it.each(scripts)(
  '%s says what it expects and sees, pins what it installs, and cleans up',
  (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(statSync(join(folder, name)).mode & 0o111).toBe(0o111);
    for (const part of [
      '# Input: ',
      '# Expected: ',
      '# Seen: ',
      'set -euo pipefail',
      'trap \'rm -rf "$folder"\' EXIT',
    ]) {
      expect(text).toContain(part);
    }
    // Everything that is installed has a version.
    const lists = Array.from(
      text.matchAll(
        /^packages=\((.+)\)$|(?:--only-binary :all:|--silent)((?: [\w/.@-]+(?:==|@)[\w.]+)+)$/gm,
      ),
      (match) => match[1] ?? match[2] ?? '',
    );
    expect(lists.length).toBeGreaterThan(0);
    for (const item of lists.join(' ').trim().split(/\s+/))
      expect(item).toMatch(/^@?[\w/-]+(?:==|@)\d[\w.]*(?:-\w+\.\d+)?$/);
    expect(text).not.toMatch(/\/(?:work|root|home)\b|focal-loss@|from ['"]focal-loss/);
  },
);
