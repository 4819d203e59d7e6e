#!/usr/bin/env bash
# A shared library linked by gcc 12 with -ffast-math has the processor take subnormals for 0 in the whole process that loads it.
#
# Input: a shared library of one empty function, compiled with gcc -shared -ffast-math and loaded into Python; before and
#   after, WebAssembly in wasmtime 50.0.1 multiplies 1e-310 by 1, and so does Python.
# Expected: 1e-310, as WebAssembly and IEEE 754 say, whatever libraries a process loads.
# Seen: 1e-310 before, 0 after, in both. gcc links crtfastmath.o, which sets the processor's flags when the library is loaded;
#   gcc 13 and later do so for programs only.
#
# Needs gcc 12 on x64, Python 3.11 and the package index. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: wasmtime==50.0.1
cd "$folder"
echo 'void nothing(void) {}' > library.c
gcc -shared -fPIC -O2 -ffast-math library.c -o library.so

venv/bin/python - <<'PY'
import ctypes
import struct

from wasmtime import Instance, Module, Store

store = Store()
text = '(module (func (export "product") (param f64 f64) (result f64) (f64.mul (local.get 0) (local.get 1))))'
multiply = Instance(store, Module(store.engine, text), []).exports(store)["product"]
one = float("1")
tiny = float("1e-310")

def positive():
    """Whether the products are more than 0, by their bits: comparisons take subnormals for 0 as well."""
    return [struct.pack("d", product) != bytes(8) for product in (multiply(store, tiny, one), tiny * one)]


before = positive()
ctypes.CDLL("./library.so")
after = positive()
print("more than 0, in WebAssembly and in Python: before", before, "after", after)
assert before == [True, True] and after == [False, False]
PY
echo "gcc 12 -ffast-math: expected 1e-310 in a process that loads the library; it is still 0."
