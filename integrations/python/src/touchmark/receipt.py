"""What a response leaves behind: version 1 of the receipt of the TypeScript core, plain data, without the text."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np


def salted_hash(tokens: Sequence[int]) -> dict[str, str]:
    """A salt, and SHA-256 of salt and token ids (32-bit little-endian), both hexadecimal."""
    salt = os.urandom(16)
    ids = np.array(tokens, "<u4").tobytes()
    return {"salt": salt.hex(), "outputHash": hashlib.sha256(salt + ids).hexdigest()}


def now() -> str:
    """The time as ISO 8601 with milliseconds, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def new_segment(reason: str, marked: bool, choice: str | None) -> dict[str, Any]:
    """A stretch of a response under one policy: its tokens, those that a shape tilted, those that a key drew."""
    segment = {"reason": reason, "marked": marked, "tokens": 0, "tilted": 0, "keyed": 0}
    return segment if choice is None else {**segment, "choice": choice}
