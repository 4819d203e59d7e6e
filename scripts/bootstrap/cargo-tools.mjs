import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cache, root } from './paths.mjs';
import { capture, findExecutables, mustRun } from './process.mjs';
import { ExplainedError, say } from './report.mjs';

const WASM_PACK_VERSION = '0.15.1';

/** The command-line tool must be of exactly the version that the crate is linked against. */
function lockedWasmBindgenVersion() {
  const lock = readFileSync(join(root, 'Cargo.lock'), 'utf8');
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)?.[1];
  if (!version) throw new ExplainedError('Cargo.lock names no version of wasm-bindgen.');
  return version;
}

/**
 * The environment to build a tool in that runs on this machine.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NodeJS.ProcessEnv}
 */
function toolBuildEnvironment(env) {
  // Flags and targets meant for the project must not reach the tool.
  const { RUSTFLAGS, CARGO_ENCODED_RUSTFLAGS, CARGO_BUILD_TARGET, CARGO_BUILD_RUSTFLAGS, ...rest } =
    env;
  return {
    ...rest,
    // The tools have little to do. Built without optimization, they are there in a third of the
    // time.
    CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
    CARGO_PROFILE_RELEASE_LTO: 'off',
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
    CARGO_PROFILE_RELEASE_STRIP: 'symbols',
  };
}

/**
 * The folder of a tool of exactly this version: from the search path, the cache, or installed into
 * the cache.
 * @param {{ program: string, crate: string, version: string }} tool
 * @param {import('./rust.mjs').Toolchain} toolchain
 */
export async function ensureTool({ program, crate, version }, toolchain) {
  const home = join(cache, `${crate}-${version}`);
  const inCache = join(home, 'bin');
  for (const file of [...findExecutables(program, [inCache]), ...findExecutables(program)]) {
    const { stdout } = await capture(file, ['--version']);
    if (stdout.trim().split(' ')[1] === version) return dirname(file);
  }
  if (process.platform !== 'win32' && findExecutables('cc').length === 0) {
    throw new ExplainedError(
      `Building ${crate} needs a C compiler as linker. Install one (Debian: apt-get install gcc libc6-dev).`,
    );
  }
  say(`${crate} ${version} goes into ${home}`);
  mkdirSync(cache, { recursive: true });
  await mustRun(
    `Installing ${crate} ${version} (once, one to two minutes)`,
    toolchain.cargo,
    ['install', '--locked', crate, '--version', version, '--root', home],
    {
      env: toolBuildEnvironment(toolchain.env),
      cwd: cache,
      help: `crates.io must be reachable, or "${program}" of version ${version} be on PATH.`,
    },
  );
  return inCache;
}

/**
 * wasm-pack and the wasm-bindgen command-line tool.
 * @param {import('./rust.mjs').Toolchain} toolchain
 * @returns {Promise<{ folders: string[], versions: string[] }>} where they are and what they are
 */
export async function ensureCargoTools(toolchain) {
  const tools = [
    { program: 'wasm-pack', crate: 'wasm-pack', version: WASM_PACK_VERSION },
    { program: 'wasm-bindgen', crate: 'wasm-bindgen-cli', version: lockedWasmBindgenVersion() },
  ];
  const folders = [];
  for (const tool of tools) folders.push(await ensureTool(tool, toolchain));
  return { folders, versions: tools.map(({ program, version }) => `${program} ${version}`) };
}
