import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Where tools that are slow to install are kept, shared by every clone. */
export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'focal-loss');

/** Small records of the build: fingerprints and reports. Never committed. */
export const records = join(root, '.build');

/** The executables of the npm packages. */
export const nodeBin = join(root, 'node_modules', '.bin');
