#!/usr/bin/env bash
# Keras 3.15.1: focal losses with from_logits=True give the rows that are most wrong no gradient at all.
#
# Input: CategoricalFocalCrossentropy(from_logits=True, alpha=1) of the float32 logits [-gap, 0] whose class is 0.
# Expected: what CategoricalCrossentropy(from_logits=True) does there: a loss near the gap, a gradient near -1 for the class
#   however large the gap is; with from_logits nothing needs to be clipped.
# Seen: from a gap of 17 on the loss is 16.118 and the gradient 0. Logits become probabilities, which are clipped to
#   [1e-7, 1 - 1e-7]. BinaryFocalCrossentropy has the gradient 0 for a negative target and the logit 17.
#
# Needs Python 3.11 and the package index. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: keras==3.15.1 jax==0.10.2 numpy==2.4.6

HOME="$folder" KERAS_BACKEND=jax JAX_PLATFORMS=cpu "$folder/venv/bin/python" - <<'PY'
import jax
import keras
import numpy as np

focal = keras.losses.CategoricalFocalCrossentropy(from_logits=True, alpha=1.0)
cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
binary = keras.losses.BinaryFocalCrossentropy(from_logits=True)


def value_and_slope(loss, target, logits):
    row = np.array([logits], np.float32)
    value, grad = jax.value_and_grad(lambda x: loss(np.array([target], np.float32), x))(row)
    return float(value), float(grad[0, 0])


for gap in [15.0, 17.0, 30.0]:
    entropy = value_and_slope(cross_entropy, [1, 0], [-gap, 0])
    focused = value_and_slope(focal, [1, 0], [-gap, 0])
    negative = value_and_slope(binary, [0], [gap])
    print(f"gap {gap:g}: cross-entropy {entropy}, focal {focused}, binary focal, negative target {negative}")
    assert abs(entropy[0] - gap) < 1e-3 and abs(entropy[1] + 1) < 1e-3
    if gap == 15:
        assert abs(focused[1] + 1) < 1e-3 and abs(negative[1] - 1) < 1e-3
    else:
        assert abs(focused[0] - 16.118) < 1e-3 and focused[1] == 0 and negative[1] == 0
PY
echo "Keras 3.15.1: expected a gradient near 1 for every gap; it is still 0 from 17 on."
