#!/usr/bin/env python3
"""Writes goodness-of-fit-tails.json: reference values for src/stats/goodness-of-fit.ts (mpmath).

Run:  python3 test/vectors/make_goodness_of_fit_tails.py          (a minute)

P(S >= s) for n uniforms, S = max n KL(i/n || p_(i)) over i <= n/2 with p_(i) < i/n. Boundaries by bisection at 80
digits and more; then one minus the probability of no crossing, which is n! times the volume of
{u_1 < ... < u_n, u_i > b_i}, by integrating polynomials piece by piece: the product code adds up first crossings
instead. Small cases are checked against formulas in closed form.
"""
import json
import pathlib

from mpmath import binomial, exp, factorial, log, mp, mpf, nstr


def boundary(i, n, s):
    share = mpf(i) / n
    f = lambda t: i * (log(share) - t) + (n - i) * (log(1 - share) - log(1 - exp(t))) - s
    low, high = log(share) - mpf(s) / i - 2, log(share)
    while high - low > mpf(10) ** (10 - mp.dps):
        middle = (low + high) / 2
        if f(middle) > 0:
            low = middle
        else:
            high = middle
    return exp(low)


def crossing(n, s):
    """Volumes V_k(c): k points before the last boundary passed, of which none crosses."""
    with mp.workdps(80 + int(s / 2.3) + n // 2):
        bs = [boundary(i, n, s) for i in range(1, n // 2 + 1)]
        volumes, last = [mpf(1)], mpf(0)
        for i, b in enumerate(bs, 1):
            step = b - last
            powers = [step**k / factorial(k) for k in range(i + 1)]
            # At most i - 1 points up to b_i.
            volumes = [sum(volumes[j] * powers[c - j] for j in range(min(c, len(volumes) - 1) + 1)) for c in range(i)]
            last = b
        none = sum(v * (1 - last) ** (n - c) * factorial(n) / factorial(n - c) for c, v in enumerate(volumes))
        return log(1 - none), bs


def check():
    for s in (0.5, 3, 40):
        got, (b,) = crossing(2, s)
        assert abs(exp(got) - (1 - (1 - b) ** 2)) < mpf(10) ** -14
        got, (b1, b2) = crossing(4, s)
        assert abs(exp(got) - (1 - (1 - b2) ** 4 - 4 * (b2 - b1) * (1 - b2) ** 3)) < mpf(10) ** -14
        got, (b1, b2, b3) = crossing(6, s)
        none = (1 - b3) ** 6 + 6 * (b3 - b1) * (1 - b3) ** 5
        none += binomial(6, 2) * ((b3 - b1) ** 2 - (b2 - b1) ** 2) * (1 - b3) ** 4
        assert abs(exp(got) - (1 - none)) < mpf(10) ** -14


CASES = [(n, s) for n in (2, 3, 4, 5, 10, 41, 120) for s in (0.25, 1.0, 3.0, 8.0, 20.0, 90.0)]

if __name__ == '__main__':
    check()
    rows = ',\n'.join('\t\t' + json.dumps({'n': n, 'statistic': s, 'upper': nstr(crossing(n, s)[0], 25)})
                      for n, s in CASES)
    path = pathlib.Path(__file__).with_name('goodness-of-fit-tails.json')
    path.write_text('{\n\t"generator": "make_goodness_of_fit_tails.py",\n\t"note": "ln P(S >= statistic), 25 digits.",\n'
                    '\t"cases": [\n' + rows + '\n\t]\n}\n')
    print(path, len(CASES))
