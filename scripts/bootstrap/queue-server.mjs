/** The server of the job queue in `examples/shards`: Valkey or Redis. */
import { installDebianPackages, isDebian } from './debian.mjs';
import { findExecutables } from './process.mjs';
import { ExplainedError } from './report.mjs';

const PROGRAMS = ['valkey-server', 'redis-server'];

/** Debian's package, which all its versions have. */
const PACKAGE = 'redis-server';

/** The program of one of them, where it is installed. */
export function findQueueServer() {
  return PROGRAMS.flatMap((name) => findExecutables(name))[0];
}

/** Installs one where there is none. */
export async function ensureQueueServer() {
  if (!findQueueServer() && isDebian()) await installDebianPackages([PACKAGE]);
  if (!findQueueServer()) {
    throw new ExplainedError(
      `The tests need ${PROGRAMS.join(' or ')} on PATH. On Debian: apt-get install ${PACKAGE}`,
    );
  }
}
