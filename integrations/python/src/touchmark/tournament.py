"""`synthid` as a shape: the tournament of SynthID-Text (Dathathri et al., Nature 2024) with few layers. Layer by layer
every token's probability is multiplied by 1 + g − Σ g·p, where g is its bit in that layer: bit d of its word.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, cast, namespace
from .chacha8 import ChaCha8
from .sampling import weights


class Tournament:
    """A tournament of `depth` layers, 1 to 32."""

    def __init__(self, key: bytes, depth: int):
        self._prf, self._depth = ChaCha8(key), depth

    def tilt(self, contexts: np.ndarray, rows: Array) -> Array:
        """Rows of logits [n, vocabulary] float32 after contexts [n, width] uint32, tilted: log-probabilities."""
        xp = namespace(rows)
        words = self._prf.fields(contexts, 32, rows.shape[1], rows)
        p = cast(weights(rows - xp.amax(rows, axis=1)[:, None]), "float64")
        p /= xp.sum(p, axis=1)[:, None]
        for layer in range(self._depth):
            won = p * ((words >> layer & 1) == 1)
            total = xp.sum(won, axis=1)[:, None]
            p -= won
            p *= 1 - total
            won *= 2 - total
            p += won
        with np.errstate(divide="ignore"):
            return cast(xp.log(p), "float32")
