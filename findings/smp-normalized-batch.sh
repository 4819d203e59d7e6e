#!/usr/bin/env bash
# Segmentation Models PyTorch 0.6.0: FocalLoss(normalized=True) halves when the batch is given twice.
#
# Input: logits and labels of three pixels, and the same with each of them twice.
# Expected: the same loss, as it is a mean; normalized by the sum of the focal factors it is one by definition.
# Seen: half of it, with half of the gradient of all copies of a pixel: the sum of the losses is divided by the sum of the
#   focal factors, and once more by the number of elements. The learning rate depends on the batch's size, and the image's.
#
# Needs Python 3.11, the package index and 6 GB for the time being. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
packages=(segmentation-models-pytorch==0.6.0 torch==2.15.0 torchvision==0.29.2 numpy==2.4.6)
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --only-binary :all: "${packages[@]}"

HOME="$folder" "$folder/venv/bin/python" -W ignore - <<'PY'
import torch
from segmentation_models_pytorch.losses import FocalLoss

logits = torch.tensor([[[[2.0, -1.0, 0.5]]]])
labels = torch.tensor([[[[1.0, 1.0, 0.0]]]])
for normalized in [False, True]:
    loss = FocalLoss("binary", normalized=normalized)
    once = float(loss(logits, labels))
    twice = float(loss(torch.cat([logits, logits]), torch.cat([labels, labels])))
    print(f"normalized={normalized}: once {once}, twice {twice}")
    assert abs(twice / once - (0.5 if normalized else 1)) < 1e-6
PY
echo "SMP 0.6.0: expected the same loss from the batch given twice; normalized, it is still half."
