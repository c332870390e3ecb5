#!/usr/bin/env python3
"""Writes gamma-sum-tails.json: reference values for src/stats/gamma-sum.ts and gamma-approximation.ts (mpmath).

Run:  python3 test/vectors/make_gamma_sum_tails.py          (a minute)

Every real argument is the exact value of the double in the file. Small shapes: partial fractions of the
moment generating function with rational arithmetic, the textbook form whose terms alternate in sign. Larger
ones: the negative binomial mixture at 40 digits, checked against the former. Both are checked against the
convolution integral by quadrature.
"""
import json
import pathlib
from fractions import Fraction
from math import comb

from mpmath import exp, findroot, gammainc, inf, log, loggamma, mp, mpf, nstr, quad, sqrt

mp.dps = 40


def partial_fractions(n, a, b, x):
    """a != b. The density of aG1 + bG2 is a signed mixture of Gamma(j, a) and Gamma(j, b), j = 1..n:
    1/((1-at)^n (1-bt)^n) = sum_j A_j/(1-at)^j + B_j/(1-bt)^j,
    A_j = C(2n-j-1, n-j) (a/(a-b))^n (-b/(a-b))^(n-j), and B_j with a and b exchanged."""
    fa, fb = Fraction(a), Fraction(b)
    need = 60 + int(2.5 * n + n * abs(float(log(mpf(a) + b) - log(abs(mpf(a) - b)))))
    with mp.workdps(need + int(mpf(x) / max(a, b))):
        def upper(j, scale):  # P(Gamma(j) >= x/scale)
            y = mpf(x) / scale
            term = total = exp(-y)
            for i in range(1, j):
                term = term * y / i
                total += term
            return total

        def coefficient(j, s, t):
            c = comb(2 * n - j - 1, n - j) * (s / (s - t)) ** n * (-t / (s - t)) ** (n - j)
            return mpf(c.numerator) / c.denominator

        total = sum(coefficient(j, fa, fb) * upper(j, mpf(a)) + coefficient(j, fb, fa) * upper(j, mpf(b))
                    for j in range(1, n + 1))
        return log(total)


def mixture(n, a, b, x):
    """For shapes too large for that: the mixture at 40 digits over 14 standard deviations, whatever the size of the
    terms. The same sum as the product code's, but other arithmetic; checked against the form above."""
    s, l = mpf(min(a, b)), mpf(max(a, b))
    r, y = s / l, mpf(x) / min(a, b)
    # Largest term by the tilt, then 14 standard deviations of the negative binomial both ways.
    mean = mpf(x) / l / n
    v = findroot(lambda v: 1 / v + r / (1 - r + r * v) - mean, 1 / mean) if mean > 1 + r else mpf(1)
    k0 = n * (1 - r) / (r * v)
    sd = sqrt(k0 * (n + k0) / n)
    low, high = max(0, int(k0 - 14 * sd)), int(k0 + 14 * sd + 100 / (r * v))
    # NB and pmf as ratios to their first values, Q by addition from its first value.
    lognb = loggamma(n + low) - loggamma(n) - loggamma(low + 1) + n * log(r) + low * log(1 - r)
    m = 2 * n + low
    logq = log_gamma_q(m, y)
    logp = m * log(y) - y - loggamma(m + 1)
    q, p, nb, total = mpf(1), exp(logp - logq), mpf(1), mpf(0)
    for k in range(low, high):
        total += nb * q
        q += p
        p *= y / (2 * n + k + 1)
        nb *= (1 - r) * (n + k) / (k + 1)
    return lognb + logq + log(total)


def log_gamma_q(m, y):
    """ln P(Gamma(m) >= y) for an integer m."""
    if m - 1 < y:
        total = term = mpf(1)
        for k in range(m - 1, 0, -1):
            term = term * k / y
            total += term
            if term < total * mpf(10) ** -42:
                break
        return (m - 1) * log(y) - y - loggamma(m) + log(total)
    total = term = mpf(1)
    k = m
    while term > total * mpf(10) ** -42:
        k += 1
        term = term * y / k
        total += term
    return log(1 - exp(m * log(y) - y - loggamma(m + 1)) * total)


def show(v):
    return nstr(v, 25)


