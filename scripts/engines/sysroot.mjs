/**
 * Folders of another processor's Debian packages, in the cache: what its programs need to run under
 * QEMU. They come from the package source that this machine has, of a newer release; nothing of
 * them is installed.
 */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from '../bootstrap/paths.mjs';
import { capture, mustCapture, mustRun } from '../bootstrap/process.mjs';
import { ExplainedError } from '../bootstrap/report.mjs';

/** The release that the packages are of: the first with QEMU 10. */
const RELEASE = 'trixie';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** The folder of everything that the engines need. */
export const enginesHome = join(cache, 'engines');

/** The package source that this machine uses for its own release. */
async function packageSource() {
  const { code, stdout } = await capture('apt-get', [
    ...['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', 'Component: main'],
  ]);
  const [source] = stdout.split('\n').filter((line) => /\/debian\/?$/.test(line));
  if (code !== 0 || !source)
    throw new ExplainedError(`This needs Debian, whose ${RELEASE} packages it takes.`);
  return source;
}

/**
 * @param {string} architecture
 * @param {string} folder
 */
async function aptOptions(architecture, folder) {
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, name), { recursive: true });
  const sources = join(folder, 'sources.list');
  const status = join(folder, 'status');
  const options = `[arch=${architecture} signed-by=${KEYRING}]`;
  writeFileSync(sources, `deb ${options} ${await packageSource()} ${RELEASE} main\n`);
  writeFileSync(status, '');
  const settings = {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Install-Recommends': '0',
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': status,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/**
 * Unpacks packages, and what these depend on, into a folder of its own.
 * @param {string} architecture as Debian calls it
 * @param {readonly string[]} packages
 * @param {string} [name] of the folder
 * @returns {Promise<string>} the folder
 */
export async function sysroot(architecture, packages, name = architecture) {
  const folder = join(enginesHome, `${RELEASE}-${name}`);
  const done = join(folder, `.${packages.join('-')}`);
  if (existsSync(done)) return folder;
  const apt = join(enginesHome, `apt-${name}`);
  const options = await aptOptions(architecture, apt);
  mkdirSync(join(folder, 'usr', 'lib'), { recursive: true });
  mkdirSync(join(folder, 'usr', 'lib64'), { recursive: true });
  for (const link of ['lib', 'lib64'])
    if (!existsSync(join(folder, link))) symlinkSync(`usr/${link}`, join(folder, link));
  await mustRun(`Reading the package lists of ${architecture}`, 'apt-get', [...options, 'update']);
  await mustRun(`Fetching ${packages.join(', ')} for ${architecture}`, 'apt-get', [
    ...[...options, 'install', '--yes', '--download-only', ...packages],
  ]);
  const archives = join(apt, 'cache', 'archives');
  for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
    await mustCapture('sh', [
      '-c',
      'dpkg --fsys-tarfile "$0" | tar -x -C "$1" --keep-directory-symlink',
      join(archives, file),
      folder,
    ]);
  }
  writeFileSync(done, '');
  return folder;
}
