// `npm run licenses`: writes down whose code is compiled into the module.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/paths.mjs';
import { thirdPartyLicenses } from './lib/third-party.mjs';

writeFileSync(join(root, 'THIRD-PARTY-LICENSES.md'), thirdPartyLicenses());
