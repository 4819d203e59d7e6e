#!/usr/bin/env bash
# DuckDB-Wasm 1.32.0 gives 0.5 as 5: the decimals of its results have lost their points, also as text.
#
# Input: SELECT 0.5 AS half, 0.5::DOUBLE AS half_as_double. A literal with a point is a DECIMAL in DuckDB.
# Expected: 0.5 from both columns of the one row, by Number() and by String().
# Seen: 5 from the first, 0.5 from the second. The scale is in the column's type alone, and nothing applies it: a column of
#   labels or logits that was typed in as decimals is ten, a hundred or more times too large.
#
# Needs Node 20 and the npm registry. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-save --no-audit --no-fund --silent @duckdb/duckdb-wasm@1.32.0 apache-arrow@17.0.0
cd "$folder"

cat > query.cjs <<'JS'
const assert = require('node:assert');
const { dirname, join } = require('node:path');
const file = require.resolve('@duckdb/duckdb-wasm/dist/duckdb-node-blocking.cjs');
const duckdb = require(file);

const inPackage = (name) => join(dirname(file), name);
const mvp = { mainModule: inPackage('duckdb-mvp.wasm'), mainWorker: inPackage('duckdb-node-mvp.worker.cjs') };
duckdb.createDuckDB({ mvp }, new duckdb.VoidLogger(), duckdb.NODE_RUNTIME).then(async (database) => {
  await database.instantiate(() => {});
  const [row] = database.connect().query('SELECT 0.5 AS half, 0.5::DOUBLE AS half_as_double').toArray();
  const { half, half_as_double } = row.toJSON();
  console.log('0.5 is', Number(half), 'and', String(half), 'as a DECIMAL,', half_as_double, 'as a DOUBLE');
  assert.strictEqual(Number(half), 5);
  assert.strictEqual(String(half), '5');
  assert.strictEqual(half_as_double, 0.5);
});
JS
node query.cjs
echo "DuckDB-Wasm 1.32.0: expected 0.5; a DECIMAL of 0.5 is still read as 5."
