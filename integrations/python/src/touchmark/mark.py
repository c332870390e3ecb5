"""A mark bound to its key: what a marker embeds with. The key cannot be read back from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from .account_code import AccountCode
from .chacha8 import ChaCha8
from .derivation import mark_id, subkey
from .green_list import GreenList
from .tournament import Tournament

BEFORE_TEXT = 0xFFFFFFFF
"""Stands for the positions before a text's first token in marks that start with `pad`."""


class Mark:
    """One mark.

    spec: everything that a verifier needs, the key excepted
    id: SHA-256 of the canonical spec, hexadecimal
    shape: what tilts the distribution; None for a choice
    choice: the generator of its keyed draw; None for a shape
    code: of the account layer; None in the others
    """

    def __init__(self, spec: dict[str, Any], key: bytes):
        """Binds a spec that has been checked to its key of 32 bytes."""
        scheme = spec["scheme"]
        self.spec: Mapping[str, Any] = MappingProxyType(spec)
        self.id = mark_id(spec)
        self.width: int = spec["contextWidth"]
        self.shape: GreenList | Tournament | None = None
        if scheme["name"] == "synthid":
            self.shape = Tournament(key, scheme["depth"])
        elif scheme["name"] != "gumbel":
            self.shape = GreenList(key, scheme["gamma"], scheme["delta"], scheme.get("seeding"))
        self.choice = None if self.shape else ChaCha8(key)
        code = spec.get("code")
        self.code = code and AccountCode(key, code["symbols"], code["positions"], code.get("groups"))
        self._selector = ChaCha8(subkey(key, "selector")) if spec["selector"] == "keyed" else None

    def context(self, tokens: list[int], boundary: int) -> tuple[int, ...] | None:
        """The context of the next token, from the ids since a boundary; None where they do not reach back that far and
        are not padded.
        """
        width = self.width
        visible = tuple(tokens[max(boundary, len(tokens) - width) :])
        if len(visible) == width:
            return visible
        return None if self.spec["start"] == "skip" else (BEFORE_TEXT,) * (width - len(visible)) + visible

    def covers(self, contexts: np.ndarray) -> np.ndarray:
        """On which of these contexts, [n, width] uint32, the mark acts: [n] bool."""
        if self._selector is None:
            return np.ones(len(contexts), bool)
        return self._selector.field(contexts, 8) < self.spec["share"]

    def __repr__(self) -> str:
        return f"<Mark {self.id[:16]} {self.spec['scheme']['name']} {self.spec['layer']}>"


def windows_of(contexts: Collection[tuple[int, ...]], width: int) -> np.ndarray:
    """Contexts as an array, [n, width] uint32."""
    return np.array(list(contexts), np.uint32).reshape(len(contexts), width)
