"""Test vectors made by running the upstream systems: test/vectors/NAME.json, one case a line.

    python bench/peers/make_vectors.py transformers-kgw transformers-synthid vllm-watermark deepmind-synthid three-bricks
    python bench/peers/make_vectors.py vllm-sbw vllm-red-green    # files of pull requests: see README.md

Without names it makes those of the first line (two minutes on one core). Everything is seeded: a second run writes the same bytes
with the same versions. README.md says how the environment is made. Half of the texts are drawn under the mark, so
that scores and tails are not only those of innocent text; all have repeated stretches and low ids, 0 among them.
"""
import hashlib
import json
import math
import random
import sys
from pathlib import Path

import detections
import numpy as np
import torch
import upstream
from detections import log10

VECTORS = Path(__file__).resolve().parents[2] / "test" / "vectors"
TORCH = torch.__version__.split("+")[0]
torch.set_num_threads(1)
torch.set_grad_enabled(False)


# ------------------------------------------------------------------------------------------------ writing and texts
def write(name, origin, lists):
    line = lambda value: json.dumps(value, separators=(",", ":"), allow_nan=False)
    parts = [f'"upstream":{line(origin)}', f'"command":"python bench/peers/make_vectors.py {name}"']
    parts += [f'"{key}":[\n' + ",\n".join(map(line, cases)) + "\n]" for key, cases in lists.items()]
    (VECTORS / f"{name}.json").write_text("{" + ",\n".join(parts) + "}\n")
    print(name, {key: len(cases) for key, cases in lists.items()}, file=sys.stderr)


def text(rng, vocabulary, draw=None):
    """20 to 60 ids: uniform ones, low ones (0 among them), and repeats of earlier stretches; or drawn under a mark."""
    length = rng.randint(20, 60)
    ids = []
    while len(ids) < length:
        kind = rng.random()
        if kind < 0.1:
            ids.append(rng.randrange(min(4, vocabulary)))
        elif kind < 0.15 and len(ids) > 6:
            begin = rng.randrange(len(ids) - 5)
            ids += ids[begin : begin + rng.randint(3, 8)]
        else:
            ids.append(draw(ids) if draw else rng.randrange(vocabulary))
    return ids[:length]


def vocabulary_of(rng, i):
    """Mostly small; two sizes of real models now and then."""
    if i % 24 == 11:
        return 32000
    if i % 40 == 17:
        return 50257
    return rng.choice([50, 64, 100, 257, 500, 1000, 1001, 2048, 4999, rng.randint(50, 5000)])


def logits_of(rng, vocabulary, digits=3):
    return [round(rng.gauss(0, 2), digits) for _ in range(vocabulary)]


# ----------------------------------------------------------------------------------------------- transformers: green
HASHING_KEYS = [15485863, 2, 10, 2**20, 2**40, 1, 7, 12345, 2**31 - 1, 2**32 + 15, 2**53 - 1, 4503599627370497, 1 << 52]


