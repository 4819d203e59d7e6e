#!/usr/bin/env bash
# A row that is right beyond doubt makes the gradient of the focal loss NaN, with gamma below 1, in three of four libraries.
#
# Input: float32 logits [[20, -20], [-0.5, 0.5]], classes 0 and 1, gamma 0.5, which the loss is defined for: torchvision 0.29.2,
#   MONAI 1.6.1 with softmax, Segmentation Models PyTorch 0.6.0, kornia 0.9.0; PyTorch 2.15.0.
# Expected: a gradient of about 0 for the first row, whose loss is 0; kornia gives it.
# Seen: NaN for the first row in the three others, of which one optimizer step makes NaNs of all weights. Values are finite:
#   the derivative of (1 - pt) ** gamma is infinite at pt = 1, which is reached where the probability rounds to 1, and is
#   multiplied by 0.
#
# Needs Python 3.11, the package index and 6 GB for the time being. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
packages=(torch==2.15.0 torchvision==0.29.2 monai==1.6.1 kornia==0.9.0 segmentation-models-pytorch==0.6.0)
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check "${packages[@]}"

HOME="$folder" "$folder/venv/bin/python" -W ignore - <<'PY'
import kornia.losses
import monai.losses
import segmentation_models_pytorch as smp
import torch
import torchvision

classes = torch.tensor([0, 1])
one_hot = torch.nn.functional.one_hot(classes, 2).float()
losses = {
    "torchvision": lambda x: torchvision.ops.sigmoid_focal_loss(x, one_hot, gamma=0.5, reduction="mean"),
    "MONAI": lambda x: monai.losses.FocalLoss(gamma=0.5, to_onehot_y=True, use_softmax=True)(x, classes[:, None]),
    "SMP": lambda x: smp.losses.FocalLoss("multiclass", gamma=0.5)(x, classes),
    "kornia": lambda x: kornia.losses.focal_loss(x, classes, alpha=None, gamma=0.5, reduction="mean"),
}
for name, loss in losses.items():
    logits = torch.tensor([[20.0, -20.0], [-0.5, 0.5]], requires_grad=True)
    value = loss(logits)
    value.backward()
    print(name, "value", float(value), "gradient", logits.grad.tolist())
    assert bool(value.isfinite()) and bool(logits.grad[1].isfinite().all())
    if name == "kornia":
        assert bool((logits.grad[0].abs() < 1e-6).all())
    else:
        assert bool(logits.grad[0].isnan().all())
PY
echo "Expected gradients near 0; torchvision, MONAI and SMP still give NaN."
