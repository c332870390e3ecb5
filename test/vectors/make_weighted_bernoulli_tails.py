#!/usr/bin/env python3
"""Writes weighted-bernoulli-tails.json: exact tails for src/stats/weighted-bernoulli.ts (mpmath).

Run:  python3 test/vectors/make_weighted_bernoulli_tails.py          (five seconds)

The law of each sum in integers, without rounding: its generating function is multiplied out.
"""
import json
import pathlib
import random
from fractions import Fraction
from itertools import product

from mpmath import log, mp, mpf, nstr

mp.dps = 40


def law(groups):
    """Numerators of the probabilities of every sum, and the denominator; groups are (weight, p, count) with whole
    weights > 0 and p a multiple of a power of two. The generating function, packed into one integer."""
    fractions = [(w, Fraction(p), c) for w, p, c in groups]
    denominator = 1
    for _, f, c in fractions:
        denominator *= f.denominator ** c
    stride = denominator.bit_length() // 8 + 1
    size = sum(w * c for w, _, c in groups) + 1
    packed = 1
    for w, f, count in fractions:
        for _ in range(count):
            packed = packed * (f.denominator - f.numerator) + ((packed * f.numerator) << (8 * stride * w))
    data = packed.to_bytes(stride * size, 'little')
    return [int.from_bytes(data[stride * t:stride * (t + 1)], 'little') for t in range(size)], denominator


def check():
    groups = [(3, 0.25, 2), (1, 0.5, 1), (2, 0.875, 2)]
    got, denominator = law(groups)
    flat = [(w, Fraction(p)) for w, p, c in groups for _ in range(c)]
    for x in range(len(got)):
        want = Fraction(0)
        for bits in product((0, 1), repeat=len(flat)):
            if sum(b * w for b, (w, _) in zip(bits, flat)) == x:
                q = Fraction(1)
                for b, (_, p) in zip(bits, flat):
                    q *= p if b else 1 - p
                want += q
        assert Fraction(got[x], denominator) == want


rng = random.Random(1)
linear = [10 * 29 - 9 * d for d in range(30)]
CASES = [
    ('three groups', [(3, 0.25, 2), (1, 0.5, 1), (2, 0.875, 2)]),
    ('one weight, three probabilities', [(1, 0.125, 20), (1, 0.25, 20), (1, 0.5, 20)]),
    ('tournament weights, 4 tokens', [(w, 0.5, 4) for w in linear]),
    ('tournament weights, 16 tokens', [(w, 0.5, 16) for w in linear]),
    ('entropy weights, 400 tokens', [(w, 0.25, 1) for w in sorted(rng.randint(1, 400) for _ in range(400))]),
    ('one heavy score', [(1000, 0.015625, 1), (1, 0.5, 300)]),
]


def rows():
    for name, groups in CASES:
        values, denominator = law(groups)
        mean = sum(Fraction(p) * w * c for w, p, c in groups)
        sd = float(sum(Fraction(p) * (1 - Fraction(p)) * w * w * c for w, p, c in groups)) ** 0.5
        tail = [0] * (len(values) + 1)
        for t in range(len(values) - 1, -1, -1):
            tail[t] = tail[t + 1] + values[t]
        xs = {int(float(mean) + z * sd) for z in (-2, 0.5, 1.5, 3, 4.5, 6, 9, 14)} | {len(values) - 1}
        upper = lambda x: nstr(log(mpf(tail[x])) - log(mpf(denominator)), 25)
        tails = [[x, upper(x)] for x in sorted(xs) if 0 < x < len(values)]
        yield {'name': name, 'groups': groups, 'tails': tails}


if __name__ == '__main__':
    check()
    cases = list(rows())
    text = ',\n'.join('\t\t' + json.dumps(row) for row in cases)
    path = pathlib.Path(__file__).with_name('weighted-bernoulli-tails.json')
    path.write_text('{\n\t"generator": "make_weighted_bernoulli_tails.py",\n\t"note": "Natural logarithms, 25 digits. '
                    'Groups are [weight, p, count], tails [x, ln P(sum >= x)].",\n\t"cases": [\n' + text + '\n\t]\n}\n')
    print(path, len(cases))
