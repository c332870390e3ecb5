"""Scans a corpus as one would in Python: a pool of processes, Hugging Face's tokenizers (Rust), upstream's detectors.

    python bench/peers/scan.py --detector vllm-gumbel --tokenizer tokenizer.json corpus.jsonl
    python bench/peers/scan.py --detector transformers-kgw --config '{"vocab_size":32000}' --tokens tokens.jsonl

Prints one JSON object:

    {"name","records","tokens","bytes","seconds","startup","processes","versions":{...}}

`seconds` is from the first record read to the last one scored. `startup` is before it: interpreters, imports, the
tokenizer, the detector and one warm-up in each process. Each process reads its own ranges of the file, so nothing is
sent between processes but counts. A corpus is a JSONL file of texts (field `text`, or --text-field); with --tokens,
lines are arrays of ids, or objects with a field `tokens`. Records too short for a detector are read and counted.

Detectors, and what --config takes for each (vocab_size: by default the tokenizer's, or 32,000):

    none                     tokenization (or reading) alone
    transformers-kgw         WatermarkingConfig and vocab_size; WatermarkDetector, every n-gram once
    transformers-synthid     SynthIDTextWatermarkingConfig; g-values of transformers, both means of MarkLLM
    vllm-gumbel              WatermarkConfig
    vllm-dual
    three-bricks-gumbel      h, vocab_size, seed, gamma
    three-bricks-kgw
    markllm-kgw              vocab_size, config (overrides of MarkLLM's own file)
    markllm-exp
"""
import argparse
import json
import multiprocessing
import os
import sys
import threading
import time
from pathlib import Path

begun = time.perf_counter()
# A process is one core's worth.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

# Bytes that a process takes at a time: many to a file, so that both end together.
RANGE = 1 << 18
HF_KGW = {
    "greenlist_ratio": 0.25,
    "bias": 2.0,
    "hashing_key": 15485863,
    "seeding_scheme": "lefthash",
    "context_width": 1,
    "vocab_size": 32_000,
}
HF_SYNTHID = {"ngram_len": 5, "keys": [11 + 31 * i for i in range(30)]}
VLLM = {"key": "42", "context_width": 4}


def tensor_of(ids):
    import torch

    return torch.tensor([ids])


def none(_config):
    return lambda ids: None, 0, ()


def transformers_kgw(config):
    import detections

    hf = HF_KGW | config
    detector = detections.kgw_detector(hf, unique=True)
    shortest = hf["context_width"] + 1
    return lambda ids: detector(tensor_of(ids), return_dict=True), shortest, ("transformers", "torch")


def transformers_synthid(config):
    import detections

    hf = HF_SYNTHID | config
    score = detections.numpy_synthid_means(hf, masked=False)
    return lambda ids: score(tensor_of(ids)), hf["ngram_len"], ("transformers", "torch", "MarkLLM")


def vllm(algorithm):
    def prepare(config):
        import detections

        config = {name: value for name, value in config.items() if name != "vocab_size"}
        detector = detections.vllm_detector(VLLM | {"algorithm": algorithm} | config)
        return detector.detect, 1, ("vllm", "torch")

    return prepare


def three_bricks(scheme):
    def prepare(config):
        import detections

        settings = {"h": 4 if scheme == "gumbel" else 1, "vocab_size": 32_000} | config
        return detections.three_bricks(scheme, **settings), settings["h"] + 1, ("three_bricks", "torch")

    return prepare


def markllm(algorithm):
    def prepare(config):
        import detections

        detect = detections.markllm(algorithm, config.get("vocab_size", 32_000), config.get("config", {}))
        # Its EXP and KGW look four and one ids back.
        return lambda ids: detect(tensor_of(ids)), 6, ("MarkLLM", "torch")

    return prepare


DETECTORS = {
    "none": none,
    "transformers-kgw": transformers_kgw,
    "transformers-synthid": transformers_synthid,
    "vllm-gumbel": vllm("gumbel"),
    "vllm-dual": vllm("dual_key_gumbel"),
    "three-bricks-gumbel": three_bricks("gumbel"),
    "three-bricks-kgw": three_bricks("kgw"),
    "markllm-kgw": markllm("KGW"),
    "markllm-exp": markllm("EXP"),
}

# What each process keeps, by `prepare`.
state = {}


def prepare(options, ready):
    try:
        get_ready(options)
    except BaseException:
        ready.abort()  # the pool would start another process, for ever
        raise
    ready.wait()


def get_ready(options):
    config = options.config
    if options.tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(options.tokenizer))
        tokenizer.encode_batch_fast(["one text to begin with"], add_special_tokens=False)
        state["tokenizer"] = tokenizer
        config = {"vocab_size": tokenizer.get_vocab_size()} | config
    if options.detector != "none":
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
    detect, shortest, packages = DETECTORS[options.detector](config)
    detect(list(range(1, 33)))
    packages = (*packages, "tokenizers") if options.tokenizer else packages
    state.update(options=options, detect=detect, shortest=shortest, packages=packages)


def records_of(lines):
    """Ids of each record of some lines."""
    options = state["options"]
    records = [json.loads(line) for line in lines if line.strip()]
    if options.tokens:
        return [record["tokens"] if isinstance(record, dict) else record for record in records]
    texts = [record[options.text_field] for record in records]
    return [text.ids for text in state["tokenizer"].encode_batch_fast(texts, add_special_tokens=False)]


def scan(span):
    """Scans the lines that begin within a range of the file: how many records, and how many ids."""
    first, end = span
    with state["options"].corpus.open("rb") as file:
        file.seek(max(0, first - 1))
        if first > 0:
            file.readline()  # the line that began before
        lines = []
        while file.tell() < end and (line := file.readline()):
            lines.append(line)
    count = 0
    tokens = 0
    for ids in records_of(lines):
        if len(ids) >= state["shortest"]:
            state["detect"](ids)
        count += 1
        tokens += len(ids)
    return count, tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detector", choices=DETECTORS, required=True)
    parser.add_argument("--config", type=json.loads, default={}, help="JSON")
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json")
    parser.add_argument("--tokens", action="store_true", help="lines are token ids")
    parser.add_argument("--text-field", default="text")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--bytes", type=int, help="only lines that begin within the first so many bytes")
    parser.add_argument("corpus", type=Path)
    options = parser.parse_args()
    if not options.tokens and not options.tokenizer:
        parser.error("texts need --tokenizer; ids are --tokens")
    size = min(options.corpus.stat().st_size, options.bytes or sys.maxsize)
    step = max(1, min(RANGE, size // (8 * options.processes)))
    spans = [(at, min(size, at + step)) for at in range(0, size, step)]

    # Processes of their own from the start: a fork of one that has used torch can hang.
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(options.processes + 1)
    with context.Pool(options.processes, prepare, (options, ready)) as pool:
        try:
            ready.wait()
        except threading.BrokenBarrierError:
            raise SystemExit("a process could not get ready: see above") from None
        startup = time.perf_counter() - begun
        from_here = time.perf_counter()
        counts = list(pool.imap_unordered(scan, spans))
        seconds = time.perf_counter() - from_here
        packages = pool.apply(packages_here)
    print(
        json.dumps(
            {
                "name": options.detector,
                "records": sum(count for count, _ in counts),
                "tokens": sum(tokens for _, tokens in counts),
                "bytes": size,
                "seconds": seconds,
                "startup": startup,
                "processes": options.processes,
                "versions": packages,
            }
        )
    )


def packages_here():
    import upstream

    return {package: upstream.version_of(package) for package in state["packages"]}


if __name__ == "__main__":
    main()
