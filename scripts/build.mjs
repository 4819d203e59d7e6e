// `npm run build`: compiles the crate and bundles the npm package, as far as they are out of date.
import { build } from './lib/build.mjs';
import { runMain } from './lib/report.mjs';
import { setUp } from './lib/set-up.mjs';

await runMain(async () => build(await setUp()));
