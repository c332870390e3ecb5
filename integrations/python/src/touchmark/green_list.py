"""Green lists: `kgw` (Kirchenbauer, Geiping et al. 2023) and `unigram` (Zhao et al. 2023). Every token is green with
probability γ, decided by its own field of the keystream; δ is added to the logits of green tokens.

Two seedings of `kgw`: the whole window, and `min`, the context id that a second keyed function puts first.
"""

from __future__ import annotations

import numpy as np

from .arrays import Array, cast
from .chacha8 import ChaCha8
from .derivation import subkey


class GreenList:
    """Green lists of share `gamma` and bias `delta` (nats)."""

    def __init__(self, key: bytes, gamma: float, delta: float, seeding: str | None):
        self._prf = ChaCha8(key)
        self._order = ChaCha8(subkey(key, "order")) if seeding == "min" else None
        self._bits, self._below = (1, 1) if gamma == 0.5 else (8, int(gamma * 256))
        self._bias = float(np.float32(delta))

    def tilt(self, contexts: np.ndarray, rows: Array) -> Array:
        """Rows of logits [n, vocabulary] float32, tilted after contexts [n, width] uint32."""
        seeds = contexts if self._order is None else self._first(contexts)
        fields = self._prf.fields(seeds, self._bits, rows.shape[1], rows)
        return rows + cast(fields < self._below, "float32") * self._bias

    def _first(self, contexts: np.ndarray) -> np.ndarray:
        """The id of each context whose keyed rank is least, the lesser id of equals: [n, 1]."""
        assert self._order is not None
        ranks = self._order.field(contexts.reshape(-1, 1), 32).reshape(contexts.shape)
        keyed = ranks.astype(np.uint64) << np.uint64(32) | contexts
        return (keyed.min(axis=1) & np.uint64(0xFFFFFFFF)).astype(np.uint32)[:, None]
