"""Marks with their keys, as `touchmark keys open --epoch N --out FILE` and `keys export --spec` write them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .derivation import commitment
from .errors import TouchmarkError
from .mark import Mark
from .spec import HEX, check, check_spec

FIELDS = {"format", "version", "spec", "key", "salt", "logged"}


def load_marks(path: str | os.PathLike[str]) -> list[Mark]:
    """Reads a file of opened marks, a list or a single one. The file holds secrets: mode 0600.

    raises TouchmarkError, one sentence, for a file that cannot be read or used; its contents are never quoted
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise TouchmarkError(f"{path}: cannot be read ({reason}); give a file of `touchmark keys open`") from None
    try:
        opened = json.loads(text)
    except json.JSONDecodeError as error:
        raise TouchmarkError(f"{path}: is not valid JSON (line {error.lineno})") from None
    if not isinstance(opened, list):
        return [bind_opened_mark(opened, str(path))]
    if not opened:
        raise TouchmarkError(f"{path}: holds no mark; give a file of `touchmark keys open`")
    return [bind_opened_mark(mark, f"{path}: mark {i + 1}") for i, mark in enumerate(opened)]


def bind_opened_mark(opened: Any, where: str) -> Mark:
    """Checks and binds one opened mark, parsed JSON.

    where: names it in errors
    raises TouchmarkError when it is not one, is not supported, or key and commitment do not belong together
    """
    form = isinstance(opened, dict) and opened.get("format") == "touchmark-opened-mark"
    if not form or opened.get("version") != 1:
        raise TouchmarkError(f"{where}: is not an opened mark of version 1; write it with `touchmark keys open`")
    if set(opened) != FIELDS:
        raise TouchmarkError(f"{where}: must have the fields {', '.join(sorted(FIELDS))} and no others")
    spec, key, salt = opened["spec"], opened["key"], opened["salt"]
    check_spec(spec, where)
    whole = isinstance(key, str) and bool(HEX.fullmatch(key))
    check(where, "key", whole, "must be 32 bytes in lower-case hexadecimal")
    salted = isinstance(salt, str) and bool(HEX.fullmatch(salt))
    check(where, "salt", salt is None or salted, "must be 64 hexadecimal digits or null")
    if spec["commitment"] is not None:
        opens = salted and commitment(bytes.fromhex(salt), bytes.fromhex(key), spec) == spec["commitment"]
        check(where, "key", opens, "does not open the commitment of this mark")
    return Mark(spec, bytes.fromhex(key))
