"""The natural logarithm of the TypeScript core: IEEE 754 basic operations only, so the same bits everywhere."""

from __future__ import annotations

import numpy as np

LN2_HIGH = 0.6931471803691238  # first 32 bits of ln 2, so that exponent · LN2_HIGH is exact
LN2_LOW = 1.9082149292705877e-10  # the rest
SQRT_HALF = 0.7071067811865476
SERIES = [1 / n for n in range(21, 2, -2)]


def ln(x: np.ndarray) -> np.ndarray:
    """Natural logarithm of positive normal doubles, relative error below 1e-15.

    x = m·2^e with m in [√½, √2); ln m = 2·artanh((m − 1)/(m + 1)) by its series.
    """
    m, exponent = np.frexp(x)
    low = m < SQRT_HALF
    m = np.where(low, 2 * m, m)
    exponent = exponent - low
    s = (m - 1) / (m + 1)
    z = s * s
    series = SERIES[0] * z + SERIES[1]
    for coefficient in SERIES[2:]:
        series = series * z + coefficient
    return exponent * LN2_HIGH + (exponent * LN2_LOW + (2 * s + 2 * s * z * series))
