// Checks the crate as it would be published: its licence is in it, and its tests compile from it
// alone. `npm run test:all` calls it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../bootstrap/paths.mjs';
import { mustCapture } from '../bootstrap/process.mjs';
import { ExplainedError, runMain } from '../bootstrap/report.mjs';

const cargo = process.env.CARGO ?? 'cargo';

await runMain(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-crate-'));
  const target = join(root, 'target', 'packed-crate');
  try {
    const pack = [
      'package',
      '--package',
      'focal-loss',
      '--allow-dirty',
      '--no-verify',
      '--target-dir',
      target,
    ];
    await mustCapture(cargo, pack, { cwd: root });
    const files = (await mustCapture(cargo, [...pack, '--list'], { cwd: root })).split('\n');
    for (const file of ['LICENSE', 'README.md', 'tests/contract.rs']) {
      if (!files.includes(file)) throw new ExplainedError(`the packed crate has no ${file}`);
    }
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const name = `focal-loss-${version}`;
    await mustCapture('tar', ['-xf', join(target, 'package', `${name}.crate`)], { cwd: folder });
    const compile = ['test', '--no-run', '--features', 'analysis', '--target-dir', target];
    await mustCapture(cargo, compile, { cwd: join(folder, name) });
    return 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
});
