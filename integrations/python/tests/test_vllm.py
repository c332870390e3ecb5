"""vLLM's own engine on a CPU and a real model (models/teacher), with the marks of a new key ring."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if importlib.util.find_spec("vllm") is None:
    pytest.skip("vllm is not installed", allow_module_level=True)

ROOT = Path(__file__).parents[3]
CLI = ROOT / "dist/cli/main.js"
TOKENIZER = ROOT / "models/teacher/tokenizer.json"
ENGINE = {
    "model": str(ROOT / "models/teacher"),
    "logits_processors": ["touchmark.vllm:TouchmarkLogitsProcessor"],
    "dtype": "float32",
    "max_model_len": 128,
    "enforce_eager": True,
}
PROMPT = [(37 * i) % 1900 + 100 for i in range(40)]
"""Longer than a block of the cache and than the parts in which the narrow engine computes it."""


def touchmark(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(["node", str(CLI), *arguments, "--json"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not CLI.exists():
        pytest.skip("dist is not built: npm run build")
    path = tmp_path_factory.mktemp("vllm")
    touchmark(path, "keys", "create", "--unsealed", "--account-layer", "--keyring", "ring.json")
    touchmark(path, "accounts", "add", "ann", "bob", "cid", "--keyring", "ring.json", "--accounts", "accounts.jsonl")
    touchmark(path, "keys", "commit", "--keyring", "ring.json", "--log", "log")
    touchmark(path, "keys", "open", "--epoch", "0", "--keyring", "ring.json", "--out", "marks.json")
    return path


@pytest.fixture(scope="module")
def pseudonyms(folder: Path) -> list[str]:
    exported = touchmark(folder, "accounts", "export", "--keyring", "ring.json", "--accounts", "accounts.jsonl")
    return [line["account"] for line in exported]


def request(name: str, prompt: list[int] = PROMPT, abort: int | None = None, **params: Any) -> dict[str, Any]:
    extra = {"touchmark_id": name, **params.pop("extra_args", {})}
    params = {"temperature": 1.0, "max_tokens": 60, "seed": 1, "ignore_eos": True, **params, "extra_args": extra}
    return {"id": name, "prompt": prompt, "params": params, "abort": abort}


def requests_of(pseudonyms: list[str], run: int, seed: int = 0) -> list[dict[str, Any]]:
    """Requests of all kinds; lengths such that rows are emptied, filled again and moved."""
    ann = {"touchmark_account": pseudonyms[0]}
    some = [
        request("plain", max_tokens=60, seed=11 + seed),
        request("short", PROMPT[:9], max_tokens=7, temperature=0.8, seed=12 + seed),
        request("cut", top_k=40, top_p=0.9, max_tokens=50, seed=13 + seed, logprobs=0),
        request("account", extra_args=ann, max_tokens=60, seed=14 + seed),
        request("greedy", temperature=0, max_tokens=30),
        request("penal", PROMPT[:20], repetition_penalty=1.3, min_p=0.02, seed=15 + seed),
        request("unmarked", extra_args={"touchmark_marked": False}, max_tokens=40, seed=16 + seed),
        request("stop", PROMPT[:5], ignore_eos=False, stop=["e"], max_tokens=60, seed=17 + seed),
        request("late", PROMPT[3:], max_tokens=33, seed=18 + seed),
    ]
    for one in some:
        one["id"] = one["params"]["extra_args"]["touchmark_id"] = f"{one['id']}/{run}"
    return some


class Host:
    """An engine that has run a plan, and what it left."""

    def __init__(self, folder: Path, name: str, plan: dict[str, Any], **environment: str):
        self.path = folder / f"{name}-receipts.jsonl"
        (folder / f"{name}.json").write_text(json.dumps(plan))
        out = folder / f"{name}-out.json"
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("vllm_host.py")), str(folder / f"{name}.json"), str(out)],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT / "integrations/python/src"),
                "VLLM_HOST_IP": "127.0.0.1",
                "TOUCHMARK_MARKS": str(folder / "marks.json"),
                "TOUCHMARK_RECEIPTS": str(self.path),
                "VLLM_USE_V2_MODEL_RUNNER": "0",
                "VLLM_CPU_KVCACHE_SPACE": "1",
                "VLLM_LOGGING_LEVEL": "ERROR",
                "VLLM_NO_USAGE_STATS": "1",
                "HF_HUB_OFFLINE": "1",
                **environment,
            },
            capture_output=True,
            text=True,
        )
        self.log = done.stderr + done.stdout
        assert done.returncode == 0, self.log[-4000:]
        self.results = json.loads(out.read_text())
        self.receipts = {line["id"]: line for line in map(json.loads, self.path.read_text().splitlines())}

    def tokens(self, run: int) -> list[list[int]]:
        """Of each request the ids, those of its first candidate; none of one whose client has left."""
        return [found["candidates"][0]["tokens"] if found["candidates"] else [] for found in self.results["runs"][run]]


@pytest.fixture(scope="module")
def narrow(folder: Path, pseudonyms: list[str]) -> Host:
    """Prompts in parts, few rows, a cache so small that requests are preempted; one process. Runs: all together, each
    alone, all together with one that leaves."""
    engine = {
        **ENGINE,
        "max_num_seqs": 5,
        "max_num_batched_tokens": 16,
        "block_size": 32,
        "num_gpu_blocks_override": 7,
        "enable_prefix_caching": True,
        "async_scheduling": False,
        "disable_log_stats": False,
    }
    alone = [[one] for one in requests_of(pseudonyms, 1)]
    last = requests_of(pseudonyms, 2)
    last[0]["abort"] = 25
    plan = {"engine": engine, "runs": [requests_of(pseudonyms, 0), *alone, last], "parts": True}
    return Host(folder, "narrow", plan, VLLM_ENABLE_V1_MULTIPROCESSING="0")


@pytest.fixture(scope="module")
def wide(folder: Path, pseudonyms: list[str]) -> Host:
    """The engine core in a process of its own, steps scheduled ahead, no prefix cache. Runs: all together, candidates,
    answers of two accounts."""
    engine = {**ENGINE, "max_num_seqs": 16, "enable_prefix_caching": False, "async_scheduling": True}
    candidates = [request("three", n=3, seed=5)]
    served = [
        request(
            f"{who}-{i}", PROMPT[i : i + 8], max_tokens=110, seed=100 * w + i, extra_args={"touchmark_account": name}
        )
        for w, (who, name) in enumerate([("ann", pseudonyms[0]), ("bob", pseudonyms[1])])
        for i in range(12)
    ]
    plan = {"engine": engine, "runs": [requests_of(pseudonyms, 0), candidates, served]}
    return Host(folder, "wide", plan)


def test_rows_that_come_leave_and_move_give_what_single_calls_give(narrow: Host) -> None:
    """Prompts in parts, prefixes out of the cache, and preemption: none of it changes a token."""
    singles = [narrow.tokens(1 + i)[0] for i in range(9)]
    assert narrow.results["preempted"] > 0
    assert narrow.results["runs"][3][0]["cached"] == 32
    for together, alone in zip(narrow.tokens(0), singles, strict=True):
        assert together == alone


def test_another_engine_with_other_scheduling_gives_the_same(narrow: Host, wide: Host) -> None:
    assert wide.tokens(0) == narrow.tokens(0)


def test_a_client_that_leaves_has_a_receipt_and_disturbs_nobody(narrow: Host) -> None:
    assert narrow.tokens(10)[1:] == narrow.tokens(0)[1:]
    left = narrow.receipts["plain/2"]
    assert left["status"] == "aborted" and 0 < left["tokens"] < 60


@pytest.mark.parametrize("host", ["narrow", "wide"])
def test_each_answer_leaves_one_receipt_of_its_tokens(host: str, request: pytest.FixtureRequest) -> None:
    found: Host = request.getfixturevalue(host)
    assert len(found.path.read_text().splitlines()) == len(found.receipts)
    for result in (result for run in found.results["runs"] for result in run):
        for i, candidate in enumerate(result["candidates"]):
            name = result["id"] if i == 0 else f"{result['id']}/{i}"
            if name.startswith("greedy"):
                assert name not in found.receipts
            elif name != "plain/2":
                receipt, ids = found.receipts[name], np.array(candidate["tokens"], "<u4").tobytes()
                assert (name, receipt["status"]) == (name, "finished")
                assert (name, receipt["tokens"]) == (name, len(candidate["tokens"]))
                assert receipt["outputHash"] == hashlib.sha256(bytes.fromhex(receipt["salt"]) + ids).hexdigest()


def test_counts_of_a_receipt(narrow: Host) -> None:
    (segment,) = narrow.receipts["account/0"]["segments"]
    assert segment["tilted"] == 59 and 35 < segment["keyed"] <= 56
    (segment,) = narrow.receipts["unmarked/0"]["segments"]
    assert segment == {"reason": "answer", "marked": False, "tokens": 40, "tilted": 0, "keyed": 0}
    assert narrow.receipts["short/0"]["temperature"] == 0.8


def test_log_probabilities_are_those_of_the_model(narrow: Host) -> None:
    """The mark would leave one token of probability 1."""
    (cut,) = narrow.results["runs"][3][0]["candidates"]
    assert -8 < float(np.mean(cut["logprobs"])) < -0.5


def test_candidates_draw_from_no_context_twice(wide: Host) -> None:
    candidates = [one["tokens"] for one in wide.results["runs"][1][0]["candidates"]]
    assert len({tuple(tokens) for tokens in candidates}) == 3
    assert {"three", "three/1", "three/2"} <= set(wide.receipts)


def test_the_text_is_found_traced_and_logged(folder: Path, pseudonyms: list[str], wide: Host) -> None:
    answers = wide.tokens(2)
    (folder / "served.jsonl").write_text("".join(f"{json.dumps(tokens)}\n" for tokens in answers))
    (folder / "ann.jsonl").write_text("".join(f"{json.dumps(tokens)}\n" for tokens in answers[:12]))
    found = touchmark(folder, "detect", "--tokens", "served.jsonl", "--keyring", "ring.json")
    assert sum(one["log10P"] < -3 for one in found) >= 20
    (folder / "names.jsonl").write_text("".join(f"{json.dumps({'account': name})}\n" for name in pseudonyms))
    (traced,) = touchmark(
        folder, "trace", "ann.jsonl", "--tokens", "--keyring", "ring.json", "--accounts", "names.jsonl"
    )
    assert [one["account"] for one in traced["accounts"] if one["log10P"] < -6] == pseudonyms[:1]
    touchmark(folder, "log", "append", str(wide.path), "--log", "log", "--keyring", "ring.json")
    (audit,) = touchmark(folder, "log", "audit", "--log", "log")
    assert audit["consistent"] and audit["receipts"] == len(wide.receipts)


def test_requests_are_refused_in_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    from touchmark.vllm import TouchmarkLogitsProcessor
    from touchmark.vllm_options import marks_of_environment, options_of

    monkeypatch.setenv("TOUCHMARK_MARKS", str(folder / "marks.json"))
    marks_of_environment.cache_clear()

    def refused(**params: Any) -> str:
        with pytest.raises(ValueError) as error:
            TouchmarkLogitsProcessor.validate_params(SamplingParams(**params))
        return str(error.value)

    TouchmarkLogitsProcessor.validate_params(SamplingParams())
    TouchmarkLogitsProcessor.validate_params(SamplingParams(n=2, extra_args={"touchmark_id": "a"}))
    assert "touchmark_key is unknown" in refused(extra_args={"touchmark_key": "00"})
    assert "true or false" in refused(extra_args={"touchmark_marked": "maybe"})
    assert "string of 1 to 256" in refused(extra_args={"touchmark_account": 7})
    assert "no mark of this marker is cohort" in refused(extra_args={"touchmark_cohort": "farms"})
    assert "needs touchmark_id" in refused(n=2)
    structured = SamplingParams(structured_outputs=StructuredOutputsParams(json_object=True))
    assert not options_of(structured)["marked"]


def test_the_engine_refuses_drafts(folder: Path) -> None:
    engine = {**ENGINE, "speculative_config": {"method": "ngram", "num_speculative_tokens": 2}}
    with pytest.raises(AssertionError, match="not supported when speculative decoding is enabled"):
        Host(folder, "drafts", {"engine": engine, "runs": []}, VLLM_ENABLE_V1_MULTIPROCESSING="0")
