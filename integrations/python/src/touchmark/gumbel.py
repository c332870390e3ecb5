"""`gumbel`: the keyed Gumbel-max draw (Aaronson 2022). The token is argmax(logit + g), g = −ln(−ln u) with u the keyed
uniform of (context, token); over random keys that is exactly a draw from softmax(logits). u = (word + ½)/2^32.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, cast, from_host, namespace, picked
from .chacha8 import ChaCha8
from .fixed_log import ln

# With v = 1 − u, noise g is at most −ln v, and at least 3.14 less. The rest covers rounding in single precision.
MARGIN = 3.2


def draw(
    prf: ChaCha8, contexts: np.ndarray, rows: Array, turns: np.ndarray, tokens: np.ndarray | None = None
) -> np.ndarray:
    """The draw of each row.

    contexts: [n, width] uint32
    rows: logits, [n, m] float32, nats; −inf excludes a token. At least one of each row is a number
    turns: [n] uint32, added to a row's words modulo 2^32: u goes around by turn / 2^32
    tokens: [n, m], ids that the columns stand for, ascending; then rows are on the host. None: columns are ids
    returns: [n], the columns that win
    """
    if tokens is None:
        words = prf.fields(contexts, 32, rows.shape[1], rows)
    elif 16 * tokens.shape[1] < tokens.max():
        words = prf.fields_at(contexts, tokens, 32).view(np.int32)
    else:  # The whole keystream has 16 words a block.
        words = np.take_along_axis(prf.fields(contexts, 32, int(tokens.max()) + 1), tokens, axis=1)
    words = words + from_host(turns.view(np.int32)[:, None], rows)
    row, column, logits, words = picked(_contenders(rows, words), rows, words)
    logits, words = logits.astype(np.float64), words.view(np.uint32)
    first = np.searchsorted(row, np.arange(len(contexts)))
    top = np.maximum.reduceat(logits, first)
    # argmax(logit − ln(−ln u)) is argmin(−ln u / weight); of equals, the lesser id.
    times = -ln((words + 0.5) / 2**32) / np.exp(logits - top[row])
    least = np.flatnonzero(times == np.minimum.reduceat(times, first)[row])
    return column[least[np.searchsorted(row[least], np.arange(len(contexts)))]]


def _contenders(rows: Array, words: Array) -> Array:
    """Which tokens can win. None that could is left out; some hundred that cannot are let in."""
    xp = namespace(rows)
    rest = cast((~words).view(xp.uint32), "float32")
    rest += 0.5  # 2^32·v
    bound = rows - xp.amax(rows, axis=1)[:, None]
    bound -= xp.log(rest)
    return bound >= xp.amax(bound, axis=1)[:, None] - MARGIN
