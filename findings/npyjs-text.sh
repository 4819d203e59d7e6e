#!/usr/bin/env bash
# npyjs 1.2.0 cuts texts in the wrong place after a character beyond U+FFFF: the labels of all later rows are others.
#
# Input: what np.save of NumPy 2.4.6 writes for np.array(["𝛼1", "b2", "c3"]), the type <U2: two code points each.
# Expected: the three texts, as np.load gives them.
# Seen: four texts: "𝛼", "1b", "2c", "3". The code points become a JavaScript string, which is cut by its UTF-16 code units, of
#   which the first character has two. The shape says 3.
#
# Needs Python 3.11, Node 20 and the package indexes. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: numpy==2.4.6
npm install --prefix "$folder" --no-save --no-audit --no-fund --silent npyjs@1.2.0
cd "$folder"

venv/bin/python - <<'PY'
import numpy as np

labels = np.array(["\U0001d6fc1", "b2", "c3"])
np.save("labels.npy", labels)
assert np.load("labels.npy").tolist() == labels.tolist()
PY

cat > read.mjs <<'JS'
import assert from 'node:assert';
import { readFileSync } from 'node:fs';
import { parse } from 'npyjs';

const { data, shape, dtype } = parse(new Uint8Array(readFileSync('labels.npy')).buffer);
console.log('of the type', dtype, 'and the shape', shape, 'are', data);
assert.deepStrictEqual(shape, [3]);
assert.deepStrictEqual(data, ['\u{1d6fc}', '1b', '2c', '3']);
JS
node read.mjs
echo "npyjs 1.2.0: expected the three texts that NumPy saved; they are still cut elsewhere."