def kgw():
    from transformers import WatermarkLogitsProcessor

    def processor_of(hf):
        return WatermarkLogitsProcessor(device="cpu", **hf)

    rng = random.Random("transformers-kgw")
    numbers = np.random.default_rng(1)
    cases = []
    for i in range(260):
        vocabulary = vocabulary_of(rng, i)
        ratio = rng.choice([0.1, 0.25, 0.5])
        if i % 20 == 3:  # ratio times vocabulary is a whole number on paper, and below it in floating point
            vocabulary, ratio = rng.choice([(100, 0.29), (50, 0.58), (1000, 0.57), (200, 0.07)])
        hf = {
            "greenlist_ratio": ratio,
            "bias": 8.0,
            "hashing_key": rng.choice(HASHING_KEYS),
            "seeding_scheme": rng.choice(["lefthash", "selfhash"]),
            "context_width": rng.randint(1, 5),
            "vocab_size": vocabulary,
        }
        processor = processor_of(hf)

        def draw(ids):
            scores = torch.from_numpy(numbers.standard_normal((1, vocabulary)).astype(np.float32))
            return int(processor(torch.tensor([ids], dtype=torch.long), scores).argmax())

        marked = i % 2 == 0 and 64 <= vocabulary <= 1001 and hf["greenlist_ratio"] > 0.2
        tokens = text(rng, vocabulary, draw if marked else None)
        expect = detections.kgw(hf)(tokens)
        cases.append({"hf": hf, "tokens": tokens, "expect": expect})

    processed, skipped = [], []
    while len(processed) + len(skipped) < 76:
        i = len(processed) + len(skipped)
        scheme = "lefthash" if i % 9 < 5 else "selfhash"
        vocabulary = rng.randint(41, 200)
        hf = {
            "greenlist_ratio": rng.choice([0.1, 0.25, 0.5]),
            "bias": 2.0,
            "hashing_key": rng.choice(HASHING_KEYS),
            "seeding_scheme": scheme,
            "context_width": rng.randint(1, 5),
            "vocab_size": vocabulary,
        }
        width = hf["context_width"]
        length = rng.randint(1, width - 1) if i % 12 == 5 and width > 1 else rng.randint(width, width + 3)
        context = text(rng, vocabulary)[:length]
        scores = rng.sample(range(-4000, 4000), vocabulary)
        scores = [score / 500 for score in scores]
        before = torch.tensor([scores], dtype=torch.float32)
        try:
            after = processor_of(hf)(torch.tensor([context]), before)
        except IndexError:  # selfhash with no green id among the first 40: upstream fails
            continue
        green = torch.nonzero(after[0] != before[0]).flatten().tolist()
        case = {"hf": hf, "context": context, "scores": scores, "green": green}
        (processed if len(context) >= width else skipped).append(case)
    write(
        "transformers-kgw",
        {"package": "transformers", "version": upstream.version("transformers"), "torch": TORCH},
        # A context shorter than the width is not marked at all, though lefthash needs one id only.
        {"cases": cases, "processor": processed, "processorSkipped": skipped},
    )


# ---------------------------------------------------------------------------------------------- SynthID, both hashes
def synthid_cases(name, config_of, call, origin):
    rng = random.Random(name)

    def keys_of(depth):
        kind = rng.randrange(4)
        if kind == 0:
            return [rng.randrange(2**31, 2**53) for _ in range(depth)]
        if kind == 1:
            return [rng.randrange(2**32) for _ in range(depth)]
        return [rng.randrange(1000) for _ in range(depth)]

    cases = []
    for i in range(220):
        depth = rng.choice([1, 2, 4, 8, 8, 30])
        hf = config_of(rng, i, keys_of(depth), rng.randint(2, 6))
        vocabulary = rng.choice([50, 257, 2048, 32000, 50000])
        processor = detections.synthid_processor(hf)
        logits = torch.tensor([logits_of(rng, 50)])

        def draw(ids):
            # The token with the greatest share of the tournament among 50 random logits.
            return int(call(processor, torch.tensor([ids or [0]]), logits + torch.randn(1, 50, generator=noise)).argmax())

        noise = torch.Generator().manual_seed(i)
        tokens = text(rng, vocabulary, draw if i % 3 == 0 else None)
        expect = detections.synthid(hf)(tokens)
        cases.append({"hf": hf, "tokens": tokens, "expect": expect})

    def process(hf, generated, logits):
        """The state before the first token is all zeros; it then takes each generated id in turn."""
        processor = detections.synthid_processor(hf)
        values = torch.tensor([[-math.inf if value is None else value for value in logits]])
        for length in range(len(generated) + 1):
            result = call(processor, torch.tensor([generated[:length] or [0]]), values)
        lowest = -1e12 if hf.get("hash") == "deepmind" else torch.finfo(torch.float32).min
        floor = float(np.float32(lowest))
        return [None if value <= floor else value for value in result[0].tolist()]

    processed, starts, forbidden, repeats = [], [], [], []
    for i in range(66):
        depth = rng.choice([1, 2, 4, 8, 30])
        hf = config_of(rng, i, keys_of(depth), rng.randint(2, 6))
        vocabulary = rng.randint(8, 64)
        logits = logits_of(rng, vocabulary)
        needed = hf["ngram_len"] - 1
        length = rng.randint(needed, needed + 3)
        goal = processed
        if i >= 44:
            length = rng.randint(0, needed - 1)
            goal = starts
        generated = [rng.randrange(1, 50000) for _ in range(length)]
        if i % 5 == 0 and length:
            generated[0] = 0
        if 52 <= i < 58:
            goal = forbidden
            logits = [None if rng.random() < 0.4 else value for value in logits]
        if i >= 58:
            goal = repeats
            hf["context_history_size"] = 1024
            generated = [rng.randrange(1, 50000) for _ in range(needed)]
            generated = generated + [rng.randrange(50000)] + generated
        goal.append({"hf": hf, "context": generated, "logits": logits, "expect": {"logits": process(hf, generated, logits)}})
    write(
        name,
        origin,
        {
            "cases": cases,
            "processor": processed,
            # Fewer ids generated than the context needs: it begins with zeros, and the prompt is not in it.
            "processorStart": starts,
            # null: minus infinity in, the least value that upstream uses in its place out.
            "processorForbidden": forbidden,
            # The context occurred before: the scores are handed back as they came.
            "processorRepeated": repeats,
        },
    )


