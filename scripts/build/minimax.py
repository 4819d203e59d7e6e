"""The coefficients of crate/src/math: minimax polynomials by the Remez exchange, at 60 digits.

    pip install mpmath && python3 scripts/build/minimax.py
"""

from mpmath import atanh, cos, exp, log, lu_solve, matrix, mp, mpf, nstr, pi, sqrt

mp.dps = 60
NEAR_ZERO = mpf(10) ** -12


def remez(f, weight, low, high, terms):
    """Coefficients c of the polynomial that minimises max |f(x) - sum c_k x^k| / weight(x), and that maximum."""
    middle, half = (low + high) / 2, (high - low) / 2
    points = [middle - half * cos(pi * (2 * i + 1) / (2 * (terms + 1))) for i in range(terms + 1)]
    grid = [middle - half * cos(pi * i / 2000) for i in range(2001)]
    for _ in range(30):
        a, b = matrix(terms + 1, terms + 1), matrix(terms + 1, 1)
        for i, x in enumerate(points):
            for k in range(terms):
                a[i, k] = x**k
            a[i, terms] = (-1) ** i * weight(x)
            b[i] = f(x)
        solution = lu_solve(a, b)
        errors = [(f(x) - sum(solution[k] * x**k for k in range(terms))) / weight(x) for x in grid]
        extrema = alternating_extrema(errors)
        while len(extrema) > terms + 1:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        points = [grid[i] for i in extrema]
        sizes = [abs(errors[i]) for i in extrema]
        if max(sizes) < min(sizes) * (1 + mpf(10) ** -6):
            break
    return [solution[k] for k in range(terms)], max(sizes)


def alternating_extrema(errors):
    """Indices of the largest error of each run of one sign."""
    extrema = []
    for i, error in enumerate(errors):
        if extrema and errors[extrema[-1]] * error > 0:
            if abs(error) > abs(errors[extrema[-1]]):
                extrema[-1] = i
        else:
            extrema.append(i)
    return extrema


def exp_q(g):
    """(e^g - 1 - g) / g^2"""
    return (exp(g) - 1 - g) / g**2 if abs(g) > NEAR_ZERO else mpf(1) / 2 + g / 6


def exp_weight(g):
    return exp(g) / g**2 if abs(g) > NEAR_ZERO else NEAR_ZERO**-2


def log_r(z):
    """(2 atanh(s) - 2s) / (s z) with s = sqrt(z)"""
    s = sqrt(z)
    return (2 * atanh(s) - 2 * s) / (s * z) if z > NEAR_ZERO else mpf(2) / 3 + 2 * z / 5


def log_weight(z):
    s = sqrt(z)
    return 2 * atanh(s) / (s * z) if z > NEAR_ZERO else 2 / NEAR_ZERO


def show(what, fit):
    coefficients, error = fit
    print(f"{what}: relative error {nstr(error, 3)}")
    print("   ", ", ".join(repr(float(c)) for c in coefficients))


half_octave = log(2) / 2 * mpf("1.0001")
mantissa = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2 * mpf("1.0001")
for dtype, exp_terms, log_terms, unit_terms in (("float32", 5, 3, 4), ("float64", 10, 7, 10)):
    show(f"{dtype} EXP_Q", remez(exp_q, exp_weight, -half_octave, half_octave, exp_terms))
    show(f"{dtype} LOG_R", remez(log_r, log_weight, mpf(10) ** -9, mantissa, log_terms))
    show(f"{dtype} LOG_R_UNIT", remez(log_r, log_weight, mpf(10) ** -9, mpf(1) / 9, unit_terms))
