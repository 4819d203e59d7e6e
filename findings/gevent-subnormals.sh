#!/usr/bin/env bash
# Importing gevent 21.12.0 in Python has the processor take subnormals for 0, in every engine of the process.
#
# Input: Python multiplies 1e-310 by 1, and so does WebAssembly in wasmtime, before gevent is imported and after; gevent is the
#   wheel of the package index for Linux on x64. No function of gevent is called.
# Expected: 1e-310 throughout, as WebAssembly and IEEE 754 say, whatever modules a process imports.
# Seen: 1e-310 before, 0 after, in both. Each extension of the wheel holds set_fast_math, which gcc adds to libraries that are
#   linked with -Ofast, and which sets the processor's flags when they are loaded. The wheel of gevent 22.10.2 does not do so.
#
# Needs Linux on x64, Python 3.10 as python3.10 or in PYTHON, and the package index. Succeeds where it sees this, fails where
# that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat > "$folder/subnormals.py" <<'PY'
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
import gevent

print(gevent.__version__, before, positive())
PY

for name in old new; do "${PYTHON:-python3.10}" -m venv "$folder/$name"; done
options=(--quiet --disable-pip-version-check)
"$folder/old/bin/pip" install "${options[@]}" --only-binary :all: gevent==21.12.0 wasmtime==36.0.0
"$folder/new/bin/pip" install "${options[@]}" --only-binary :all: gevent==22.10.2 wasmtime==36.0.0
old=$("$folder/old/bin/python" "$folder/subnormals.py")
new=$("$folder/new/bin/python" "$folder/subnormals.py")
echo "more than 0, in WebAssembly and in Python, before and after: gevent $old, gevent $new"
test "$old" = '21.12.0 [True, True] [False, False]'
test "$new" = '22.10.2 [True, True] [True, True]'
echo "gevent 21.12.0: expected 1e-310 after the import; it is still 0."
