// `npm run playground` serves examples/playground while it is worked on; `npm run build:playground`
// makes static files of it.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { nodeBin, root } from '../bootstrap/paths.mjs';
import { runMain, say } from '../bootstrap/report.mjs';
import { setUp } from '../bootstrap/set-up.mjs';
import { build } from './build.mjs';

await runMain(async () => {
  const [first, ...rest] = process.argv.slice(2);
  // All other arguments are Vite's: --host, --port, --open.
  const args =
    first === '--build' ? ['build', ...rest] : first === undefined ? [] : [first, ...rest];
  await build(await setUp());
  say('');
  const config = join(root, 'examples', 'playground', 'vite.config.ts');
  const vite = spawn(join(nodeBin, 'vite'), [...args, '--config', config], {
    cwd: root,
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    vite.on('error', reject);
    vite.on('close', (code) => resolve(code ?? 1));
  });
});
