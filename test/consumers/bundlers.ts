// The ways in which bundlers build the project, as their own programs do it.

import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { consumerBin } from '../../scripts/bootstrap/consumers.mjs';
import { makeProject, mustRun } from './project.js';

/**
 * The build of a project: into the folder `built`. Entries are index.html or page.js, worker.js,
 * pool-worker.js, analysis-worker.js and print.js.
 */
const COMMANDS = {
  vite: 'vite build',
  webpack: 'webpack --config webpack.config.js',
  esbuild:
    'esbuild print.js page.js worker.js pool-worker.js analysis-worker.js --bundle --minify --format=esm --outdir=built --loader:.wasm=file --log-level=warning',
  rollup:
    'rollup print.js page.js worker.js pool-worker.js analysis-worker.js --dir built --format es --plugin node-resolve --silent --failAfterWarnings',
};

export type Bundler = keyof typeof COMMANDS;

export const BUNDLERS = Object.keys(COMMANDS) as Bundler[];

/** A project for a bundler, in which the module's file is found as this bundler finds it. */
export function makeBundlerProject(
  bundler: Bundler | 'plain',
  files: Record<string, string> = {},
): string {
  const project = makeProject(bundler, files);
  const own = bundler === 'rollup' ? 'plain' : bundler;
  renameSync(join(project, `module-url.${own}.js`), join(project, 'module-url.js'));
  return project;
}

/** The project without a bundler, and more files in it: modules are found by their paths. */
export function makePlainProject(files: Record<string, string> = {}): string {
  const project = makeBundlerProject('plain', files);
  for (const name of readdirSync(project).filter((name) => name.endsWith('.js'))) {
    const source = readFileSync(join(project, name), 'utf8');
    const resolved = source
      .replaceAll("'focal-loss'", "'/node_modules/focal-loss/dist/index.js'")
      .replaceAll("'focal-loss/slim'", "'/node_modules/focal-loss/dist/slim.js'")
      .replaceAll("'focal-loss/analysis'", "'/node_modules/focal-loss/dist/analysis.js'")
      .replaceAll("'focal-loss/pool'", "'/node_modules/focal-loss/dist/pool.js'")
      .replaceAll("'focal-loss/worker'", "'/node_modules/focal-loss/dist/worker.js'");
    writeFileSync(join(project, name), resolved);
  }
  return project;
}

/** Builds the project of a bundler. Returns where the page is. */
export function build(bundler: Bundler): string {
  const project = makeBundlerProject(bundler);
  const [program = '', ...args] = COMMANDS[bundler].split(' ');
  mustRun(project, process.execPath, consumerBin(program), ...args);
  const built = join(project, 'built');
  // Vite makes a page of its own.
  if (bundler !== 'vite')
    writeFileSync(join(built, 'index.html'), readFileSync(join(project, 'index.html')));
  return built;
}
