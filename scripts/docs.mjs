// `npm run docs`: writes the API reference to docs/api.
import { join } from 'node:path';
import { build } from './lib/build.mjs';
import { nodeBin, root } from './lib/paths.mjs';
import { mustRun } from './lib/process.mjs';
import { runMain, say } from './lib/report.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => {
  // TypeScript wants to know what the generated code holds.
  await build(await setUp());
  await mustRun('Writing the API reference', join(nodeBin, 'typedoc'), [], { cwd: root });
  say(`It begins at ${join('docs', 'api', 'index.html')}`);
});
