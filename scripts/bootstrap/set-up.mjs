/**
 * Finds or installs everything that building and testing need. Uses nothing but what comes with
 * Node, because it is the first thing that runs in a fresh clone.
 */
import { delimiter, dirname } from 'node:path';
import { ensureCargoTools } from './cargo-tools.mjs';
import { ensureBrowsers, ensureConsumers } from './consumers.mjs';
import { ensureNpmPackages } from './npm-packages.mjs';
import { nodeBin } from './paths.mjs';
import { ensureQueueServer } from './queue-server.mjs';
import { say, seconds } from './report.mjs';
import { ensureRuntimes } from './runtimes.mjs';
import { ensureRust, ensureRustLinters } from './rust.mjs';

/**
 * @param {{ linters?: boolean, runtimes?: boolean, consumers?: boolean }} [options] what is needed
 *   beside what the build takes: clippy and rustfmt; Deno and Bun; versions of Node, bundlers,
 *   browsers and a queue's server
 * @returns {Promise<import('./rust.mjs').Toolchain>} with the tools on its PATH
 */
export async function setUp({ linters = false, runtimes = false, consumers = false } = {}) {
  const start = performance.now();
  await ensureNpmPackages();
  const toolchain = await ensureRust();
  if (linters) await ensureRustLinters(toolchain);
  const { folders, versions } = await ensureCargoTools(toolchain);
  if (runtimes) versions.push(...(await ensureRuntimes()));
  if (consumers) {
    await ensureConsumers();
    await ensureBrowsers();
    await ensureQueueServer();
  }
  const { env } = toolchain;
  say(
    `Set-up: ${toolchain.version}, ${versions.join(', ')} (${seconds(performance.now() - start)})`,
  );
  return {
    ...toolchain,
    env: {
      ...env,
      PATH: [nodeBin, ...folders, env.PATH, dirname(process.execPath)].join(delimiter),
    },
  };
}
