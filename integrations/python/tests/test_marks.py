"""Files of opened marks, and what a marker refuses."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_vectors import VECTORS

from touchmark import Marker, TouchmarkError, bind_opened_mark, load_marks

MARKS = VECTORS["marks"]
LISTS, CHOICE, ACCOUNT, COHORT = (MARKS[i] for i in (5, 1, 2, 3))


def test_reads_a_list_and_a_single_mark_and_shows_no_key(tmp_path: Path) -> None:
    many, one = tmp_path / "epoch.json", tmp_path / "mark.json"
    many.write_text(json.dumps(MARKS))
    one.write_text(json.dumps(LISTS))
    marks = load_marks(many)
    assert [mark.id for mark in marks] == [bound["id"] for bound in VECTORS["bound"]]
    assert [mark.id for mark in load_marks(one)] == [VECTORS["bound"][5]["id"]]
    shown = repr(marks) + repr([vars(mark) for mark in marks])
    for mark in MARKS:
        assert mark["key"] not in shown and str(bytes.fromhex(mark["key"])) not in shown
    assert repr(marks[5]).startswith("<Mark ")


def test_a_fraction_in_a_spec_is_written_as_ecmascript_writes_it() -> None:
    spelled = copy.deepcopy(LISTS)
    spelled["spec"]["scheme"]["delta"] = 2.0
    assert bind_opened_mark(spelled, "x").id == VECTORS["bound"][5]["id"]


def changed(mark: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(mark)
    *parents, last = path.split(".")
    inner = result
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    return result


@pytest.mark.parametrize(
    ("opened", "sentence"),
    [
        ([], "is not an opened mark of version 1"),
        (changed(LISTS, "format", "touchmark-keyring"), "is not an opened mark of version 1"),
        (changed(LISTS, "more", 1), "must have the fields format, key, logged, salt, spec, version and no others"),
        (changed(LISTS, "key", "0" * 64), 'field "key": does not open the commitment'),
        (changed(LISTS, "key", "0" * 16), 'field "key": must be 32 bytes'),
        (changed(LISTS, "salt", None), 'field "key": does not open the commitment'),
        (changed(LISTS, "spec.epoch", 1), 'field "key": does not open the commitment'),
        (changed(LISTS, "spec.prf", "philox4x32-10-v1"), 'field "spec.prf": must be chacha8-v1'),
        (changed(LISTS, "spec.scheme.name", "adfp"), 'field "spec.scheme.name": must be one that this package embeds'),
        (changed(LISTS, "spec.scheme.seeding", "self"), 'field "spec.scheme.seeding": must be absent or "min"'),
        (changed(LISTS, "spec.scheme.gamma", 0.3), 'field "spec.scheme.gamma": must be a multiple of 1/256'),
        (changed(LISTS, "spec.scheme.vocabSize", 9), 'field "spec.scheme": has parameters'),
        (changed(LISTS, "spec.contextWidth", 0), 'field "spec.contextWidth": must be 1 to 16'),
        (changed(LISTS, "spec.more", 3), 'field "spec": must have the fields'),
        (
            {**LISTS, "spec": {k: v for k, v in LISTS["spec"].items() if k != "commitment"}},
            'field "spec": must have the fields',
        ),
        (changed(LISTS, "spec.share", 3), 'field "spec.share"'),
        (changed(CHOICE, "spec.channel", "shape"), 'field "spec.channel": must be "choice"'),
        (changed(ACCOUNT, "spec.code.symbols", 3), 'field "spec.code.symbols"'),
        (changed(ACCOUNT, "spec.layer", "deployment"), 'field "spec.code"'),
        (changed(COHORT, "spec.member", None), 'field "spec.member"'),
    ],
)
def test_refuses_in_one_sentence_that_holds_no_key(opened: Any, sentence: str) -> None:
    with pytest.raises(TouchmarkError) as caught:
        bind_opened_mark(opened, "file.json")
    message = str(caught.value)
    assert message.startswith("file.json: ") and "\n" not in message
    assert sentence in message
    assert not isinstance(opened, dict) or opened["key"] not in message


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"\xff", "cannot be read (it is not UTF-8)"),
        (b'{"key": "0123', "is not valid JSON (line 1)"),
        (b"[]", "holds no mark"),
        (b"[3]", "mark 1: is not an opened mark"),
    ],
)
def test_refuses_files(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    file = tmp_path / "marks.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TouchmarkError) as caught:
        load_marks(file)
    assert sentence in str(caught.value) and "0123" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"account": "a"}, "an account is given, but this marker has no mark of the account layer"),
        ({"cohort": "farms"}, 'no mark of this marker is cohort "farms"'),
        ({"temperature": -1}, "temperature must be from 0 to 100"),
        ({"temperature": float("nan")}, "temperature must be from 0 to 100"),
        ({"top_k": 0}, "top_k must be an integer of 1 or more"),
        ({"top_p": 0}, "top_p must be above 0 and at most 1"),
        ({"prompt": [1, 9]}, "prompt token 9 at position 1 is outside the vocabulary of 9"),
        ({"choice": "on"}, 'choice must be "off"'),
    ],
)
def test_requests_that_are_refused(options: dict[str, Any], sentence: str) -> None:
    marker = Marker([bind_opened_mark(CHOICE, "x")], 9)
    with pytest.raises(TouchmarkError) as caught:
        marker.start(id="r", **options)
    assert f'request "r": {sentence}' in str(caught.value)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ([0, np.nan, 0], 'logits of request "b" hold NaN or +inf'),
        ([0, np.inf, 0], 'logits of request "b" hold NaN or +inf'),
        ([-np.inf] * 3, 'logits of request "b" exclude every token'),
        ([0, 0], "logits have the shape"),
    ],
)
def test_logits_that_are_refused_advance_nobody(row: list[float], sentence: str) -> None:
    marker = Marker([], 3)
    a, b = marker.start(id="a", seed="s"), marker.start(id="b", seed="s")
    with pytest.raises(TouchmarkError, match=sentence.replace("+", r"\+")):
        marker.step([a, b], np.array([[0.0] * len(row), row]))
    assert a.tokens == b.tokens == []
    assert marker.step([a], np.zeros((1, 3))) == marker.step([b], np.zeros((1, 3)))


def test_a_temperature_too_small_for_the_logits_is_refused() -> None:
    marker = Marker([], 3)
    with pytest.raises(TouchmarkError, match="too large for its temperature"):
        marker.step([marker.start(temperature=1e-39)], np.array([[1.0, 0.0, -1.0]]))


def test_one_row_a_request_and_two_ends_are_refused() -> None:
    marker = Marker([], 3)
    a = marker.start(id="a")
    with pytest.raises(TouchmarkError, match="twice"):
        marker.step([a, a], np.zeros((2, 3)))
    a.finish()
    for again in (a.finish, a.abort, lambda: marker.step([a], np.zeros((1, 3)))):
        with pytest.raises(TouchmarkError, match='request "a" has ended already'):
            again()


def test_taking_back_restores_boundary_and_counts() -> None:
    """Greedy, so that no randomness is used; a special token in between moves the boundary and is taken back too."""
    marker = Marker([bind_opened_mark(LISTS, "x")], 4, special_tokens=[2])
    a = marker.start(temperature=0)

    def say(token: int) -> None:
        marker.step([a], np.where(np.arange(4) == token, 50.0, 0.0)[None])

    for token in (1, 3, 2, 1, 1):
        say(token)
    assert (a.tokens, a.boundary, a.segments[0]["tilted"]) == ([1, 3, 2, 1, 1], 3, 3)
    a.retract(4)
    assert (a.tokens, a.boundary, a.segments[0]["tokens"], a.segments[0]["tilted"]) == ([1], 0, 1, 0)
    with pytest.raises(TouchmarkError, match="cannot be taken back"):
        a.retract(2)
    a.segment("tool-call", False)
    say(1)
    assert [segment["tokens"] for segment in a.finish()["segments"]] == [1, 1]
