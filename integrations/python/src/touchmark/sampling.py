"""From logits to a token: temperature, top-k, top-p, and the draw that no key governs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .arrays import Array, cast, descending, from_host, kth_largest, namespace, padded, picked, to_host
from .errors import TouchmarkError


@dataclass(frozen=True)
class Sampling:
    """How a request samples.

    temperature: 0 to 100; 0 is greedy, the likeliest token after the tilt, without a choice channel
    top_k: only the k likeliest tokens; top_p: the fewest likeliest whose probabilities reach p. Ties at an edge stay
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None

    def check(self, what: str) -> None:
        """Raises one sentence; `what` names the request."""
        if not 0 <= self.temperature <= 100:
            raise TouchmarkError(f"{what}: temperature must be from 0 to 100")
        if self.top_k is not None and (self.top_k != int(self.top_k) or self.top_k < 1):
            raise TouchmarkError(f"{what}: top_k must be an integer of 1 or more; leave it out for all tokens")
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise TouchmarkError(f"{what}: top_p must be above 0 and at most 1")

    @property
    def scale(self) -> float:
        """What logits are multiplied by."""
        return 1 / self.temperature if self.temperature > 0 else 1.0

    def truncates(self, vocab_size: int) -> bool:
        """Whether top-k or top-p leave anything out of a vocabulary."""
        return (self.top_k or vocab_size) < vocab_size or (self.top_p or 1) < 1


@dataclass(frozen=True)
class Survivors:
    """What top-k and top-p leave of some rows, on the host.

    tokens: [n, m] ids, ascending, in each row as many as it has and then 0
    logits: [n, m] float32, −inf after those that a row has
    """

    tokens: np.ndarray
    logits: np.ndarray


def truncate(rows: Array, samplings: list[Sampling]) -> Survivors:
    """Cuts rows of logits, [n, vocabulary], each by its own top-k and then top-p."""
    size = rows.shape[1]
    xp = namespace(rows)
    wanted = [size if s.top_k is None else min(s.top_k, size) for s in samplings]
    edges = xp.full_like(rows[:, :1], -math.inf)
    for k in set(wanted) - {size}:
        those = from_host(np.flatnonzero(np.array(wanted) == k), rows)
        edges[those] = kth_largest(rows[those], k)
    # Where there is no top-k, top-p alone cuts the whole row.
    shares = np.array([1.0 if s.top_p is None else s.top_p for s in samplings])
    alone = np.flatnonzero((np.array(wanted) == size) & (shares < 1))
    if len(alone):
        those = from_host(alone, rows)
        edges[those] = _top_p_edges(rows[those], shares[alone])
        shares[alone] = 1.0
    kept = _packed(rows, (rows >= edges) & (rows > -math.inf))
    if (shares == 1).all():
        return kept
    edges = np.where(shares[:, None] < 1, _top_p_edges(kept.logits, shares), -np.inf)
    inner = _packed(kept.logits, (kept.logits >= edges) & (kept.logits > -np.inf))
    return Survivors(np.take_along_axis(kept.tokens, inner.tokens, axis=1), inner.logits)


def _top_p_edges(rows: Array, shares: np.ndarray) -> Array:
    """The largest logit of each row such that those from it on have at least this share of the weight: [n, 1]."""
    xp = namespace(rows)
    ordered = descending(rows)
    reached = xp.cumsum(xp.exp(cast(ordered, "float64") - cast(ordered[:, :1], "float64")), axis=1)
    target = from_host(shares[:, None], rows) * reached[:, -1:]
    at = xp.sum(reached < target, axis=1)[:, None]
    return xp.take_along_axis(ordered, at, 1) if xp is np else ordered.gather(1, at)


def _packed(rows: Array, kept: Array) -> Survivors:
    """The kept columns of each row, one after another, on the host."""
    row, column, values = picked(kept, rows)
    counts = np.bincount(row, minlength=len(rows))
    place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    tokens = np.zeros((len(rows), max(counts)), np.int64)
    logits = np.full(tokens.shape, -np.inf, np.float32)
    tokens[row, place], logits[row, place] = column, values
    return Survivors(tokens, logits)


LEAST = -87.0
"""Weights below e^-87 of the greatest count as nothing."""
POLYNOMIAL = [
    float(np.float32(c))
    for c in (1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5)
]
LOG2E = float(np.float32(math.log2(math.e)))
LN2_HIGH, LN2_LOW = 0.693359375, float(np.float32(-2.1219444e-4))


def weights(behind: Array) -> Array:
    """e^x for x up to 0 in single precision, 0 below −87: the operations of the TypeScript core, in its order."""
    xp = namespace(behind)
    r = xp.clip(behind, LEAST, None)
    n = xp.round(r * LOG2E)
    r -= n * LN2_HIGH
    r -= n * LN2_LOW
    p = r * POLYNOMIAL[0]
    p += POLYNOMIAL[1]
    for coefficient in POLYNOMIAL[2:]:
        p *= r
        p += coefficient
    p *= r * r
    p += r + 1
    p *= (cast(n, "int32") + 127 << 23).view(xp.float32)
    p *= behind > LEAST
    return p


BLOCK = 512
"""Tokens whose weights are summed before a sum is written down."""


def softmax_draw(rows: Array, uniforms: np.ndarray) -> np.ndarray:
    """A column of each row, drawn from softmax(row): the first at which the sum of weights passes its share.

    rows: [n, m] float32; at least one of each is a number
    uniforms: [n], in [0, 1)
    """
    xp = namespace(rows)
    each = weights(rows - xp.amax(rows, axis=1)[:, None])
    blocks = padded(each, BLOCK).reshape(len(rows), -1, BLOCK)
    sums = np.cumsum(to_host(xp.sum(blocks, axis=2, dtype=xp.float64)), axis=1)
    target = uniforms[:, None] * sums[:, -1:]
    block = np.sum(sums <= target, axis=1)
    row = np.arange(len(rows))
    inner = to_host(blocks[from_host(row, rows), from_host(block, rows)])
    reached = np.cumsum(inner, axis=1, dtype=np.float64)
    before = np.where(block > 0, sums[row, block - 1], 0.0)[:, None]
    # Where rounding leaves the target past the end of its block, the last token that has weight.
    return block * BLOCK + np.sum((before + reached <= target) & (reached < reached[:, -1:]), axis=1)
