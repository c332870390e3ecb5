"""`gumbel`: the keyed Gumbel-max draw (Aaronson 2022). The token is argmax(logit + g), g = −ln(−ln u) with u the keyed
uniform of (context, token); over random keys that is exactly a draw from softmax(logits). u = (word + ½)/2^32.
"""

from __future__ import annotations

import math

import numpy as np

from .arrays import Array, cast, from_host, namespace, to_host
from .chacha8 import ChaCha8
from .fixed_log import ln

# With v = 1 − u, noise is at most −ln v; and at least −ln v − 0.3267 for v up to one half, at least −3.14 for all.
# The rest of the slack covers rounding in single precision.
LN_2_32 = 32 * math.log(2)
SLACK = 0.001
LEAST_BELOW = 0.3267 + SLACK
LEAST_NOISE = -3.14


def draw(
    prf: ChaCha8,
    contexts: np.ndarray,
    rows: Array,
    tokens: np.ndarray | None = None,
    turns: np.ndarray | None = None,
) -> np.ndarray:
    """The draw of each row.

    contexts: [n, width] uint32
    rows: logits, [n, m] float32, nats; −inf excludes a token. At least one of each row is a number
    tokens: [n, m], ids that the columns stand for, ascending; the column itself unless given
    turns: [n] uint32, added to a row's words modulo 2^32: u goes around by turn / 2^32
    returns: [n], the columns that win
    """
    if tokens is not None and 16 * tokens.shape[1] < int(tokens.max()):
        words = from_host(prf.fields_at(contexts, tokens, 32).view(np.int32), rows)
    elif tokens is not None:
        whole = prf.fields(contexts, 32, int(tokens.max()) + 1)
        words = from_host(np.take_along_axis(whole, tokens.astype(np.intp), axis=1), rows)
    else:
        words = prf.fields(contexts, 32, rows.shape[1], rows)
    if turns is not None:
        words = words + from_host(turns.astype(np.uint32).view(np.int32)[:, None], rows)
    row, column = namespace(rows).where(_contenders(rows, words))
    logits = to_host(rows[row, column]).astype(np.float64)
    row, column, words = to_host(row), to_host(column), to_host(words[row, column]).view(np.uint32)
    first = np.searchsorted(row, np.arange(len(contexts)))
    top = np.maximum.reduceat(logits, first)
    # argmax(logit − ln(−ln u)) is argmin(−ln u / weight); of equals, the lesser id.
    with np.errstate(divide="ignore"):
        times = -ln((words + 0.5) / 2**32) / np.exp(logits - top[row])
    least = np.flatnonzero(times == np.minimum.reduceat(times, first)[row])
    return column[least[np.searchsorted(row[least], np.arange(len(contexts)))]]


def _contenders(rows: Array, words: Array) -> Array:
    """Which tokens can win. None that could is left out; a few that cannot are let in."""
    xp = namespace(rows)
    # 2^32·(1 − u), from words whose bits are those of int32.
    rest = cast(~words, "float32")
    rest = xp.where(rest < 0, rest + 2.0**32, rest) + 0.5
    # A nearest float of 0 or above 2^32 would leave the bounds.
    bound = LN_2_32 - xp.log(rest)
    top = xp.amax(rows, axis=1)[:, None]
    behind = rows - top
    sure = behind + xp.where(rest <= 2.0**31, bound - LEAST_BELOW, LEAST_NOISE)
    reached = xp.amax(sure, axis=1)[:, None]
    return (behind + bound + SLACK >= reached) & (behind > -math.inf)
