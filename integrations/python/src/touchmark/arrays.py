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


def to_host(x: Array) -> np.ndarray:
    """An array as NumPy's, copied only where it has to be."""
    return x if isinstance(x, np.ndarray) else x.detach().cpu().numpy()


def cast(x: Array, dtype: str) -> Array:
    """An array of another type, `float64` for instance."""
    return x.astype(dtype) if isinstance(x, np.ndarray) else x.to(getattr(namespace(x), dtype))


def contiguous(x: Array) -> Array:
    """An array whose values lie one after another, copied only where they do not."""
    return np.ascontiguousarray(x) if isinstance(x, np.ndarray) else x.contiguous()


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
