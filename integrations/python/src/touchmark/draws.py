"""The tokens of a step, from rows of tilted logits: top-k and top-p, then each row's draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from . import gumbel
from .arrays import Array, from_host, namespace, to_host
from .mark import Mark, windows_of
from .sampling import Sampling, softmax_draw, truncate


class KeyedDraw(NamedTuple):
    """A draw that a key governs: the mark, the context, and what turns its words (modulo 2^32)."""

    mark: Mark
    context: tuple[int, ...]
    turn: int


def chosen(rows: Array, samplings: Sequence[Sampling], draws: Sequence[KeyedDraw | float | None]) -> list[int]:
    """The token of each row.

    draws: by a key, by a uniform number in [0, 1), or None: the likeliest
    """
    vocab_size = rows.shape[1]
    tokens = np.zeros(len(rows), np.int64)
    ways: dict[str, list[int]] = {"greedy": [], "whole": [], "cut": []}
    for i, (sampling, draw) in enumerate(zip(samplings, draws, strict=True)):
        ways["greedy" if draw is None else "cut" if sampling.truncates(vocab_size) else "whole"].append(i)
    if greedy := ways["greedy"]:
        tokens[greedy] = to_host(namespace(rows).argmax(_only(rows, greedy), axis=1))
    if whole := ways["whole"]:
        tokens[whole] = _drawn(_only(rows, whole), None, [draws[i] for i in whole])
    if cut := ways["cut"]:
        left = truncate(_only(rows, cut), [samplings[i] for i in cut])
        columns = _drawn(left.logits, left.tokens, [draws[i] for i in cut])
        tokens[cut] = left.tokens[np.arange(len(cut)), columns]
    return tokens.tolist()


def _drawn(rows: Array, tokens: np.ndarray | None, draws: Sequence[KeyedDraw | float]) -> np.ndarray:
    """The columns that the draws choose; `tokens` are the ids of the columns unless those are all."""
    columns = np.zeros(len(draws), np.int64)
    by_mark: dict[Mark | None, list[int]] = {}
    for i, draw in enumerate(draws):
        by_mark.setdefault(draw.mark if isinstance(draw, KeyedDraw) else None, []).append(i)
    for mark, those in by_mark.items():
        some, own = _only(rows, those), [draws[i] for i in those]
        if mark is None:
            columns[those] = softmax_draw(some, np.array(own))
            continue
        windows = windows_of([draw.context for draw in own], mark.width)
        turns = np.array([draw.turn for draw in own], np.uint32)
        columns[those] = gumbel.draw(mark.choice, windows, some, turns, None if tokens is None else tokens[those])
    return columns


def _only(rows: Array, those: list[int]) -> Array:
    """Some rows, without a copy where they are all."""
    return rows if len(those) == len(rows) else rows[from_host(np.array(those), rows)]
