#!/usr/bin/env bash
# XGBoost 3.2.0 and LightGBM 4.7.0 learn nothing from second derivatives below 0, and XGBoost says nothing of it.
#
# Input: 100 rows of one feature, 0 or 1, with the gradient 1 and -1, given by a custom objective, which is allowed for both;
#   second derivatives of -0.5 for all, as a loss that is concave has them: exact ones of the focal loss, for rows that are
#   quite wrong. Learning rate 1, no regularization, one round.
# Expected: an error or a warning of the second derivatives; or leaves of -2 and 2, as for 0.5.
# Seen: a single leaf of 0, as if there were nothing to learn. LightGBM warns of "no further splits", not of their cause.
#   Second derivatives of both signs do the same where they add up to less than 0.
#
# Needs Python 3.11 and the package index. Succeeds where it sees this, fails where that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: lightgbm==4.7.0 numpy==2.4.6 scipy==1.17.1
# Of XGBoost's packages, what it needs for several GPUs is left out.
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --no-deps xgboost==3.2.0

"$folder/venv/bin/python" - <<'PY'
import lightgbm
import numpy as np
import xgboost

feature = np.array([[0.0], [1.0]] * 50)
label = np.zeros(100)
gradient = np.where(feature[:, 0] == 0, 1.0, -1.0)


def by_xgboost(second):
    data = xgboost.DMatrix(feature, label=label)
    options = {"base_score": 0, "eta": 1, "lambda": 0, "max_depth": 1, "min_child_weight": 0}
    model = xgboost.train(options, data, 1, obj=lambda *_: (gradient, second))
    return sorted(set(model.predict(data, output_margin=True).tolist()))


def by_lightgbm(second):
    options = {"objective": lambda *_: (gradient, second), "learning_rate": 1, "lambda_l2": 0, "num_leaves": 2}
    options |= {"min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0, "verbosity": -1}
    model = lightgbm.train(options, lightgbm.Dataset(feature, label=label), 1)
    return sorted(set(model.predict(feature, raw_score=True).tolist()))


mixed = np.where(np.arange(100) % 4 < 2, -0.8, 0.3)
cases = {"0.5": np.full(100, 0.5), "-0.5": np.full(100, -0.5), "-0.8 and 0.3": mixed}
for name, second in cases.items():
    leaves = by_xgboost(second), by_lightgbm(second)
    print(f"second derivatives {name}: XGBoost {leaves[0]}, LightGBM {leaves[1]}")
    assert leaves == (([-2, 2], [-2, 2]) if name == "0.5" else ([0], [0]))
PY
echo "XGBoost 3.2.0, LightGBM 4.7.0: expected a word, or leaves; second derivatives below 0 still make a leaf of 0."
