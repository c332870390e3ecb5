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
the upstream detector said of the first text, so that a caller can see that it asked for the right thing.

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


class IdTokenizer:
    """Texts are tensors of ids, shaped as a tokenizer returns them."""

    eos_token_id = -1

    def __init__(self, vocab_size):
        self.vocab_size = vocab_size

    def __len__(self):
        return self.vocab_size

    def __call__(self, ids, **_named):
        return {"input_ids": ids}

    def encode(self, ids, **_named):
        return ids


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
    import numpy

    upstream.markllm()
    # The same two means as synthid-text's, which are JAX and pay more for their dispatch than for their work.
    from watermark.synthid.detector import MeanDetector, WeightedMeanDetector

    processor = detections.synthid_processor(request["hf"])
    texts = [torch.tensor([ids]) for ids in request["tokens"]]
    masked = request.get("mask", False)
    plain, weighted = MeanDetector(), WeightedMeanDetector()

    def score(ids):
        g = processor.compute_g_values(ids).numpy()
        mask = processor.compute_context_repetition_mask(ids).numpy() if masked else numpy.ones(g.shape[:2], dtype=bool)
        return {"mean": plain.detect(g, mask)[0], "weightedMean": weighted.detect(g, mask)[0]}

    package = "synthid-text" if request["hf"].get("hash") == "deepmind" else "transformers"
    return lambda: [score(text) for text in texts], None, (package, "torch", "MarkLLM")


def vllm_detect(request):
    detector = detections.vllm_detector(request["vllm"])
    return lambda: [detector.detect(ids) for ids in request["tokens"]], None, ("vllm", "torch")


def three_bricks_detect(request):
    wm = upstream.three_bricks()
    tokenizer = IdTokenizer(request["vocab_size"])
    common = {"ngram": request["h"], "seed": int(request.get("seed", 0)), "salt_key": 35317}
    if request["scheme"] == "gumbel":
        detector = wm.OpenaiDetector(tokenizer, **common)
    else:
        detector = wm.MarylandDetector(tokenizer, gamma=request.get("gamma", 0.5), **common)

    def detect(ids):
        scores = detector.get_scores_by_t([ids], scoring_method="v2")
        return {"score": detector.aggregate_scores(scores, "sum")[0][0], "p": detector.get_pvalues(scores)[0][0]}

    return lambda: [detect(ids) for ids in request["tokens"]], None, ("three_bricks", "torch")


def markllm_detect(algorithm):
    def prepare(request):
        AutoWatermark, TransformersConfig = upstream.markllm()
        tokenizer = IdTokenizer(request["vocab_size"])
        mark = AutoWatermark.load(
            algorithm,
            str(upstream.HOME / "MarkLLM" / "config" / f"{algorithm}.json"),
            TransformersConfig(None, tokenizer, request["vocab_size"], "cpu"),
            **request.get("config", {}),
        )
        texts = [torch.tensor([ids]) for ids in request["tokens"]]
        return lambda: [mark.detect_watermark(text) for text in texts], None, ("MarkLLM", "torch")

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


def version(name):
    if name == "vllm":
        return upstream.vllm_version()
    if name in ("MarkLLM", "synthid-text", "three_bricks"):
        return upstream.commit(name)
    return upstream.version(name)


def answer(request, prepared):
    name, op = request["id"], request["op"]
    if op == "setup":
        run, before, packages = CASES[request["case"]](request)
        first = run()[0]  # warm-up
        prepared[name] = (run, before, sum(map(len, request["tokens"])))
        said = {"first": numbers(first)} if request["case"].endswith("-detect") else {}
        return {"ready": True, "versions": {package: version(package) for package in packages}} | said
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
