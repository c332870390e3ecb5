"""What differs between NumPy and torch where the same work is done by either.

Everything else in the package is written with operators and with functions that both have under one name.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

Array = Any
"""A NumPy array or a torch tensor."""


def namespace(x: Array) -> ModuleType:
    """The library that an array belongs to."""
    if isinstance(x, np.ndarray):
        return np
    import torch

    return torch


def from_host(x: np.ndarray, like: Array) -> Array:
    """A NumPy array where `like` is."""
    if isinstance(like, np.ndarray):
        return x
    return namespace(like).from_numpy(np.ascontiguousarray(x)).to(like.device)


def nearest(x: Array) -> Array:
    """NumPy's array where values are on the host, where it is the faster of both; as it is on an accelerator."""
    if isinstance(x, np.ndarray) or x.device.type != "cpu":
        return x
    return x.detach().float().numpy()


def to_host(x: Array) -> np.ndarray:
    """An array as NumPy's, copied only where it has to be."""
    return x if isinstance(x, np.ndarray) else x.detach().cpu().numpy()


def cast(x: Array, dtype: str) -> Array:
    """An array of another type, `float64` for instance."""
    return x.astype(dtype) if isinstance(x, np.ndarray) else x.to(getattr(namespace(x), dtype))


def contiguous(x: Array) -> Array:
    """An array whose values lie one after another, copied only where they do not."""
    return np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x.contiguous()


ROWS_AT_ONCE = 1 << 20
"""Values of rows that are worked on together on the host: what is computed from them should not leave the cache."""


def rows_at_once(rows: Array) -> int:
    """How many rows to work on together; on an accelerator, all."""
    return max(1, ROWS_AT_ONCE // rows.shape[1]) if isinstance(rows, np.ndarray) else len(rows)


def keep_freed_memory() -> None:
    """Lets glibc keep memory that arrays leave: it does once it has seen a block of this size go. Otherwise every
    array of a vocabulary is fresh memory, which costs several times what is computed in it.
    """
    np.empty(31 << 20, np.uint8)


def picked(mask: Array, *of: Array) -> tuple[np.ndarray, ...]:
    """Rows and columns where a mask holds, in order, and the values of arrays there, on the host."""
    at = namespace(mask).where(mask.reshape(-1))[0]
    where = to_host(at)
    return (where // mask.shape[1], where % mask.shape[1], *(to_host(x.reshape(-1)[at]) for x in of))


def padded(rows: Array, multiple: int) -> Array:
    """Rows with zeros at their ends, as long as a multiple of something."""
    missing = -rows.shape[1] % multiple
    if isinstance(rows, np.ndarray):
        return np.pad(rows, ((0, 0), (0, missing)))
    return namespace(rows).nn.functional.pad(rows, (0, missing))


def kth_largest(rows: Array, k: int) -> Array:
    """The k-th largest of each row, [n, 1]."""
    if isinstance(rows, np.ndarray):
        at = rows.shape[1] - k
        return np.partition(rows, at, axis=1)[:, at : at + 1]
    return rows.topk(k, dim=1).values[:, -1:]


def descending(rows: Array) -> Array:
    """Each row from its largest value to its smallest."""
    if isinstance(rows, np.ndarray):
        return np.sort(rows, axis=1)[:, ::-1]
    return rows.sort(dim=1, descending=True).values