def synthid():
    def config_of(rng, i, keys, ngram_len):
        return {
            "ngram_len": ngram_len,
            "keys": keys,
            "sampling_table_size": rng.choice([65536, 65536, 1024, 1000, 4097, 65521]),
            "sampling_table_seed": rng.choice([0, 0, 2, 4, 7, 123456, 2**32 - 1]),
            "context_history_size": rng.choice([1, 4, 16]) if i % 8 == 1 else 1024,
        }

    synthid_cases(
        "transformers-synthid",
        config_of,
        lambda processor, ids, scores: processor(ids, scores),
        {
            "package": "transformers",
            "version": upstream.version("transformers"),
            "torch": TORCH,
            "means": "google-deepmind/synthid-text " + upstream.commit("synthid-text"),
        },
    )


def deepmind():
    def config_of(rng, i, keys, ngram_len):
        return {
            "hash": "deepmind",
            "ngram_len": ngram_len,
            "keys": keys,
            "context_history_size": rng.choice([1, 4, 16]) if i % 8 == 1 else 1024,
        }

    synthid_cases(
        "deepmind-synthid",
        config_of,
        lambda processor, ids, scores: processor.watermarked_call(ids, scores)[0],
        {
            "repository": "google-deepmind/synthid-text",
            "commit": upstream.commit("synthid-text"),
            "torch": TORCH,
        },
    )


