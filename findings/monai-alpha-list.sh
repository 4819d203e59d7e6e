#!/usr/bin/env bash
# MONAI 1.6.1: FocalLoss(alpha=0.25) and FocalLoss(alpha=[0.25, 0.25]) are different losses.
#
# Input: logits [[2, -1], [0, 1], [1, 0.5]], classes 0, 1, 1, one-hot, with sigmoid, the default.
# Expected: alpha per class, all of them 0.25, is alpha 0.25: "alpha-balanced" weighs positives alpha, negatives 1 - alpha.
# Seen: another value. In a list alpha weighs positives, and negatives weigh 1 instead of 0.75: each such element costs a
#   third more. The documentation says of the list how long it must be, and not this.
#
# Needs Python 3.11, the package index and 6 GB for the time being. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --only-binary :all: monai==1.6.1 torch==2.15.0 numpy==2.4.6

"$folder/venv/bin/python" -W ignore - <<'PY'
import torch
from monai.losses import FocalLoss

logits = torch.tensor([[2.0, -1.0], [0.0, 1.0], [1.0, 0.5]])
classes = torch.tensor([[0], [1], [1]])


def elements(alpha):
    return FocalLoss(to_onehot_y=True, alpha=alpha, reduction="none")(logits, classes)


ratio = elements([0.25, 0.25]) / elements(0.25)
print("alpha as a number", elements(0.25).mean().item(), "and as a list", elements([0.25, 0.25]).mean().item())
print("ratios of the elements", ratio.tolist())
positive = torch.nn.functional.one_hot(classes[:, 0], 2).bool()
assert torch.allclose(ratio[positive], torch.tensor(1.0)) and torch.allclose(ratio[~positive], torch.tensor(4 / 3))
PY
echo "MONAI 1.6.1: expected equal losses; in a list alpha still leaves negatives the weight 1."
