"""Runs vLLM's engine for test_vllm.py, in a process of its own: `python vllm_host.py PLAN OUT`.

The plan: {"engine": arguments of vLLM, "runs": [[{"id", "prompt", "params", "abort"?}, …], …]}. The requests of a run
are given together; `abort` is the number of steps after which the client leaves. OUT gets, for each request, its
token ids, why it ended, how many tokens of its prompt were cached, its log-probabilities, and how often anything was
preempted.

With "parts": vLLM 0.32 rewinds a request's own generator after each part of a prompt, which generators of a CPU refuse;
no request gets one then. The marks' randomness is not the engine's.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from vllm import EngineArgs, LLMEngine, SamplingParams
from vllm.sampling_params import RequestOutputKind
from vllm.v1.worker import gpu_model_runner


def run(engine: LLMEngine, requests: list[dict], number: int) -> list[dict]:
    found: dict[str, dict] = {}
    for request in requests:
        params = SamplingParams(**request["params"], output_kind=RequestOutputKind.FINAL_ONLY)
        engine.add_request(f"{number}/{request['id']}", {"prompt_token_ids": request["prompt"]}, params)
    steps = 0
    while engine.has_unfinished_requests():
        for output in engine.step():
            found[output.request_id] = {
                "cached": output.num_cached_tokens,
                "candidates": [
                    {
                        "tokens": list(one.token_ids),
                        "reason": one.finish_reason,
                        "logprobs": [step[one.token_ids[i]].logprob for i, step in enumerate(one.logprobs or [])],
                    }
                    for one in output.outputs
                ],
            }
        steps += 1
        engine.abort_request([f"{number}/{r['id']}" for r in requests if r.get("abort") == steps])
    return [found.get(f"{number}/{request['id']}", {"candidates": []}) | {"id": request["id"]} for request in requests]


if __name__ == "__main__":
    plan = json.loads(Path(sys.argv[1]).read_text())
    if plan.get("parts"):
        gpu_model_runner.SamplingType = SimpleNamespace(RANDOM_SEED=None)
    engine = LLMEngine.from_engine_args(EngineArgs(**plan["engine"]))
    results = [run(engine, requests, number) for number, requests in enumerate(plan["runs"])]
    metrics = engine.get_metrics() if plan.get("parts") else []
    preempted = sum(metric.value for metric in metrics if metric.name == "vllm:num_preemptions")
    Path(sys.argv[2]).write_text(json.dumps({"runs": results, "preempted": preempted}))