# ------------------------------------------------------------------------------------------------------------- vLLM
def vllm_watermark():
    watermarking = upstream.vllm()
    from vllm.config.watermarking import WatermarkConfig, derive_watermark_key
    from vllm.v1.watermarking.prfs import philox

    rng = random.Random("vllm-watermark")
    numbers = np.random.default_rng(2)
    keys = lambda: rng.choice([0, 1, 42, 2**32 - 1, 2**32, 2**63, 2**64 - 1] + [rng.randrange(2**64) for _ in range(7)])
    widths = lambda: rng.choice([1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 12, 16])

    def config_of(dual):
        config = {"algorithm": "dual_key_gumbel" if dual else "gumbel", "key": keys(), "context_width": widths()}
        if dual:
            config["alpha"] = rng.choice([0.0, 0.1, 0.1, 0.25, 0.4, 0.5, 0.75, 0.9, 1.0, round(rng.random(), 3)])
        return config

    def padded(ids, width):
        return ([-1] * width + ids)[-width:]

    cases = []
    for i in range(440):
        config = config_of(i >= 220)
        watermarker = watermarking.create_watermarker(WatermarkConfig(**config))
        vocabulary = rng.choice([50, 257, 1000, 5000]) if i % 2 else rng.choice([50, 5000, 32000, 50257, 128256])

        def draw(ids):
            logits = torch.from_numpy(numbers.standard_normal((1, vocabulary)).astype(np.float32) * 2)
            context = torch.tensor([padded(ids, watermarker.context_width)])
            route = float(rng.random() < config.get("alpha", 0))
            return int(watermarker.sample(logits, context, lambda _logits: torch.tensor([route])).token_ids)

        tokens = text(rng, vocabulary, draw if i % 2 else None)
        written = config | {"key": str(config["key"]), "prf": "philox"}
        cases.append({"vllm": written, "tokens": tokens, "expect": detections.vllm(written)(tokens)})

    words = []
    uniform, philox.uint32_to_uniform = philox.uint32_to_uniform, lambda values: values
    for i in range(60):
        key, width = keys(), widths()
        context = [rng.randrange(-1, 128256) for _ in range(width)]
        context[: i % (width + 1)] = [-1] * (i % (width + 1))
        tokens = [0, 1, 2, 3, 4] + [rng.randrange(128256) for _ in range(5)]
        values = watermarking.PhiloxPRF(key).uniform(torch.tensor([context]), torch.tensor([tokens]))[0]
        words.append({"key": str(key), "context": context, "tokens": tokens, "word24": (values >> 8).tolist()})
    philox.uint32_to_uniform = uniform

    draws = []
    while len(draws) < 80:
        config = config_of(len(draws) >= 40)
        watermarker = watermarking.create_watermarker(WatermarkConfig(**config))
        vocabulary = rng.randint(20, 120)
        context = [rng.randrange(50000) for _ in range(config["context_width"])]
        context[: len(draws) % (len(context) + 1)] = [-1] * (len(draws) % (len(context) + 1))
        logits = logits_of(rng, vocabulary)
        route = None
        if "alpha" in config:
            route = int(rng.random() < 0.5) if 0 < config["alpha"] < 1 else int(config["alpha"])
        tensor, row = torch.tensor([logits]), torch.tensor([context])

        def drawn(values):
            return int(watermarker.sample(values, row, lambda _logits: torch.tensor([route])).token_ids)

        token = drawn(tensor)
        closer = tensor.clone()
        closer[0, token] -= 1e-3
        if drawn(closer) != token:  # a draw that the last bits of a logarithm could decide
            continue
        case = {"vllm": config | {"key": str(config["key"])}, "context": context, "logits": logits, "token": token}
        draws.append(case | ({} if route is None else {"route": "ab"[route]}))

    derived = []
    for _ in range(12):
        key = keys()
        a, b = (str(derive_watermark_key(key, domain)) for domain in (b"key_a", b"key_b"))
        derived.append({"key": str(key), "a": a, "b": b})
    write(
        "vllm-watermark",
        {"package": "vllm", "version": upstream.vllm_version(), "torch": TORCH},
        {"cases": cases, "words": words, "draw": draws, "derived": derived},
    )


