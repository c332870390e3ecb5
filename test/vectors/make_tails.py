#!/usr/bin/env python3
"""Writes tails.json: reference values for src/stats, from 70-digit arithmetic (mpmath).

Run:  python3 test/vectors/make_tails.py          (ten seconds)

Every real argument is the exact value of the double in the file. Tails are the point probability by
log-gamma times the plain sum of ratios, or one minus the other tail, all at 70 digits (the product code
uses the deviance form and other recurrences). Small cases are checked against rational arithmetic or
mpmath's incomplete gamma function before anything is written.
"""
import json
import pathlib
from fractions import Fraction
from math import comb

from mpmath import e, exp, gammainc, inf, log, log1p, loggamma, mp, mpf, nstr

mp.dps = 70
BITS = 240  # fixed point of the sums of ratios, whose first term is 1


def exact(x):
    """A double, or a 70-digit difference 1 - double, as a fraction of integers."""
    sign, man, exponent, _ = mpf(x)._mpf_
    assert sign == 0
    man = int(man)
    return (man << exponent, 1) if exponent >= 0 else (man, 1 << -exponent)


def falling_sum(ratios):
    """1 + r1 + r1 r2 + ... for falling ratios given as integers (numerator, denominator)."""
    total = term = 1 << BITS
    for num, den in ratios:
        term = term * num // den
        total += term
        # What is left out is at most term * r / (1 - r): below 1e-36 of the total.
        if term * num < (total >> 120) * (den - num):
            break
    return mpf(total) / (1 << BITS)


def binomial_log_pmf(x, n, p):
    return loggamma(n + 1) - loggamma(x + 1) - loggamma(n - x + 1) + x * log(p) + (n - x) * log1p(-p)


def binomial_above(x, n, p):
    """ln P(X >= x), x above the mean; ln P(X <= x) is the same of n - x and 1 - p."""
    num, den = exact(p)
    return binomial_log_pmf(x, n, p) + log(
        falling_sum(((n - x - k + 1) * num, (x + k) * (den - num)) for k in range(1, n - x + 1)))


def binomial_upper(h, n, p):
    p = mpf(p)
    if h == 0 or p == 1 and h <= n:
        return mpf(0)
    if h > n or p == 0:
        return -inf
    if h > n * p:
        return binomial_above(h, n, p)
    return log1p(-exp(binomial_above(n - h + 1, n, 1 - p)))


def binomial_lower(h, n, p):
    if h >= n:
        return mpf(0)
    return binomial_upper(n - h, n, 1 - mpf(p))


def poisson_log_pmf(k, m):
    return k * log(m) - m - loggamma(k + 1)


def poisson_above(k, m):
    num, den = exact(m)
    return poisson_log_pmf(k, m) + log(falling_sum((num, (k + j) * den) for j in range(1, 10**9)))


def poisson_below(k, m):
    num, den = exact(m)
    return poisson_log_pmf(k, m) + log(falling_sum(((k - j + 1) * den, num) for j in range(1, k + 1)))


def gamma_upper(shape, x):
    x = mpf(x)
    if x == 0:
        return mpf(0)
    if shape == 0:
        return -inf
    if shape - 1 < x:
        return poisson_below(shape - 1, x)
    return log1p(-exp(poisson_above(shape, x)))


def gamma_lower(shape, x):
    x = mpf(x)
    if shape == 0:
        return mpf(0)
    if x == 0:
        return -inf
    if shape > x:
        return poisson_above(shape, x)
    return log1p(-exp(poisson_below(shape - 1, x)))


def e_bernoulli(h, n, g):
    """Beta function times upper Beta tail, over the null likelihood."""
    beta = loggamma(h + 1) + loggamma(n - h + 1) - loggamma(n + 2)
    g = mpf(g)
    return beta + binomial_lower(h, n + 1, g) - log1p(-g) - h * log(g) - (n - h) * log1p(-g)


def e_exponential(s, n):
    s = mpf(s)
    return s - log(1 - 1 / e) + loggamma(n + 1) - (n + 1) * log(s + 1) + gamma_lower(n + 1, s + 1)