SMALL = [  # n, a, b, x
    (1, 0.75, 0.25, 0.5), (1, 0.75, 0.25, 3.0), (1, 0.9, 0.1, 700.0), (1, 0.5, 0.4375, 1e-3), (2, 1.0, 3.0, 5.5),
    (5, 0.75, 0.25, 2.0), (5, 0.75, 0.25, 0.01), (5, 0.75, 0.25, 40.0), (5, 0.25, 0.75, 40.0), (20, 0.9, 0.1, 22.5),
    (20, 0.99, 0.01, 25.0), (20, 0.501, 0.499, 31.0), (20, 0.51, 0.49, 5.0), (100, 0.75, 0.25, 190.5),
    (100, 0.9, 0.1, 99.0), (100, 0.75, 0.25, 1000.0), (100, 0.6, 0.4, 60.0), (100, 0.75, 0.25, 5.0),
    (108, 0.75, 0.25, 224.9716457354213), (300, 0.9, 0.1, 310.0), (300, 0.9, 0.1, 2000.0), (3, 1.0, 1e-3, 20.0),
    (3, 1.0, 1e-3, 1.0),
]
LARGE = [
    (2000, 0.75, 0.25, 2000.0), (2000, 0.75, 0.25, 2300.0), (2000, 0.9, 0.1, 6000.0), (2000, 0.99, 0.01, 2100.0),
    (20_000, 0.75, 0.25, 20_100.0), (20_000, 0.55, 0.45, 45_000.0), (20_000, 0.9, 0.1, 90_000.0),
    (1_000_000, 0.75, 0.25, 1_000_100.0), (1_000_000, 0.75, 0.25, 1_004_000.0),
    (1_000_000, 0.75, 0.25, 1_200_000.0), (1_000_000, 0.75, 0.25, 5_000_000.0),
]
MATCHED = [
    (1, 0.75, 0.25, 0.5), (1, 0.75, 0.25, 1000.0), (3, 0.9, 0.1, 0.02), (3, 0.9, 0.1, 4.0), (10, 1.0, 0.0, 14.5),
    (63, 0.5, 0.5, 109.41849934968505), (108, 0.75, 0.25, 224.9716457354213), (178, 0.9, 0.1, 396.2559562687854),
    (500, 0.75, 0.25, 520.25), (500, 0.75, 0.25, 480.25), (500, 0.75, 0.25, 1500.0), (500, 0.75, 0.25, 3000.0),
    (10_000, 0.9, 0.1, 10_001.0), (10_000, 0.9, 0.1, 14_000.0), (100_000, 0.7, 0.3, 100_500.0),
    (1_000_000, 0.75, 0.25, 1_002_000.0), (1_000_000, 0.75, 0.25, 1_100_000.0),
]


def matched(n, a, b, x):
    a, b, x = mpf(a), mpf(b), mpf(x)
    scale = (a * a + b * b) / (a + b)
    shape = n * (a + b) / scale
    z = x / scale
    # Falling ratios to the right of the mean have no end for a real shape: the lower series, with digits to spare.
    with mp.workdps(60 + int(max(0, (z - shape * (1 + log(z / shape))) / log(10)))):
        term = total = mpf(1)
        k = shape
        while term > total * mpf(10) ** (-mp.dps - 2) or k < z:
            k += 1
            term = term * z / k
            total += term
        return log(1 - exp(shape * log(z) - z - loggamma(shape + 1)) * total)


def check():
    """Against the convolution integral."""
    for n, a, b, x in (c for c in SMALL[:15] if c[3] < 50):
        density = lambda g: exp((n - 1) * log(g) - g - loggamma(n))
        top = mpf(x) / a
        want = gammainc(n, top, inf, regularized=True) + quad(
            lambda g: density(g) * gammainc(n, (x - a * g) / b, inf, regularized=True), [top * i / 8 for i in range(9)])
        assert abs(exp(partial_fractions(n, a, b, x)) / want - 1) < mpf(10) ** -12, (n, a, b, x)
    for case in SMALL:
        if case[2] > 2e-3 and case[3] > case[0]:
            assert abs(partial_fractions(*case) / mixture(*case) - 1) < mpf(10) ** -22, case


if __name__ == '__main__':
    check()
    out = {
        'generator': 'make_gamma_sum_tails.py',
        'note': 'Natural logarithms, 25 digits. Real arguments are exact doubles.',
        'sum': [{'n': n, 'a': a, 'b': b, 'x': x, 'upper': show(f(n, a, b, x))}
                for f, cases in ((partial_fractions, SMALL), (mixture, LARGE)) for n, a, b, x in cases],
        'matched': [{'n': n, 'a': a, 'b': b, 'x': x, 'upper': show(matched(n, a, b, x))} for n, a, b, x in MATCHED],
    }
    path = pathlib.Path(__file__).with_name('gamma-sum-tails.json')
    rows = lambda name: ',\n'.join('\t\t' + json.dumps(row) for row in out[name])
    parts = [f'\t{json.dumps(k)}: {json.dumps(v)}' if isinstance(v, str) else
             f'\t{json.dumps(k)}: [\n{rows(k)}\n\t]' for k, v in out.items()]
    path.write_text('{\n' + ',\n'.join(parts) + '\n}\n')
    print(path, {k: len(v) for k, v in out.items() if isinstance(v, list)})
