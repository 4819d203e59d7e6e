#!/usr/bin/env bash
# jax-js 0.1.25: nn.oneHot makes a row of ones of the index -1, and the row of another class of an index that is too large.
#
# Input: nn.oneHot of [0, -1, 2, 5] with 3 classes, the backend wasm. -1 is what labels that are to be ignored often are.
# Expected: a row of zeros for an index that is no class, as jax.nn.one_hot (JAX 0.10.2) gives for both.
# Seen: 1 1 1 for -1, of which a cross-entropy is three times a class; 0 1 0 for 5. Nothing throws.
#
# Needs Python 3.11, Node 20 and the package indexes. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: jax==0.10.2
npm install --prefix "$folder" --no-save --no-audit --no-fund --silent @jax-js/jax@0.1.25
cd "$folder"

JAX_PLATFORMS=cpu venv/bin/python - <<'PY'
import jax

rows = jax.nn.one_hot(jax.numpy.array([0, -1, 2, 5]), 3).tolist()
print("JAX:   ", rows)
assert rows == [[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0]]
PY

cat > one-hot.mjs <<'JS'
import assert from 'node:assert';

globalThis.navigator ??= { userAgent: 'Node.js', hardwareConcurrency: 1 };
const { defaultDevice, init, nn, numpy } = await import('@jax-js/jax');
await init('wasm');
defaultDevice('wasm');
const rows = await nn.oneHot(numpy.array(new Int32Array([0, -1, 2, 5])), 3).jsAsync();
console.log('jax-js:', JSON.stringify(rows));
assert.deepStrictEqual(rows, [[1, 0, 0], [1, 1, 1], [0, 0, 1], [0, 1, 0]]);
JS
node one-hot.mjs
echo "jax-js 0.1.25: expected rows of zeros for -1 and 5; they are still rows of ones and of a class."
