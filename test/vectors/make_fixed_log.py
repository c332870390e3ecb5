#!/usr/bin/env python3
"""Writes fixed-log.json: natural logarithms by 60-digit arithmetic (mpmath).

Run:  python3 test/vectors/make_fixed_log.py          (ten seconds)

`ln` is the logarithm of the double `x`, rounded to a double. `score` is the exact floor of -ln(x) * 2^32. Among
the words are those, out of 200,000, whose exact value comes closest to an integer from either side: there an
error of the logarithm would show.
"""
import hashlib
import json
import pathlib
import random
import struct
from math import frexp

from mpmath import floor, log, mp, mpf

mp.dps = 60
random.seed(20261124)


def units(x):
    return -log(mpf(x)) * 2**32


def row(x):
    return {"x": x, "ln": float(log(mpf(x))), "score": int(floor(units(x))) if x <= 1 else None}


def hardest(candidates, count):
    near = sorted(candidates, key=lambda x: (lambda u: min(u - floor(u), 1 - u + floor(u)))(units(x)))
    return near[:count]


words = [random.randrange(2**32) for _ in range(100_000)] + [2**32 - int(2 ** random.uniform(0, 32)) for _ in range(100_000)]
grid = {(2**32 - w) / 2**32 for w in [0, 1, 2, 3, 2**31, 2**32 - 1, 2**32 - 2, 2**32 - 3, *words[:40], *words[-40:]]}
grid |= set(hardest([(2**32 - w) / 2**32 for w in words], 120))
other = [0.5, 2.0, 1.5, 0.7071067811865475, 0.7071067811865476, 1.4142135623730951, 1 - 2**-53, 1 + 2**-52, 3.0, 1e-300, 1e300, 2.2250738585072014e-308]
other += [random.uniform(0.5, 2) for _ in range(40)] + [10 ** random.uniform(-20, 20) for _ in range(40)]
rows = [row(x) for x in sorted(grid)] + [row(x) for x in other]
path = pathlib.Path(__file__).with_name("fixed-log.json")
path.write_text(json.dumps(rows).replace("}, ", "},\n ") + "\n")


def ln(x):
    """src/schemes/fixed-log.ts, step by step: basic operations of IEEE 754 give the same bits in every language."""
    m, exponent = frexp(x)
    if m < 0.7071067811865476:
        m, exponent = 2 * m, exponent - 1
    s = (m - 1) / (m + 1)
    z = s * s
    series = 1 / 21
    for k in range(19, 2, -2):
        series = series * z + 1 / k
    return exponent * 0.69314718036912381649 + (exponent * 1.90821492927058770002e-10 + (2 * s + 2 * s * z * series))


values = b"".join(struct.pack("<d", ln((i + 1) / 1000)) for i in range(2000))
print("digest in test/schemes/fixed-log.test.ts:", hashlib.sha256(values).hexdigest())
