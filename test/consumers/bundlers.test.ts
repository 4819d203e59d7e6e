import { cpSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { hasConsumers } from '../../scripts/bootstrap/consumers.mjs';
import { BUNDLERS, build } from './bundlers.js';
import { HASH_PRINTED, run } from './project.js';

describe.skipIf(!hasConsumers()).each(BUNDLERS)('%s', (bundler) => {
  it('makes a program of it that needs nothing else, and gives the same bits', () => {
    const built = build(bundler);
    // Out of the project, where nothing is installed.
    const moved = join(dirname(inject('project')), `built-${bundler}`, 'package');
    cpSync(built, moved, { recursive: true });
    cpSync(join(inject('project'), 'package.json'), join(moved, 'package.json'));
    expect(readFileSync(join(moved, 'print.js'), 'utf8')).not.toMatch(/from\s*['"]focal-loss/);
    expect(run(moved, process.execPath, 'print.js')).toEqual(HASH_PRINTED);
  });
});
