// `npm run build`: compiles the crate and bundles the npm package, as far as they are out of date.

import { runMain } from '../bootstrap/report.mjs';
import { setUp } from '../bootstrap/set-up.mjs';
import { build } from './build.mjs';

await runMain(async () => build(await setUp()));