def check_small():
    for n in (1, 7, 30):
        for p in (0.5, 0.1, 1e-9, 0.999):
            fp = Fraction(p)
            for h in range(n + 1):
                want = sum(comb(n, i) * fp**i * (1 - fp) ** (n - i) for i in range(h, n + 1))
                got = exp(binomial_upper(h, n, p))
                assert abs(got / (mpf(want.numerator) / want.denominator) - 1) < mpf(10) ** -30
    for k in (1, 4, 50):
        for x in (0.001, 3.7, 50.0, 200.0):
            assert abs(exp(gamma_upper(k, x)) / gammainc(k, x, inf, regularized=True) - 1) < mpf(10) ** -30
            assert abs(exp(gamma_lower(k, x)) / gammainc(k, 0, x, regularized=True) - 1) < mpf(10) ** -30


M, G, T = 10**6, 10**9, 10**12
BINOMIAL = [
    ('ordinary', 7, 10, 0.5), ('ordinary', 3, 10, 0.25), ('ordinary', 130, 200, 0.5),
    ('ordinary', 61, 200, 0.25), ('ordinary', 12, 1000, 0.01), ('ordinary', 997, 1000, 0.99),
    ('table boundary', 15, 31, 0.3), ('table boundary', 16, 31, 0.3), ('table boundary', 16, 32, 0.9),
    ('tiny', 200, 200, 0.5), ('tiny', 199, 200, 0.1), ('tiny', 900, 1000, 0.25), ('tiny', 3, 1000, 1e-9),
    ('tiny p', 2, 5, 1e-300), ('tiny p', 40, 1000, 5e-324), ('tiny p', 1, G, 1e-20),
    ('p next to 1', 5, 10, 1 - 2**-53), ('p next to 1', G - 3, G, 1 - 2**-40),
    ('-5000', 575_900, M, 0.5), ('-5000', 316_700, M, 0.25), ('-5000', 424_100, M, 0.5),
    ('-5000', 2_900, 10_000, 0.01), ('-5000', 101_530_000, G, 0.1),
    ('-100000', 6_073_000, 10 * M, 0.5), ('-100000', 3_927_000, 10 * M, 0.5),
    ('-100000', 515_170_000, G, 0.5), ('-100000', 250_000, M, 0.1), ('-100000', 100, 10 * M, 0.0225),
    ('beyond -1e6', 540_000_000, G, 0.5), ('beyond -1e6', 900_000_000, G, 0.25),
    ('beyond -1e6', 1, G, 0.5), ('beyond -1e6', G - 1, G, 1e-9),
    ('near the mean', 500_000, M, 0.5), ('near the mean', 500_001, M, 0.5),
    ('near the mean', 499_999, M, 0.5), ('near the mean', 501_000, M, 0.5),
    ('near the mean', 249_700, M, 0.25), ('near the mean', 249_999, M, 0.25),
    ('near the mean', 101, M, 1e-4), ('near the mean', 100_000, M, 0.1),
    ('near the mean', 1, G, 1e-9), ('near the mean', 0, G, 1e-9), ('near the mean', G - 1, G, 1 - 1e-9),
    ('near the mean', 500_000_000, G, 0.5), ('near the mean', 500_050_000, G, 0.5),
    ('near the mean', 249_900_000, G, 0.25), ('near the mean', 100_000_001, G, 0.1),
    ('largest', 500_050_000_000, T, 0.5), ('largest', 100_100_000_000, T, 0.1),
    ('edge', 0, 0, 0.5), ('edge', 0, 10, 0.5), ('edge', 10, 10, 0.5), ('edge', 1, 1, 0.3),
    ('edge', 0, 1, 0.3), ('edge', 3, 10, 0.0), ('edge', 3, 10, 1.0), ('edge', 0, 10, 0.0),
    ('edge', 10, 10, 1.0),
]
GAMMA = [
    ('ordinary', 1, 1.0), ('ordinary', 5, 3.5), ('ordinary', 5, 9.25), ('ordinary', 100, 130.5),
    ('ordinary', 100, 80.1), ('ordinary', 1000, 1100.3), ('table boundary', 15, 20.0),
    ('table boundary', 16, 20.0), ('table boundary', 17, 20.0),
    ('tiny', 1, 700.0), ('tiny', 200, 900.0), ('tiny', 200, 10.5), ('tiny', 3, 1e-80), ('tiny', 1, 1e-320),
    ('-5000', 100_000, 152_600.0), ('-5000', 100_000, 57_500.0), ('-5000', 10, 11_600.0),
    ('-5000', M, 1_158_500.5), ('-5000', 400, 1e-10), ('-5000', G, 1_004_810_000.0),
    ('-100000', M, 1_900_000.0), ('-100000', M, 430_000.0), ('-100000', 10_000, 280_000.0),
    ('-100000', G, 1_021_700_000.0),
    ('beyond -1e6', G, 1_100_000_000.0), ('beyond -1e6', G, 1e-5), ('beyond -1e6', 3, 1e9),
    ('beyond -1e6', 2, 1e300), ('beyond -1e6', G, 1e-310),
    ('near the mean', M, 1e6), ('near the mean', M, 1_000_000.5), ('near the mean', M, 999_999.25),
    ('near the mean', M, 1_002_000.0), ('near the mean', M, 998_000.3),
    ('near the mean', G, 1e9), ('near the mean', G, 1_000_100_000.7), ('near the mean', G, 999_950_000.1),
    ('largest', T, 1_000_100_000_000.0), ('largest', T, 1_100_000_000_000.0),
    ('edge', 0, 0.0), ('edge', 0, 2.0), ('edge', 1, 0.0), ('edge', 1000, 0.0), ('edge', 1, 5e-324),
    ('edge', 1, 2.5), ('edge', 7, 6.0), ('edge', 7, 7.0),
]
E_BERNOULLI = [
    (0, 0, 0.5), (0, 10, 0.5), (10, 10, 0.5), (7, 10, 0.25), (130, 200, 0.5), (70, 200, 0.5),
    (575_900, M, 0.5), (250_000, M, 0.25), (249_000, M, 0.25), (1, M, 0.5), (M, M, 0.01),
    (500_050_000, G, 0.5), (900_000_000, G, 0.25), (499_900_000, G, 0.5),
]
E_EXPONENTIAL = [
    (0.0, 0), (0.0, 5), (3.5, 2), (12.25, 5), (130.5, 100), (80.0, 100), (1_100_000.0, M), (900_000.0, M),
    (1e6, M), (1e-9, 1), (5000.0, 1), (1_000_100_000.5, G), (2e9, G), (999_900_000.0, G),
]


