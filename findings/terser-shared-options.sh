#!/usr/bin/env bash
# terser 5.51.2 writes into the nested options that it is given, so that a later call with them minifies a script as a module.
#
# Input: one object of options, { compress: {}, mangle: {} }, for two calls as bundlers make them: an ES module with
#   `module: true`, then a script without it.
# Expected: the script gives what it gives with options of its own, and keeps the names of its top level, which other scripts use.
# Seen: `module: true` stands in `compress` and in `mangle` after the first call, and of the script nothing is left.
#   tsup 8.5.1 builds both formats at once with one such object, and the file to be required is another one from build to build,
#   by which format comes first.
#
# Needs Node 20 and the package index. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-save --no-audit --no-fund --silent terser@5.51.2
cd "$folder"

cat > minify.mjs <<'JS'
import assert from 'node:assert';
import { minify } from 'terser';

const script = '"use strict"; function add(first, second) { return first + second; }';
const alone = await minify(script, { compress: {}, mangle: {} });

const shared = { compress: {}, mangle: {} };
await minify('export const one = 1;', { module: true, ...shared });
const after = await minify(script, { ...shared });

console.log('alone:', alone.code);
console.log('after a module with the same nested options:', JSON.stringify(after.code));
console.log('which are now:', JSON.stringify(shared));
assert.match(alone.code, /^"use strict";function add\(/);
assert.strictEqual(after.code, '');
assert.deepStrictEqual(shared, { compress: { module: true }, mangle: { module: true } });
JS
node minify.mjs
echo "terser 5.51.2: expected options that stay as they were given; they still carry over from a module to a script."
