"""Writes poly-focal.json: exact values of the poly-1 focal loss in all of its forms.

Values are those of the definition, derivatives are taken of it numerically, with 150 digits; all is right to 60
digits, and rounded once to float64. Seeded: running it again gives the same file. `python3 make-poly-focal.py` in
this folder, with mpmath installed.
"""

import json
import random
import struct

from mpmath import diff, exp, expm1, log, mp, mpf

mp.dps = 150
random.seed(20220422)


def float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def loss(x, q, target, gamma, options, epsilon):
    """The loss of a row with the target `q`, smoothed already; `weights` are one per class."""
    lse = log(sum(exp(v) for v in x))
    nll = [lse - v for v in x]
    if options["focusOn"] == "class":
        terms = [(w * v, n) for w, v, n in zip(options["weights"], q, nll)]
        return sum(w * (-expm1(-n)) ** gamma * (n + epsilon * -expm1(-n)) for w, n in terms if w != 0)
    ce = sum(v * n for v, n in zip(q, nll))
    u = -expm1(-(nll[target] if options["focusOn"] == "target" else ce))
    return options["weight"] * u**gamma * (ce + epsilon * u)


def partial(f, x, j, order=1):
    return diff(lambda v: f([*x[:j], v, *x[j + 1 :]]), x[j], order)


def case(classes, gamma, epsilon, smoothing=0, focus_on="smoothed", soft=False, second=False, rows=4):
    alpha = random.choice([0.25, 0.75, None, [random.choice([0.25, 0.5, 1, 1.5, 2]) for _ in range(classes)]])
    spread = random.choice([1, 4, 12])
    made = dict(
        kind="poly-focal", classes=classes, alpha=alpha, gamma=gamma, epsilon=epsilon, labelSmoothing=smoothing,
        focusOn=focus_on, soft=soft, logits=[], targets=[], loss=[], grad=[],
    )
    if second:
        made.update(hessianDiag=[], gammaGrad=[])
    # The sizes that errors are relative to where terms cancel: sums of the terms' absolute values.
    if epsilon < 0:
        made.update(lossScales=[], gradScales=[])
    weights = [1] * classes if alpha is None else alpha
    if not isinstance(weights, list):
        weights = [alpha if j == 1 else 1 - alpha for j in range(classes)]
    for i in range(rows):
        logits = [float32(random.gauss(0, spread)) for _ in range(classes)]
        target = random.randrange(classes)
        given = [1 if j == target else 0 for j in range(classes)]
        if soft:
            given = [0] * classes
            for _ in range(16):
                # The first row has all of its probability in one class.
                given[random.randrange(classes) if i > 0 else target] += 1 / 16
        elif i % 2 == 0:
            # A row that is classified well, by a gap that grows.
            logits[target] = float32(max(logits) + 5 * i)
        x = [mpf(v) for v in logits]
        q = [(1 - mpf(smoothing)) * v + mpf(smoothing) / classes for v in given]
        weight = sum(mpf(w) * v for w, v in zip(weights, given))
        options = dict(focusOn=focus_on, weights=[mpf(w) for w in weights], weight=weight)

        def value(x, gamma=mpf(gamma), epsilon=epsilon):
            return loss(x, q, target, gamma, options, mpf(epsilon))

        entries = range(classes)
        made["logits"].append(logits)
        made["targets"].append(given if soft else target)
        made["loss"].append(float(value(x)))
        made["grad"].append([float(partial(value, x, j)) for j in entries])
        if second:
            made["hessianDiag"].append([float(partial(value, x, j, 2)) for j in entries])
            made["gammaGrad"].append(float(diff(lambda g: value(x, g), mpf(gamma) + mpf(10) ** -140 * (gamma == 0))))
        if epsilon < 0:
            positive = [partial(lambda x: value(x, epsilon=0), x, j) for j in entries]
            added = [partial(lambda x: value(x, epsilon=-epsilon), x, j) - g for j, g in zip(entries, positive)]
            made["lossScales"].append(float(value(x, epsilon=-epsilon)))
            made["gradScales"].append([float(abs(g) + abs(a)) for g, a in zip(positive, added)])
    return made


cases = []
for classes, gamma, epsilon in [
    (2, 2, 1), (2, 0, 1), (3, 0.5, 2.5), (5, 3, -1), (7, 1.3, 0.25), (10, 2, 4), (37, 2.5, 1), (2, 2, -2), (66, 2, 1),
    (2, 3, 0),
]:
    cases.append(case(classes, gamma, epsilon, rows=4 if classes < 30 else 2))
for classes, gamma, epsilon, smoothing in [(2, 2, 1, 0.1), (4, 0, 1, 0.25), (9, 1.5, 3, 0.1), (3, 2, -1, 0.1), (6, 0.7, 1, 1)]:
    cases.append(case(classes, gamma, epsilon, smoothing))
for classes, gamma, epsilon, smoothing in [(2, 2, 1, 0.1), (5, 0.5, 2, 0.25), (8, 3, -1, 0.1)]:
    cases.append(case(classes, gamma, epsilon, smoothing, "target"))
for classes, gamma, epsilon, smoothing, soft in [
    (2, 2, 1, 0, False), (5, 0, 1, 0.1, False), (4, 2, 2, 0, True), (7, 1.5, -1, 0.1, True),
]:
    cases.append(case(classes, gamma, epsilon, smoothing, "class", soft))
for classes, gamma, epsilon, smoothing in [(2, 2, 1, 0), (5, 0, 1, 0.1), (6, 2.5, 2, 0), (3, 1, -1, 0.1)]:
    cases.append(case(classes, gamma, epsilon, smoothing, soft=True))
for classes, gamma, epsilon, smoothing in [
    (2, 2, 1, 0), (5, 0.5, 1, 0), (4, 3, 2, 0.1), (3, 1, 0.25, 0), (6, 0, 1, 0.1), (2, 1.3, 4, 0.1),
]:
    cases.append(case(classes, gamma, epsilon, smoothing, second=True))

with open("poly-focal.json", "w") as file:
    file.write('{"about": "The poly-1 focal loss, right to 60 digits with mpmath.", "cases": [\n')
    file.write(",\n".join(json.dumps(case) for case in cases))
    file.write("\n]}\n")
