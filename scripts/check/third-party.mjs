/**
 * The code of others that is compiled into the WebAssembly module, and its licences:
 * THIRD-PARTY-LICENSES.md.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../bootstrap/paths.mjs';
import { WASM_TARGET } from '../bootstrap/rust.mjs';

/**
 * The description of a crate by cargo.
 * @typedef {{ id: string, name: string, version: string, license: string, manifest_path: string,
 *   targets: { kind: string[] }[] }} Crate
 */

/** @typedef {{ id: string, deps: { pkg: string, dep_kinds: { kind: string | null }[] }[] }} Node */

/**
 * @returns {Crate[]} the crates that the module is made of, but for this one: not what only runs
 *   when it is compiled
 */
function compiledIn() {
  const options = ['--format-version=1', '--locked', `--filter-platform=${WASM_TARGET}`];
  const output = execFileSync(
    'cargo',
    ['metadata', ...options, '--manifest-path=crate/Cargo.toml'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  /** @type {{ packages: Crate[], resolve: { root: string, nodes: Node[] } }} */
  const { packages, resolve } = JSON.parse(output);
  const crates = new Map(packages.map((crate) => [crate.id, crate]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const found = new Set([resolve.root]);
  // A set goes on to what is added to it meanwhile.
  for (const id of found) {
    for (const { pkg, dep_kinds } of nodes.get(id)?.deps ?? []) {
      const runs = crates.get(pkg)?.targets.every(({ kind }) => !kind.includes('proc-macro'));
      if (runs && dep_kinds.some(({ kind }) => kind === null)) found.add(pkg);
    }
  }
  found.delete(resolve.root);
  return packages.filter(({ id }) => found.has(id)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The texts that come with a crate, but for the Apache licence where there is a choice.
 * @param {Crate} crate
 */
function textsOf({ name, manifest_path }) {
  const folder = dirname(manifest_path);
  const files = readdirSync(folder).filter(
    (file) => /^licen[cs]e/i.test(file) && !/apache/i.test(file),
  );
  if (files.length === 0) throw new Error(`${name} comes without its licence`);
  return files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
}

/** The content of THIRD-PARTY-LICENSES.md. */
export function thirdPartyLicenses() {
  const intro = [
    'The WebAssembly module is compiled from the crates below, of which wasm-bindgen also made the',
    'JavaScript beside it, and from the standard library of Rust (MIT or Apache-2.0, copyright The',
    'Rust Project Contributors). `npm run licenses` writes this file.',
  ];
  const crates = compiledIn().flatMap((crate) => [
    `\n## ${crate.name} ${crate.version}\n\n${crate.license}`,
    ...textsOf(crate).map((text) => `\n\`\`\`text\n${text.replace(/\r/g, '')}\n\`\`\``),
  ]);
  return `# Code of others in this package\n\n${intro.join('\n')}\n${crates.join('\n')}\n`;
}
