"""The code of the account layer: every account has a codeword, one symbol for each position; every context has a
position; and the symbol that an account has there turns the words of the keyed draw (docs/attribution.md).
"""

from __future__ import annotations

import hashlib

import numpy as np

from .chacha8 import ChaCha8
from .derivation import subkey


class AccountCode:
    """A code bound to the key of its mark.

    symbols: how finely a draw is turned: symbol s adds s·2^32 / symbols to a word
    positions: symbols of a codeword
    groups: of accounts that share the first fold of their codewords; None where there are none
    """

    def __init__(self, key: bytes, symbols: int, positions: int, groups: int | None):
        self._codebook = ChaCha8(subkey(key, "codebook"))
        self._places = ChaCha8(subkey(key, "positions"))
        self._grouped = ChaCha8(subkey(key, "groups"))
        self.symbols, self.positions, self.groups = symbols, positions, groups

    def codeword(self, pseudonym: str) -> np.ndarray:
        """The codeword of an account, [positions] uint8."""
        account = np.frombuffer(hashlib.sha256(pseudonym.encode()).digest()[:16], "<u4").astype(np.uint32)[None]
        word = self._drawn(self._codebook, account)
        if self.groups is None:
            return word
        group = int(self._grouped.field(account, 32)[0]) & (self.groups - 1)
        shared = self._drawn(self._grouped, np.array([[group, 0, 0, 0]], np.uint32))
        # The first fold is the positions whose second bit is 0.
        return np.where(np.arange(self.positions) >> 1 & 1 == 0, shared, word)

    def _drawn(self, prf: ChaCha8, context: np.ndarray) -> np.ndarray:
        return prf.fields(context, 8, self.positions)[0] & (self.symbols - 1)

    def position(self, contexts: np.ndarray) -> np.ndarray:
        """Positions of contexts [n, width]: [n]."""
        return self._places.field(contexts, 8) & (self.positions - 1)

    def turn(self, symbols: np.ndarray) -> np.ndarray:
        """What symbols add to words, modulo 2^32: uint32."""
        return symbols.astype(np.uint32) * np.uint32(2**32 // self.symbols)

    def turns(self, contexts: np.ndarray, codewords: np.ndarray) -> np.ndarray:
        """What is added to words after contexts [n, width], each of an account with its codeword: [n] uint32."""
        return self.turn(codewords[np.arange(len(contexts)), self.position(contexts)])
