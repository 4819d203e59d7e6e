"""Writes asymmetric-posterior.json: exact probabilities that logits stand for under the loss.

The probability of yes is L0'/(L0' - L1'), the derivatives by the logit for targets of 0 and 1 being
taken numerically of the definition, with 150 digits; all is right to 60 digits, and rounded once to
float64. With priors its odds are as many times as large as those of the shares. The scales are what
errors are relative to: the probability times s/(s - margin), since s - margin has the error of s.
Seeded: running it again gives the same file. `python3 make-asymmetric-posterior.py` in this folder,
with mpmath installed.
"""

import json
import random
import struct

from mpmath import diff, exp, log, log1p, mp, mpf

mp.dps = 150
random.seed(20261127)


def float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def parts(x, options):
    """The loss of a logit whose target is 0, and of one whose target is 1."""
    p, other = 1 / (1 + exp(-x)), 1 / (1 + exp(x))
    clipped = max(p - options["margin"], mpf(0))
    positive = other ** options["gammaPositive"] * log1p(exp(-x))
    return clipped ** options["gammaNegative"] * -log1p(-clipped), positive


def posterior(x, options, odds):
    no, yes = [diff(lambda v: parts(v, options)[i], x) for i in range(2)]
    return no * odds / (no * odds - yes)


cases = []
for gamma_positive, gamma_negative, margin, spread, priors in [
    (1, 4, 0.05, 2, None), (1, 4, 0.05, 12, None), (0, 4, 0.05, 2, [0.5, 0.125]),
    (0, 0, 0, 4, None), (2, 2, 0, 20, [0.25, 0.75]), (1, 4, 0, 4, None), (0.5, 2.5, 0.2, 4, None),
    (1.3, 3.7, 0.05, 4, [0.5, 0.875]), (1, 0.5, 0.5, 4, None), (3, 5, 0.9, 3, None),
    (0, 1, 0.001, 12, None), (1, 0, 0.05, 4, None),
]:
    options = dict(
        gammaPositive=mpf(gamma_positive), gammaNegative=mpf(gamma_negative), margin=mpf(margin)
    )
    odds = mpf(1)
    if priors:
        training, deployment = [mpf(share) / (1 - mpf(share)) for share in priors]
        odds = deployment / training
    logits = [float32(random.gauss(0, spread)) for _ in range(16)]
    if margin > 0:
        # Three logits just above the margin, and two below it.
        at = float(log(options["margin"] / (1 - options["margin"])))
        logits[:5] = [float32(at + step) for step in (0.5, 0.05, 0.005, -0.005, -2)]
    exact = [posterior(mpf(x), options, odds) for x in logits]
    scales = []
    for x, p in zip(logits, exact):
        s = 1 / (1 + exp(-mpf(x)))
        above = s - options["margin"]
        scales.append(p * (s / above if above > 0 else mpf(1)))
    cases.append(
        dict(
            kind="asymmetric-posterior",
            gammaPositive=gamma_positive,
            gammaNegative=gamma_negative,
            margin=margin,
            **(dict(priors=dict(training=priors[0], deployment=priors[1])) if priors else {}),
            logits=logits,
            posterior=[float(p) for p in exact],
            scales=[float(scale) for scale in scales],
        )
    )

with open("asymmetric-posterior.json", "w") as file:
    about = "the probability of yes that logits stand for under the asymmetric loss; 60 digits"
    file.write('{"about":' + json.dumps(about) + ',"cases":[\n')
    file.write(",\n".join(json.dumps(case, separators=(",", ":")) for case in cases))
    file.write("\n]}\n")
