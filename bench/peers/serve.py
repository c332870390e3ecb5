"""Times upstream's code on demand, so that one bench can interleave it with ours.

JSON lines on standard input and output, in a process that stays:

    {"op":"setup","id":"x","case":"transformers-kgw-detect","hf":{...},"tokens":[[...],...]}
        -> {"id":"x","ready":true,"versions":{...},"first":{...}}
    {"op":"run","id":"x"}
        -> {"id":"x","seconds":S,"tokens":N}
    {"op":"drop","id":"x"}
        -> {"id":"x","dropped":true}

A failure answers {"id":"x","error":"..."}. One thread. Constructing detectors, reading the request and one warm-up are
outside the time; what upstream keeps from run to run (its cache of n-grams) is emptied before each. `first` is what
the upstream detector said of the first text, so that a caller can see that it asked for the right thing; with
"all":true in the setup, `all` is what it said of each text.

Cases that detect take `tokens`, a list of texts; a run scores each of them, `tokens` of the answer counts their ids.

    transformers-kgw-detect      hf: WatermarkingConfig and vocab_size; unique (ignore_repeated_ngrams, default false)
    transformers-synthid-detect  hf: SynthIDTextWatermarkingConfig; g-values and both means over every
    deepmind-synthid-detect      n-gram, or over first occurrences of a context with "mask":true (a loop upstream)
    vllm-gumbel-detect           vllm: WatermarkConfig
    vllm-dual-detect
    three-bricks-detect          scheme gumbel or kgw, h, seed, vocab_size, gamma
    markllm-kgw-detect           vocab_size, config (overrides of MarkLLM's own file); texts are ids already, so no
    markllm-unigram-detect       time goes into a tokenizer
    markllm-exp-detect
    markllm-synthid-detect

Cases that process logits take `tokens` too, each list an answer that grows by an id a step; a run makes one call per
id, and `tokens` of the answer counts the calls. The logits are `logits`, a list of rows used in turn, or else normal
ones of `vocab_size` from `seed`, times `scale` (default 2).

    transformers-kgw-process     hf
    transformers-synthid-process hf; over as many candidates as the rows are wide (upstream does not select any)
    deepmind-synthid-process     hf, with "top_k": the candidates are selected within the call
    vllm-gumbel-sample           vllm; draws the token (no top-k, no context deduplication)
"""
import json
import os
import sys
import time

# Upstream code that prints must not disturb the protocol.
answers, sys.stdout = sys.stdout, sys.stderr
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import detections
import torch
import upstream

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.set_grad_enabled(False)


def numbers(result):
    """The plain numbers among what a detector said."""
    fields = result if isinstance(result, dict) else vars(result)
    return {
        name: float(value.item() if hasattr(value, "item") else value)
        for name, value in fields.items()
        if isinstance(value, (int, float)) or getattr(value, "size", 0) == 1
    }


def kgw_detect(request):
    detector = detections.kgw_detector(request["hf"], request.get("unique", False))
    texts = [torch.tensor([ids]) for ids in request["tokens"]]
    return (
        lambda: [detector(text, return_dict=True) for text in texts],
        detector._get_ngram_score_cached.cache_clear,
        ("transformers", "torch"),
    )


def synthid_detect(request):
    score = detections.numpy_synthid_means(request["hf"], request.get("mask", False))
    texts = [torch.tensor([ids]) for ids in request["tokens"]]
    package = "synthid-text" if request["hf"].get("hash") == "deepmind" else "transformers"
    return lambda: [score(text) for text in texts], None, (package, "torch", "MarkLLM")


def vllm_detect(request):
    detector = detections.vllm_detector(request["vllm"])
    return lambda: [detector.detect(ids) for ids in request["tokens"]], None, ("vllm", "torch")


def three_bricks_detect(request):
    named = {name: request[name] for name in ("seed", "gamma") if name in request}
    detect = detections.three_bricks(request["scheme"], request["h"], request["vocab_size"], **named)
    return lambda: [detect(ids) for ids in request["tokens"]], None, ("three_bricks", "torch")


