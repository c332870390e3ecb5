"""What a mark's spec must be for this package to embed it; every refusal is one sentence.

The whole schema is the TypeScript core's (`src/marks/mark-spec.ts`). Files come from it, so what it would refuse is
found here only as far as embedding needs it.
"""

from __future__ import annotations

import re
from typing import Any

from .errors import TouchmarkError

SCHEMES = {
    "kgw": {"gamma", "delta", "seeding"},
    "unigram": {"gamma", "delta"},
    "synthid": {"depth"},
    "gumbel": set(),
}
"""Schemes that are supported, and the parameters that each may have."""

FIELDS = {
    "version",
    "scheme",
    "prf",
    "contextWidth",
    "channel",
    "layer",
    "deployment",
    "member",
    "share",
    "selector",
    "start",
    "epoch",
    "tokenizer",
    "commitment",
}
"""Fields of every spec; marks of the account layer have `code` too."""

HEX = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def check(where: str, field: str, holds: bool, message: str) -> None:
    """Raises with a sentence that names the place. Values are never quoted, since they may be secrets."""
    if not holds:
        raise TouchmarkError(f'{where}: field "{field}": {message}')


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_spec(spec: Any, where: str) -> None:
    """Raises unless `spec` is a MarkSpec of version 1 that this package embeds."""
    check(where, "spec", isinstance(spec, dict), "must be an object, a mark's spec")

    def holds(name: str, condition: bool, message: str) -> None:
        check(where, f"spec.{name}", condition, message)

    def one_of(name: str, *values: str) -> None:
        holds(name, spec.get(name) in values, "must be " + " or ".join(f'"{value}"' for value in values))

    known = set(spec) - {"code"} == FIELDS
    check(where, "spec", known, f"must have the fields {', '.join(sorted(FIELDS))}, and no others but code")
    holds("version", spec.get("version") == 1, "must be 1")
    one_of("channel", "shape", "choice")
    one_of("layer", "deployment", "cohort", "account")
    one_of("selector", "all", "keyed")
    one_of("start", "skip", "pad")
    named = spec.get("deployment")
    holds("deployment", isinstance(named, str) and bool(NAME.fullmatch(named)), "must be a name")
    holds("epoch", _whole(spec.get("epoch"), 0, 2**53 - 1), "must be an integer of 0 or more")
    _check_scheme(spec, holds)

    account = spec["layer"] == "account"
    member = spec.get("member")
    named = isinstance(member, str) and bool(NAME.fullmatch(member))
    holds(
        "member",
        named if spec["layer"] == "cohort" else member is None,
        "must name the cohort of a cohort layer",
    )
    holds(
        "code",
        account == ("code" in spec),
        "is needed in the account layer, and has no meaning in the others",
    )
    if account:
        code = spec["code"]
        holds("code", isinstance(code, dict), "must be an object")
        holds("code.symbols", code.get("symbols") in (2, 4, 8, 16), "must be 2, 4, 8 or 16")
        holds("code.positions", code.get("positions") in (64, 128, 256), "must be 64, 128 or 256")
        holds("code.groups", code.get("groups") in (None, 256, 4096, 65536), "must be 256, 4096 or 65536")
    if spec["layer"] == "cohort":
        shape = spec["channel"] == "shape" and spec["selector"] == "keyed"
        holds("layer", shape, "cohort is for shapes with a keyed share of contexts")
    whole = spec["selector"] == "all"
    least, most = (256, 256) if whole else (1, 255)
    holds("share", _whole(spec.get("share"), least, most), "must be 256 with selector all, 1 to 255 with keyed")
    for name in ("tokenizer", "commitment"):
        value = spec.get(name)
        holds(name, value is None or bool(HEX.fullmatch(str(value))), "must be 64 hexadecimal digits or null")


def _check_scheme(spec: dict[str, Any], holds: Any) -> None:
    scheme = spec.get("scheme")
    holds("scheme", isinstance(scheme, dict), "must be an object")
    name = scheme.get("name")
    supported = isinstance(name, str) and name in SCHEMES
    holds("scheme.name", supported, f"must be one that this package embeds: {', '.join(SCHEMES)}")
    own = spec.get("prf") == "chacha8-v1"
    holds("prf", own, "must be chacha8-v1; the generators of other systems are for those systems' own code")
    extra = set(scheme) - {"name"} - SCHEMES[name]
    if name == "synthid" and extra == {"weights"} and scheme["weights"] == "linear":
        extra = set()  # It says how a verifier scores.
    holds("scheme", not extra, f"has parameters that this package does not know for {name}")
    shape = name != "gumbel"
    holds(
        "channel",
        (spec["channel"] == "shape") == shape,
        f'must be "{"shape" if shape else "choice"}": as such this package embeds {name}',
    )
    width = spec.get("contextWidth")
    least, most = (0, 0) if name == "unigram" else (1, 16)
    holds("contextWidth", _whole(width, least, most), f"must be {least} to {most} for scheme {name}")
    if name == "synthid":
        holds("scheme.depth", _whole(scheme.get("depth"), 1, 32), "must be an integer from 1 to 32")
    elif shape:
        gamma, delta = scheme.get("gamma"), scheme.get("delta")
        listed = _number(gamma) and 0 < gamma < 1 and float(gamma * 256).is_integer()
        holds("scheme.gamma", listed, "must be a multiple of 1/256 between 0 and 1")
        holds("scheme.delta", _number(delta) and 0 < delta <= 20, "must be a number above 0, at most 20")
        holds(
            "scheme.seeding",
            scheme.get("seeding") in (None, "min"),
            'must be absent or "min": with "self" every id of a context takes a keystream of the whole vocabulary',
        )