def list_cases(name, config_of, bias, origin):
    """Texts and what the detector says of them; rows of logits before and after; green ids of a real vocabulary."""
    rng = random.Random(name)
    numbers = np.random.default_rng(3)

    def padded(ids, width):
        return ([-1] * width + ids)[-width:]

    cases = []
    for i in range(280):
        config = config_of(rng)
        vocabulary = rng.choice([50, 257, 1000, 5000]) if i % 2 else rng.choice([50, 5000, 32000, 50257, 128256])

        def draw(ids):
            logits = torch.from_numpy(numbers.standard_normal((1, vocabulary)).astype(np.float32))
            return int(bias(config, logits, padded(ids, config["context_width"])).argmax())

        tokens = text(rng, vocabulary, draw if i % 2 else None)
        cases.append({"vllm": config, "tokens": tokens, "expect": detections.vllm(config)(tokens)})

    processed = []
    for i in range(60):
        config = config_of(rng)
        width = config["context_width"]
        context = [rng.randrange(128256) for _ in range(width)]
        context[: i % (width + 1)] = [-1] * (i % (width + 1))
        logits = logits_of(rng, rng.randint(20, 300))
        after = bias(config, torch.tensor([logits]), context)
        after = [float(str(value)) for value in after.numpy()]
        processed.append({"vllm": config, "context": context, "logits": logits, "expect": after})
    # Too many green ids to write down: their number and SHA-256.
    wide = []
    for _ in range(6):
        config = config_of(rng)
        context = [rng.randrange(128256) for _ in range(config["context_width"])]
        green = torch.nonzero(bias(config, torch.zeros(1, 128256), context)).flatten().tolist()
        digest = hashlib.sha256(",".join(map(str, green)).encode()).hexdigest()
        wide.append({"vllm": config, "context": context, "vocab_size": 128256, "green": len(green), "sha256": digest})
    origin = {"repository": "vllm-project/vllm", **origin, "package": "vllm " + upstream.vllm_version(), "torch": TORCH}
    write(name, origin, {"cases": cases, "processor": processed, "processorWide": wide})


GAMMAS = [0.5, 0.5, 0.25, 0.25, 0.1, 0.3, 0.75, 0.9]


def vllm_sbw():
    sbw = upstream.vllm_sbw()
    # Odd and even ones; upstream fails from 2^63 on.
    fixed = [1, 2, 42, 15485863, 2**20, 2**32 - 1, 2**32, 2**52 - 1, 2**53 + 2, 2**63 - 1]

    def config_of(rng):
        return {
            "algorithm": "sbw",
            "key": str(rng.choice(fixed + [rng.randrange(1, 2**63) for _ in range(10)])),
            "context_width": rng.choice([1, 2, 3, 4, 4, 4, 5, 6, 8, 16]),
            "sbw_gamma": rng.choice(GAMMAS + [round(rng.uniform(0.02, 0.98), 4)]),
            "sbw_delta": rng.choice([2.0, 2.0, 0.5, 1.3, 4.0]),
        }

    def bias(config, logits, context):
        watermarker = sbw.SBWWatermarker(**detections.vllm_sbw_settings(config), delta=config["sbw_delta"])
        return watermarker.bias(logits, torch.tensor([context]), torch.tensor([config["sbw_delta"]]))[0]

    origin = {"pullRequest": 56859, "file": "vllm/v1/watermarking/sbw.py", "sha256": upstream.file_digest(sbw.__file__)}
    list_cases("vllm-sbw", config_of, bias, origin)


def vllm_red_green():
    red_green = upstream.vllm_red_green()

    def config_of(rng):
        return {
            "algorithm": "red_green",
            "key": str(rng.choice([0, 1, 42, 2**32, 2**63, 2**64 - 1] + [rng.randrange(2**64) for _ in range(7)])),
            "context_width": rng.choice([1, 2, 3, 4, 4, 4, 5, 6, 8, 16]),
            "gamma": rng.choice(GAMMAS + [round(rng.uniform(0.02, 0.98), 4)]),
            "delta": rng.choice([2.0, 2.0, 0.5, 1.3, 4.0]),
        }

    def bias(config, logits, context):
        settings = detections.vllm_red_green_settings(config)
        watermarker = red_green.RedGreenWatermarker(**settings, delta=config["delta"])
        return watermarker.watermark_logits(logits, torch.tensor([context]))[0]

    digest = upstream.file_digest(red_green.__file__)
    origin = {"commit": "381f94544575cafec2cd808be7d4948a632374e0", "file": "vllm/v1/watermarking/red_green.py", "sha256": digest}
    list_cases("vllm-red-green", config_of, bias, origin)