def markllm_detect(algorithm):
    def prepare(request):
        detect = detections.markllm(algorithm, request["vocab_size"], request.get("config", {}))
        texts = [torch.tensor([ids]) for ids in request["tokens"]]
        return lambda: [detect(text) for text in texts], None, ("MarkLLM", "torch")

    return prepare


def rows_of(request):
    if "logits" in request:
        return [torch.tensor([row], dtype=torch.float32) for row in request["logits"]]
    width = request["vocab_size"] if "vocab_size" in request else request["hf"]["vocab_size"]
    generator = torch.Generator().manual_seed(request.get("seed", 0))
    scale = request.get("scale", 2)
    return [scale * torch.randn((1, width), generator=generator) for _ in range(4)]


def process(request, call, start, versions):
    """A call for each id of each list, as a generating loop makes them."""
    rows = rows_of(request)
    steps = [[torch.tensor([ids[:length]]) for length in range(1, len(ids) + 1)] for ids in request["tokens"]]

    def run():
        results = []
        for answer in steps:
            state = start()
            for i, ids in enumerate(answer):
                results.append(call(state, ids, rows[i % len(rows)]))
        return results[:1]

    return run, None, versions


def kgw_process(request):
    from transformers import WatermarkLogitsProcessor

    width = rows_of(request)[0].shape[1]
    settings = detections.kgw_settings(request["hf"])
    processor = WatermarkLogitsProcessor(vocab_size=width, device="cpu", **settings)
    call = lambda state, ids, row: state(ids, row)
    return process(request, call, lambda: processor, ("transformers", "torch"))


def synthid_process(request):
    processor = detections.synthid_processor(request["hf"])
    deepmind = request["hf"].get("hash") == "deepmind"

    def start():
        processor.state = None  # a new answer
        return processor

    call = lambda state, ids, row: (state.watermarked_call if deepmind else state)(ids, row)
    return process(request, call, start, ("synthid-text" if deepmind else "transformers", "torch"))


def vllm_sample(request):
    watermarking = upstream.vllm()
    from vllm.config.watermarking import WatermarkConfig

    watermarker = watermarking.create_watermarker(WatermarkConfig(**detections.vllm_settings(request["vllm"])))
    width = watermarker.context_width
    padding = torch.full((1, width), -1)

    def call(state, ids, row):
        context = torch.cat([padding, ids], dim=1)[:, -width:]
        return state.sample(row, context).token_ids

    return process(request, call, lambda: watermarker, ("vllm", "torch"))


CASES = {
    "transformers-kgw-detect": kgw_detect,
    "transformers-synthid-detect": synthid_detect,
    "deepmind-synthid-detect": synthid_detect,
    "vllm-gumbel-detect": vllm_detect,
    "vllm-dual-detect": vllm_detect,
    "three-bricks-detect": three_bricks_detect,
    "markllm-kgw-detect": markllm_detect("KGW"),
    "markllm-unigram-detect": markllm_detect("Unigram"),
    "markllm-exp-detect": markllm_detect("EXP"),
    "markllm-synthid-detect": markllm_detect("SynthID"),
    "transformers-kgw-process": kgw_process,
    "transformers-synthid-process": synthid_process,
    "deepmind-synthid-process": synthid_process,
    "vllm-gumbel-sample": vllm_sample,
}


def answer(request, prepared):
    name, op = request["id"], request["op"]
    if op == "setup":
        run, before, packages = CASES[request["case"]](request)
        results = run()  # warm-up
        prepared[name] = (run, before, sum(map(len, request["tokens"])))
        said = {"first": numbers(results[0])} if request["case"].endswith("-detect") else {}
        if request.get("all"):
            said["all"] = [numbers(result) for result in results]
        return {"ready": True, "versions": {package: upstream.version_of(package) for package in packages}} | said
    if op == "run":
        run, before, tokens = prepared[name]
        if before:
            before()
        begun = time.perf_counter()
        run()
        return {"seconds": time.perf_counter() - begun, "tokens": tokens}
    if op == "drop":
        del prepared[name]
        return {"dropped": True}
    raise ValueError(f"no op {op}")


def main():
    prepared = {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            said = answer(request, prepared)
        except Exception as error:  # whatever upstream raises is the answer
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": request["id"]} | said), file=answers, flush=True)


if __name__ == "__main__":
    main()
