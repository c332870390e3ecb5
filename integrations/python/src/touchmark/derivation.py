"""Keys of a mark's second purposes, canonical JSON, commitments: byte for byte what the TypeScript core computes."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any


def subkey(key: bytes, purpose: str) -> bytes:
    """HKDF-SHA-256 (RFC 5869) without a salt: 32 bytes for `selector`, `order`, `positions`, `codebook` or `groups`."""
    extracted = hmac.digest(bytes(32), key, "sha256")
    return hmac.digest(extracted, f"touchmark/v1/{purpose}".encode() + b"\x01", "sha256")


def canonical(value: Any) -> str:
    """RFC 8785 for what specs hold: ASCII names, and numbers from 10^-6 to 10^21."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{canonical(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")
    return json.dumps(value, ensure_ascii=False)


def mark_id(spec: dict[str, Any]) -> str:
    """SHA-256 of the canonical spec, commitment included, hexadecimal."""
    return hashlib.sha256(canonical(spec).encode()).hexdigest()


def commitment(salt: bytes, key: bytes, spec: dict[str, Any]) -> str:
    """The commitment of a mark's key, hexadecimal: SHA-256 of domain, salt, SHA-256 of the template, and key."""
    template = {name: value for name, value in spec.items() if name != "commitment"}
    subject = hashlib.sha256(canonical(template).encode()).digest()
    return hashlib.sha256(b"touchmark/v1/commitment\0" + salt + subject + key).hexdigest()
