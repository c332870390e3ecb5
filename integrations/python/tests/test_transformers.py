"""A real model (models/teacher) under transformers' own `generate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_vectors import VECTORS

from touchmark import Marker, TouchmarkError, bind_opened_mark

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
transformers = pytest.importorskip("transformers")
from touchmark.transformers import MarkingProcessor, generate  # noqa: E402

ROOT = Path(__file__).parents[3]
TEACHER = ROOT / "models/teacher"
END, COMMA = 0, 12
SHAPE, CHOICE, ACCOUNT, FARMS = (bind_opened_mark(mark, "vectors") for mark in VECTORS["marks"][:4])


@pytest.fixture(scope="module")
def model() -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(TEACHER, dtype=torch.float32)


@pytest.fixture(scope="module")
def inputs() -> Any:
    tokenizer = transformers.AutoTokenizer.from_pretrained(TEACHER)
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
    return tokenizer(["It was the best of times, it was", "The", "She said that he"], return_tensors="pt", padding=True)


def marker() -> Marker:
    return Marker([SHAPE, CHOICE, ACCOUNT, FARMS], 2048, [END])


def test_the_model_gives_the_logits_of_the_typescript_forward_pass(model: Any) -> None:
    golden = json.loads((ROOT / "test/vectors/teacher-logits.json").read_text())
    for case in golden["cases"]:
        with torch.no_grad():
            logits = model(torch.tensor([case["ids"]])).logits[0]
        for recorded in case["positions"]:
            kept = logits[recorded["position"], :: golden["stride"]]
            assert torch.allclose(kept, torch.tensor(recorded["logits"]), rtol=0, atol=1e-4)


REQUESTS = [
    {"temperature": 0.8, "account": "p1", "seed": "one"},
    {"temperature": 1.2, "top_k": 40, "top_p": 0.9, "cohort": "farms", "seed": "two"},
    {"temperature": 0, "seed": "three"},
]


def test_tokens_are_those_of_a_marker_that_sees_the_same_logits(model: Any, inputs: Any) -> None:
    """Rows of unequal prompts, two candidates each, warpers after the processor, rows that end before others."""
    processor = MarkingProcessor(marker(), REQUESTS, COMMA, END, candidates=2)
    output = model.generate(
        **inputs,
        max_new_tokens=100,
        do_sample=True,
        temperature=0.3,
        top_k=3,
        top_p=0.5,
        num_return_sequences=2,
        eos_token_id=COMMA,
        pad_token_id=END,
        logits_processor=[processor],
        output_logits=True,
        return_dict_in_generate=True,
    )
    receipts = processor.finish(output.sequences)
    assert [receipt["id"].endswith("/1") for receipt in receipts] == [False, True] * 3
    assert len({receipt["tokens"] for receipt in receipts}) > 1
    assert [receipt["temperature"] for receipt in receipts] == [0.8, 0.8, 1.2, 1.2, 0, 0]
    width, again = inputs["input_ids"].shape[1], marker()
    generations = []
    for prompt, request in zip(inputs["input_ids"].tolist(), REQUESTS, strict=True):
        first = again.start(prompt=prompt, **request)
        generations += [first, first.fork()]
    for step, logits in enumerate(output.logits):
        rows = [row for row, receipt in enumerate(receipts) if step < receipt["tokens"]]
        again.step([generations[row] for row in rows], logits[rows])
    for row, (generation, receipt) in enumerate(zip(generations, receipts, strict=True)):
        text = output.sequences[row, width:].tolist()
        assert text[: receipt["tokens"]] == generation.tokens
        assert set(text[receipt["tokens"] :]) <= {END}
        assert receipt["segments"] == generation.finish()["segments"]


def test_generate_ends_rows_at_stop_strings_and_counts_what_was_emitted(model: Any, inputs: Any) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(TEACHER)
    pad = 1
    one = marker()
    for seed in ("a", "b"):
        requests = [{"seed": f"{seed}{row}", "account": "p1"} for row in range(3)]
        sequences, receipts = generate(
            model, one, requests, **inputs, max_new_tokens=60, stop_strings=[","], tokenizer=tokenizer, pad_token_id=pad
        )
        for row, receipt in zip(sequences[:, inputs["input_ids"].shape[1] :].tolist(), receipts, strict=True):
            emitted, rest = row[: receipt["tokens"]], row[receipt["tokens"] :]
            assert rest == [pad] * len(rest)
            assert emitted[-1] == END or "," in tokenizer.decode(emitted[-1]) or len(emitted) == 60
            assert receipt["segments"][0]["tokens"] == len(emitted)
        assert len({receipt["tokens"] for receipt in receipts}) > 1


def test_what_a_request_leaves_out_is_the_generation_config_s(model: Any, inputs: Any) -> None:
    config = transformers.GenerationConfig(temperature=0.5, top_k=0, top_p=0.9, max_new_tokens=8, eos_token_id=END)
    requests = [{"seed": "s"}, {"seed": "s", "temperature": 0.7}, {"seed": "s", "temperature": 0}]
    sequences, receipts = generate(model, marker(), requests, **inputs, generation_config=config)
    assert [receipt["temperature"] for receipt in receipts] == [0.5, 0.7, 0]
    assert sequences.shape[1] == inputs["input_ids"].shape[1] + 8
    assert (config.temperature, config.top_p) == (0.5, 0.9)
    whole = [{**request, "top_p": 0.9} for request in ({**requests[0], "temperature": 0.5}, *requests[1:])]
    again, _ = generate(model, marker(), whole, **inputs, max_new_tokens=8)
    assert torch.equal(again, sequences)


@pytest.mark.parametrize(
    ("requests", "options", "sentence"),
    [
        ([{}], {}, "the batch has 3 rows; 1 requests with 1 candidates each need 1"),
        ([{}] * 3, {"num_beams": 2}, "num_beams is not supported"),
        ([{}] * 3, {"min_p": 0.1}, "min_p is not supported"),
        ([{}] * 3, {"temperature": 0.5}, "temperature is an option of each request"),
        ([{"cohort": "nobody"}] * 3, {}, 'no mark of this marker is cohort "nobody"'),
    ],
)
def test_refusals(model: Any, inputs: Any, requests: Any, options: Any, sentence: str) -> None:
    with pytest.raises(TouchmarkError, match=sentence):
        generate(model, marker(), requests, **inputs, max_new_tokens=5, **options)


def test_the_processor_alone_notices_beams(model: Any, inputs: Any) -> None:
    processor = MarkingProcessor(marker(), [{}] * 3, END, END, candidates=2)
    options = {"max_new_tokens": 20, "num_beams": 2, "do_sample": False, "logits_processor": [processor]}
    with pytest.raises(TouchmarkError, match="leave num_beams at 1"):
        processor.finish(model.generate(**inputs, **options))
