"""Everything that the TypeScript SDK computes, to the bit: `test/vectors/fleet.json`, which its own tests keep true."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from touchmark import Generation, Marker, bind_opened_mark
from touchmark.chacha8 import ChaCha8

VECTORS = json.loads((Path(__file__).parents[3] / "test/vectors/fleet.json").read_text())
LOGITS = ChaCha8(hashlib.sha256(b"touchmark fleet vectors: logits").digest())


def fixed_logits(session: int, step: int, row: int, vocab_size: int, span: float) -> np.ndarray:
    """Words of a keystream after (session, step, row), evenly from 0 to `span`; every 17th word of all is −inf."""
    words = LOGITS.fields(np.array([[session, step, row]], np.uint32), 32, vocab_size)[0].view(np.uint32)
    return np.where(words % 17 == 0, -np.inf, words / 2**32 * span).astype(np.float32)


@pytest.mark.parametrize("case", VECTORS["prf"]["cases"], ids=lambda c: f"{len(c['context'])}x{c['bits']}")
def test_fields(case: dict[str, Any]) -> None:
    prf, bits = ChaCha8(bytes.fromhex(VECTORS["prf"]["key"])), case["bits"]
    context = np.array([case["context"]], np.uint32)
    first = prf.fields(np.repeat(context, 3, axis=0), bits, len(case["first"]))
    assert first.shape == (3, len(case["first"]))
    for row in first:
        assert (row.view(np.uint32) if bits == 32 else row).tolist() == case["first"]
    assert prf.fields_at(context, np.array([case["tokens"]]), bits)[0].tolist() == case["fields"]


@pytest.mark.parametrize("at", range(len(VECTORS["marks"])))
def test_ids_selectors_and_codes(at: int) -> None:
    mark, expected = bind_opened_mark(VECTORS["marks"][at], "vectors"), VECTORS["bound"][at]
    assert mark.id == expected["id"]
    contexts = np.array(expected["contexts"], np.uint32).reshape(len(expected["contexts"]), mark.width)
    assert mark.covers(contexts).tolist() == expected["covered"]
    assert (mark.code is not None) == ("positions" in expected)
    if mark.code is not None:
        assert mark.code.position(contexts).tolist() == expected["positions"]
        for codeword in expected["codewords"]:
            assert bytes(mark.code.codeword(codeword["name"])).hex() == codeword["word"]
        symbols = np.array([0, 1, mark.code.symbols - 1])
        assert mark.code.turn(symbols).tolist() == expected["turns"]


def begin(marker: Marker, request: dict[str, Any]) -> Generation:
    options = {name: value for name, value in request.items() if name != "sampling"}
    for ours, theirs in (("temperature", "temperature"), ("top_k", "topK"), ("top_p", "topP")):
        if theirs in request.get("sampling", {}):
            options[ours] = request["sampling"][theirs]
    return marker.start(**options)


@pytest.mark.parametrize("at", range(len(VECTORS["sessions"])))
def test_sessions(at: int) -> None:
    check_session(at)


def check_session(at: int, given_as: Callable[[np.ndarray], Any] = np.asarray) -> None:
    """Runs a session; its logits are handed over as `given_as` makes them."""
    session = VECTORS["sessions"][at]
    marks = [bind_opened_mark(VECTORS["marks"][i], f"mark {i}") for i in session["marks"]]
    marker = Marker(marks, session["vocabSize"], session["specialTokens"], session["unkeyedShare"])
    generations = [begin(marker, request) for request in session["requests"]]
    generations += [generations[0].fork() for _ in range(session["forks"])]
    for step in range(session["steps"]):
        if session.get("segmentAt", {}).get("step") == step:
            for generation in generations:
                generation.segment("tool-call", session["segmentAt"]["marked"])
        logits = [fixed_logits(at, step, row, session["vocabSize"], session["span"]) for row in range(len(generations))]
        marker.step(generations, given_as(np.stack(logits)))
    for generation, answer in zip(generations, session["answers"], strict=True):
        assert generation.tokens == answer["tokens"]
        receipt = generation.finish()
        salted = bytes.fromhex(receipt.pop("salt")) + np.array(generation.tokens, "<u4").tobytes()
        assert receipt.pop("outputHash") == hashlib.sha256(salted).hexdigest()
        del receipt["time"]
        assert receipt == answer["receipt"]
