"""Writes asymmetric.json: exact values of the asymmetric loss.

Values are those of the definition, gradients are taken of it numerically, with 150 digits; all is
right to 60 digits, and rounded once to float64. The scales are what errors are relative to: of a
negative, the number times s/(s - margin), since s - margin has the error of s. Seeded: running it
again gives the same file. `python3 make-asymmetric.py` in this folder, with mpmath installed.
"""

import json
import random
import struct

from mpmath import diff, exp, log, log1p, mp, mpf

mp.dps = 150
random.seed(20210930)


def float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def parts(x, options):
    """The loss of a logit whose target is 1, and of one whose target is 0."""
    p, other = 1 / (1 + exp(-x)), 1 / (1 + exp(x))
    clipped = max(p - options["margin"], mpf(0))
    positive = other ** options["gammaPositive"] * log1p(exp(-x))
    return positive, clipped ** options["gammaNegative"] * -log1p(-clipped)


def loss(x, y, options):
    positive, negative = parts(x, options)
    return y * positive + (1 - y) * negative


def scales(x, y, options):
    """The sizes that the errors of the value and of the gradient are relative to."""
    p = 1 / (1 + exp(-x))
    above = p - options["margin"]
    cancelled = p / above if above > 0 else mpf(1)
    value, grad = parts(x, options), [diff(lambda v: parts(v, options)[i], x) for i in range(2)]
    return [
        y * abs(positive) + (1 - y) * abs(negative) * cancelled
        for positive, negative in (value, grad)
    ]


cases = []
for gamma_positive, gamma_negative, margin, spread, soft in [
    (1, 4, 0.05, 2, False), (1, 4, 0.05, 12, False), (0, 4, 0.05, 2, True), (0, 0, 0, 4, False),
    (2, 2, 0, 30, False), (1, 4, 0, 4, True), (0.5, 2.5, 0.2, 4, False), (1.3, 3.7, 0.05, 4, True),
    (1, 0.5, 0.5, 4, False), (3, 5, 0.9, 3, False), (0, 1, 0.001, 12, True), (1, 0, 0.05, 4, False),
]:
    options = dict(
        gammaPositive=mpf(gamma_positive), gammaNegative=mpf(gamma_negative), margin=mpf(margin)
    )
    logits = [float32(random.gauss(0, spread)) for _ in range(16)]
    if margin > 0:
        # Three logits just above the margin, and two below it.
        at = float(log(options["margin"] / (1 - options["margin"])))
        logits[:5] = [float32(at + step) for step in (0.5, 0.05, 0.005, -0.005, -2)]
    targets = [
        random.choice([0, 0.25, 0.5, 0.875, 1]) if soft else int(i > 4 and random.random() < 0.5)
        for i in range(16)
    ]
    rows = [(mpf(x), mpf(y)) for x, y in zip(logits, targets)]
    sizes = [scales(x, y, options) for x, y in rows]
    cases.append(
        dict(
            kind="asymmetric",
            gammaPositive=gamma_positive,
            gammaNegative=gamma_negative,
            margin=margin,
            logits=logits,
            targets=targets,
            loss=[float(loss(x, y, options)) for x, y in rows],
            grad=[float(diff(lambda v: loss(v, y, options), x)) for x, y in rows],
            lossScales=[float(value) for value, _ in sizes],
            gradScales=[float(grad) for _, grad in sizes],
        )
    )

with open("asymmetric.json", "w") as file:
    file.write('{"about": "The asymmetric loss, right to 60 digits with mpmath.", "cases": [\n')
    file.write(",\n".join(json.dumps(case) for case in cases))
    file.write("\n]}\n")