def show(value):
    """30 digits as a string; JSON has no infinities."""
    return '-Infinity' if value == -inf else nstr(value, 30)


check_small()
out = {
    'generator': 'make_tails.py',
    'note': 'Natural logarithms, 30 digits. Real arguments are exact doubles.',
    'binomial': [
        {'kind': c, 'hits': h, 'trials': n, 'p': p,
         'upper': show(binomial_upper(h, n, p)), 'lower': show(binomial_lower(h, n, p))}
        for c, h, n, p in BINOMIAL],
    'gamma': [
        {'kind': c, 'shape': k, 'x': x, 'upper': show(gamma_upper(k, x)), 'lower': show(gamma_lower(k, x))}
        for c, k, x in GAMMA],
    'eBernoulli': [
        {'hits': h, 'trials': n, 'gamma': g, 'logE': show(e_bernoulli(h, n, g))} for h, n, g in E_BERNOULLI],
    'eExponential': [{'sum': s, 'n': n, 'logE': show(e_exponential(s, n))} for s, n in E_EXPONENTIAL],
}
path = pathlib.Path(__file__).with_name('tails.json')
rows = lambda name: ',\n'.join('\t\t' + json.dumps(row) for row in out[name])
parts = [f'\t{json.dumps(k)}: {json.dumps(v)}' if isinstance(v, str) else
         f'\t{json.dumps(k)}: [\n{rows(k)}\n\t]' for k, v in out.items()]
path.write_text('{\n' + ',\n'.join(parts) + '\n}\n')
print(path, {k: len(v) for k, v in out.items() if isinstance(v, list)})
