"""Writes focal-other-gamma.json: exact values of the focal loss for exponents that are no multiple of 1/2.

Computed at 60 digits with mpmath from the definition alone, rounded once to float64. Seeded: running it again
gives the same file. `python3 make-other-gamma.py` in this folder, with mpmath installed.
"""

import json
import random
import struct

from mpmath import exp, log, mp, mpf

mp.dps = 60
random.seed(20240611)


def float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def row(logits, target, weight, gamma):
    x = [mpf(v) for v in logits]
    lse = log(sum(exp(v) for v in x))
    p = [exp(v - lse) for v in x]
    # The sum over the other classes, so that 60 digits are enough however close p[target] comes to 1.
    u = sum(v for j, v in enumerate(p) if j != target)
    ce = lse - x[target]
    loss = weight * u**gamma * ce
    slope = u**gamma + gamma * u ** (gamma - 1) * p[target] * ce
    grad = [weight * slope * (-u if j == target else v) for j, v in enumerate(p)]
    return float(loss), [float(g) for g in grad]


cases = []
for gamma in [0.1, 0.3, 0.7, 1.3, 2.2, 2.7, 3.6, 4.9]:
    for classes in [2, 3, 5, 10, 37]:
        alpha = random.choice([0.25, 0.75, None, [random.choice([0.25, 0.5, 1, 1.5, 2]) for _ in range(classes)]])
        spread = random.choice([1, 4, 12, 30])
        logits = [[float32(random.gauss(0, spread)) for _ in range(classes)] for _ in range(6)]
        targets = [random.randrange(classes) for _ in logits]
        # Every other row is classified well, by a growing gap.
        for i in range(0, 6, 2):
            logits[i][targets[i]] = float32(max(logits[i]) + 4 * i)
        loss, grad = [], []
        for x, t in zip(logits, targets):
            if alpha is None:
                weight = 1
            elif isinstance(alpha, list):
                weight = alpha[t]
            else:
                weight = alpha if t == 1 else 1 - alpha
            value, gradient = row(x, t, mpf(weight), mpf(gamma))
            loss.append(value)
            grad.append(gradient)
        cases.append(
            dict(
                kind="focal-other-gamma", classes=classes, alpha=alpha, gamma=gamma, labelSmoothing=0,
                logits=logits, targets=targets, loss=loss, grad=grad,
            )
        )

with open("focal-other-gamma.json", "w") as file:
    file.write('{"about": "The focal loss for other gamma, at 60 digits with mpmath.", "cases": [\n')
    file.write(",\n".join(json.dumps(case) for case in cases))
    file.write("\n]}\n")
