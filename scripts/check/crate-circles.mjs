/**
 * The lint of the crate's imports: no files of it import each other in a circle, directly or by way
 * of others. A file imports what its `use` lines and paths from `crate` or `super` on name, and a
 * module that re-exports others imports these.
 *
 *     node scripts/check/crate-circles.mjs
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../bootstrap/paths.mjs';

/**
 * @typedef {Map<string, string>} Sources of a crate, by paths relative to its root, as `a/mod.rs`
 */

/**
 * @param {string} source
 * @returns {string} without comments, strings and tests
 */
function codeOf(source) {
  const code = source.replace(/\/\/.*|"(?:[^"\\]|\\.)*"/g, '');
  const tests = code.search(/#\[cfg\(test\)\]\s*mod \w+ \{/);
  return tests < 0 ? code : code.slice(0, tests);
}

/**
 * @param {string} tree of a `use`, as `a::{b::c, d}`
 * @returns {string[][]} the paths in it
 */
function pathsIn(tree) {
  const open = tree.indexOf('{');
  if (open < 0)
    return [
      tree
        .split(/\s+as\s+/)[0]
        ?.trim()
        .split('::') ?? [],
    ];
  const prefix = tree.slice(0, open).trim().split('::').slice(0, -1);
  const parts = [''];
  let depth = 0;
  for (const character of tree.slice(open + 1, tree.lastIndexOf('}'))) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  const trees = parts.map((part) => part.trim()).filter((part) => part !== '');
  return trees.flatMap((part) => pathsIn(part).map((path) => [...prefix, ...path]));
}

/** @param {string} file */
function moduleOf(file) {
  const path = file.replace(/\.rs$/, '').split('/');
  return path.at(-1) === 'mod' || file === 'lib.rs' ? path.slice(0, -1) : path;
}

/**
 * @param {string} code
 * @returns {string[][]} all paths that it names from `crate` or `super` on, and those of `use`
 */
function pathsOf(code) {
  const used = Array.from(code.matchAll(/\buse\s+([^;]+);/g), ([, tree]) => pathsIn(tree ?? ''));
  const rest = code.replace(/\buse\s+[^;]+;|\bpub\(in [^)]*\)/g, '');
  const inline = Array.from(rest.matchAll(/\b(?:crate|super)(?:::\w+)+/g), ([path]) =>
    path.split('::'),
  );
  return [...used.flat(), ...inline];
}

/**
 * @param {readonly string[]} path
 * @param {readonly string[]} own the module that it stands in
 * @returns {string[]} the modules that the path may mean, the innermost first
 */
function modulesIn(path, own) {
  const supers = path.findIndex((name) => name !== 'super');
  const isAbsolute = path[0] === 'crate';
  const skipped = supers > 0 ? supers : Number(isAbsolute || path[0] === 'self');
  const from = isAbsolute ? [] : own.slice(0, own.length - Math.max(0, supers));
  const names = path.slice(skipped);
  const modules = names.map((_, i) => [...from, ...names.slice(0, names.length - i)].join('::'));
  return isAbsolute || supers > 0 ? [...modules, from.join('::')] : modules;
}

/**
 * @param {Sources} sources
 * @returns {Map<string, Set<string>>} what each file imports
 */
export function importsOf(sources) {
  const files = new Map(Array.from(sources.keys(), (file) => [moduleOf(file).join('::'), file]));
  return new Map(
    Array.from(sources, ([file, source]) => {
      const own = moduleOf(file);
      const targets = pathsOf(codeOf(source)).map((path) =>
        modulesIn(path, own).find((name) => files.has(name)),
      );
      const found = new Set(
        targets.flatMap((name) => (name === undefined ? [] : [files.get(name) ?? ''])),
      );
      found.delete(file);
      return [file, found];
    }),
  );
}

/**
 * @param {Map<string, Set<string>>} imports
 * @returns {string[][]} files that import each other, each set once
 */
export function circlesIn(imports) {
  /** @param {string} start */
  const reachable = (start) => {
    const seen = new Set();
    const next = [start];
    for (let file = next.pop(); file !== undefined; file = next.pop()) {
      for (const imported of imports.get(file) ?? []) {
        if (seen.has(imported)) continue;
        seen.add(imported);
        next.push(imported);
      }
    }
    return seen;
  };
  const from = new Map(Array.from(imports.keys(), (file) => [file, reachable(file)]));
  const circles = Array.from(imports.keys(), (file) =>
    [...imports.keys()].filter((other) => from.get(file)?.has(other) && from.get(other)?.has(file)),
  );
  return circles.filter(
    (circle, i) => circle.length > 0 && circles.findIndex(([first]) => first === circle[0]) === i,
  );
}

function main() {
  const folder = join(root, 'crate', 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) =>
    file.replaceAll('\\', '/'),
  );
  const rust = files.filter((file) => file.endsWith('.rs')).sort();
  const imports = importsOf(
    new Map(rust.map((file) => [file, readFileSync(join(folder, file), 'utf8')])),
  );
  const circles = circlesIn(imports);
  for (const circle of circles) {
    console.log('these files import each other in a circle:');
    for (const file of circle) {
      const within = [...(imports.get(file) ?? [])].filter((other) => circle.includes(other));
      console.log(`  ${file} imports ${within.join(', ')}`);
    }
  }
  console.log(`${rust.length} files, ${circles.flat().length} of them in circles`);
  process.exitCode = circles.length > 0 ? 1 : 0;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
