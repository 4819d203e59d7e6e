#!/usr/bin/env bash
# safetensors 0.8.0 saves a transposed NumPy array with its shape, and the numbers in the order of the other one.
#
# Input: safetensors.numpy.save({"x": a.T}) for a = [[1, 2, 3], [4, 5, 6]]; the same for np.asfortranarray(a).
# Expected: safetensors.numpy.load gives back what was saved, or save refuses, as safetensors.torch.save does.
# Seen: for a.T, [[1, 4], [2, 5], [3, 6]], it gives [[1, 2], [3, 4], [5, 6]]: the memory as it lies. No reader of the file can tell.
#
# Needs Python 3.11 and the package index. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: safetensors==0.8.0 numpy==2.4.6

"$folder/venv/bin/python" - <<'PY'
import numpy as np
from safetensors.numpy import load, save

a = np.array([[1, 2, 3], [4, 5, 6]], np.float32)


def through_a_file(array):
    return load(save({"x": array}))["x"].tolist()


print("saved ", a.T.tolist())
print("loaded", through_a_file(a.T))
assert through_a_file(a) == a.tolist()
assert through_a_file(np.ascontiguousarray(a.T)) == a.T.tolist()
assert through_a_file(a.T) == [[1, 2], [3, 4], [5, 6]]
print("saved ", a.tolist(), "in Fortran order")
print("loaded", through_a_file(np.asfortranarray(a)))
assert through_a_file(np.asfortranarray(a)) == [[1, 4, 2], [5, 3, 6]]
PY
echo "safetensors 0.8.0: expected what was saved; arrays that are not C-contiguous still come back as others."
