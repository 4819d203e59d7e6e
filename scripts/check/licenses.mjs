// `npm run licenses`: writes down whose code is compiled into the module.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../bootstrap/paths.mjs';
import { thirdPartyLicenses } from './third-party.mjs';

writeFileSync(join(root, 'THIRD-PARTY-LICENSES.md'), thirdPartyLicenses());
