// `npm run setup`: finds or installs everything that building and testing need.
import { runMain } from './report.mjs';
import { setUp } from './set-up.mjs';

await runMain(async () => {
  await setUp({ linters: true, runtimes: true });
});