# ------------------------------------------------------------------------------------------------------ three_bricks
class Ids:
    """A tokenizer for texts that are ids already."""

    def __init__(self, vocab_size):
        self.vocab_size = vocab_size

    def encode(self, ids, add_special_tokens=False):
        return list(ids)


def three_bricks():
    wm = upstream.three_bricks()
    from types import SimpleNamespace

    rng = random.Random("three-bricks")
    numbers = np.random.default_rng(3)
    model = SimpleNamespace(config=SimpleNamespace(max_sequence_length=64, pad_token_id=-1, eos_token_id=-1))
    seeds = [0, 1, 42, 2**31, 2**32 + 5, 2**53 - 1]
    cases = []
    for i in range(440):
        vocabulary = vocabulary_of(rng, i)
        tokenizer = Ids(vocabulary)
        scheme = rng.choice(["gumbel", "kgw"])
        gamma = rng.choice([0.1, 0.25, 0.5]) if scheme == "kgw" else None
        h, seed = rng.randint(1, 5), rng.choice(seeds + [rng.randrange(2**32)])
        payload = rng.choice([0, 0, 1, vocabulary - 1, rng.randrange(vocabulary)])
        common = {"ngram": h, "seed": seed, "salt_key": 35317}
        if scheme == "gumbel":
            generator = wm.OpenaiGenerator(model, tokenizer, payload=payload, **common)
            detector = wm.OpenaiDetector(tokenizer, **common)
        else:
            generator = wm.MarylandGenerator(model, tokenizer, payload=payload, gamma=gamma, delta=3.0, **common)
            detector = wm.MarylandDetector(tokenizer, gamma=gamma, **common)

        def draw(ids):
            if len(ids) < h:
                return rng.randrange(vocabulary)
            torch.manual_seed(rng.randrange(2**31))
            logits = torch.from_numpy(numbers.standard_normal((1, vocabulary)).astype(np.float32) * 2)
            return int(generator.sample_next(logits, torch.tensor([ids[-h:]])))

        tokens = text(rng, vocabulary, draw if i % 2 and vocabulary <= 5000 else None)

        def scores_of(method):
            scores = detector.get_scores_by_t([tokens], scoring_method=method, payload_max=payload)
            column = [np.array([row[payload : payload + 1] for row in scores[0]])]
            p = float(detector.get_pvalues(column)[0][0])
            mean = float(detector.aggregate_scores(column)[0][0])
            total = float(column[0].sum(dtype=np.float64))  # of single-precision scores
            logarithm = None if math.isnan(p) else log10(p)
            summary = {"scored": len(column[0]), "sum": total, "mean": mean, "log10P": logarithm}
            return column[0][:, 0].tolist(), summary

        scores, expect = scores_of("none")
        expect["scores"] = [float(str(np.float32(score))) for score in scores]
        if scheme == "kgw":
            expect["scores"] = "".join(str(int(score)) for score in scores)
        # v1: a window once; v2: a window and its token once.
        expect["v1"], expect["v2"] = scores_of("v1")[1], scores_of("v2")[1]
        case = {"scheme": scheme, "h": h, "seed": str(seed), "salt": 35317, "vocab_size": vocabulary}
        case |= {"gamma": gamma} if gamma else {}
        cases.append(case | {"tokens": tokens, "payload": payload, "expect": expect})
    write(
        "three-bricks",
        {"repository": "facebookresearch/three_bricks", "commit": upstream.commit("three_bricks"), "torch": TORCH},
        {"cases": cases},
    )


MAKERS = {
    "transformers-kgw": kgw,
    "transformers-synthid": synthid,
    "vllm-watermark": vllm_watermark,
    "vllm-sbw": vllm_sbw,
    "vllm-red-green": vllm_red_green,
    "deepmind-synthid": deepmind,
    "three-bricks": three_bricks,
}

if __name__ == "__main__":
    released = [name for name in MAKERS if name not in ("vllm-sbw", "vllm-red-green")]
    for chosen in sys.argv[1:] or released:
        MAKERS[chosen]()
