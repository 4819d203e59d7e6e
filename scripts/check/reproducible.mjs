// Checks that the package is reproducible: a copy of the clone elsewhere, under a longer path, is
// built into the same bytes. `npm run test:all` calls it.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from '../bootstrap/paths.mjs';
import { mustCapture } from '../bootstrap/process.mjs';
import { ExplainedError, runMain } from '../bootstrap/report.mjs';
import { sha256 } from '../bootstrap/sha256.mjs';

/**
 * The hash of each file that was built.
 * @param {string} clone
 * @returns {Record<string, string>}
 */
function built(clone) {
  const folder = join(clone, 'dist');
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, sha256(readFileSync(join(folder, name)))]),
  );
}

await runMain(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'focal-loss-in-a-folder-with-a-longer-name-'));
  try {
    const copy = join(folder, 'copy');
    const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
    const files = await mustCapture('git', list, { cwd: root });
    for (const file of files.split('\0').filter((name) => name && existsSync(join(root, name)))) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true });
    }
    // The build installs what it needs.
    await mustCapture(process.execPath, ['scripts/build/main.mjs'], { cwd: copy });
    const [here, there] = [built(root), built(copy)];
    const names = [...new Set([...Object.keys(here), ...Object.keys(there)])];
    if (!names.some((name) => name.endsWith('.wasm')))
      throw new ExplainedError('nothing was built');
    const others = names.filter((name) => here[name] !== there[name]);
    if (others.length > 0)
      throw new ExplainedError(`built elsewhere, these have other bytes: ${others.join(', ')}`);
    return 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
});
