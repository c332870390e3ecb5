"""Randomness for the steps that no key governs: a ChaCha8 keystream from a seed."""

from __future__ import annotations

import hashlib
import os

import numpy as np

from .chacha8 import ChaCha8

PAGE = 256
"""Words that are computed at once."""


class RandomStream:
    """Uniforms. The same seed gives the same stream; without one, the system's randomness is used."""

    def __init__(self, seed: str | None = None):
        self._stream = ChaCha8(
            os.urandom(32) if seed is None else hashlib.sha256(f"touchmark/random/{seed}".encode()).digest()
        )
        self._page = 0
        self._words = iter(())

    def next(self) -> float:
        """Uniform in [0, 1), 32 bits."""
        word = next(self._words, None)
        if word is None:
            fields = self._stream.fields(np.array([[self._page]], np.uint32), 32, PAGE)
            self._page += 1
            self._words = iter(fields[0].view(np.uint32).tolist())
            word = next(self._words)
        return word / 2**32
