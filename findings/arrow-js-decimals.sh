#!/usr/bin/env bash
# apache-arrow (JavaScript) 21.2.0 reads negative 64-bit decimals as large positive numbers, and 256-bit ones as others.
#
# Input: a record batch of pyarrow 26.0.1 with the numbers 2.5 and -0.75 in columns of the types decimal64(10, 2),
#   decimal128(38, 2) and decimal256(60, 2), all valid Arrow.
# Expected: the same integers (the numbers without their points) from each column: 250 and -75.
# Seen: 250 and -75 from 128 bits; 250 and 18446744073709551541 from 64; 0 and -5 from 256. Nothing throws.
#
# Needs Python 3.11, Node 20 and the package indexes. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: pyarrow==26.0.1
npm install --prefix "$folder" --no-save --no-audit --no-fund --silent apache-arrow@21.2.0
cd "$folder"

venv/bin/python - <<'PY'
from decimal import Decimal

import pyarrow as pa

numbers = [Decimal("2.5"), Decimal("-0.75")]
types = {"64": pa.decimal64(10, 2), "128": pa.decimal128(38, 2), "256": pa.decimal256(60, 2)}
batch = pa.record_batch({bits: pa.array(numbers, type) for bits, type in types.items()})
assert all(batch.column(i).to_pylist() == numbers for i in range(3))
with pa.OSFile("decimals.arrows", "wb") as sink, pa.ipc.new_stream(sink, batch.schema) as writer:
    writer.write_batch(batch)
PY

cat > read.mjs <<'JS'
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';

const table = tableFromIPC(readFileSync('decimals.arrows'));
const read = Object.fromEntries(['64', '128', '256'].map((bits) => [bits, Array.from(table.getChild(bits), String)]));
console.log('2.5 and -0.75 are read as', read);
assert.deepStrictEqual(read['128'], ['250', '-75']);
assert.deepStrictEqual(read['64'], ['250', '18446744073709551541']);
assert.deepStrictEqual(read['256'], ['0', '-5']);
JS
node read.mjs
echo "apache-arrow 21.2.0: expected 250 and -75 from every width; decimals of 64 and 256 bits are still read as above."
