// `npm run docs`: writes the API reference to docs/api.
import { join } from 'node:path';
import { nodeBin, root } from '../bootstrap/paths.mjs';
import { mustRun } from '../bootstrap/process.mjs';
import { runMain, say } from '../bootstrap/report.mjs';
import { setUp } from '../bootstrap/set-up.mjs';
import { build } from './build.mjs';

await runMain(async () => {
  // TypeScript wants to know what the generated code holds.
  await build(await setUp());
  await mustRun('Writing the API reference', join(nodeBin, 'typedoc'), [], { cwd: root });
  say(`It begins at ${join('docs', 'api', 'index.html')}`);
});
