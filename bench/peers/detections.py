"""Upstream's detectors, each as a function from token ids to what it says of them."""
import math

import numpy as np
import torch
import upstream


def log10(p):
    return math.log10(p) if p > 0 else None


def is_synthid(hf):
    return "keys" in hf


def kgw_settings(hf):
    """The arguments of WatermarkingConfig: the vocabulary size is the model's, and not among them."""
    return {key: value for key, value in hf.items() if key not in ("vocab_size", "watermarking_type")}


def kgw_detector(hf, unique):
    from transformers import PreTrainedConfig, WatermarkDetector, WatermarkingConfig

    # The detector drops a leading beginning-of-text token, 50256 for GPT-2's configuration; here there is none.
    model = PreTrainedConfig(bos_token_id=-1)
    model.vocab_size = hf["vocab_size"]
    return WatermarkDetector(
        model_config=model,
        device="cpu",
        watermarking_config=WatermarkingConfig(**kgw_settings(hf)),
        ignore_repeated_ngrams=unique,
    )


def kgw(hf):
    detectors = {"": kgw_detector(hf, False), "Unique": kgw_detector(hf, True)}

    def detect(tokens):
        said = {}
        for suffix, detector in detectors.items():
            result = detector(torch.tensor([tokens]), return_dict=True)
            said["scored" + suffix] = int(result.num_tokens_scored[0])
            said["green" + suffix] = int(result.num_green_tokens[0])
            said["z" + suffix] = float(result.z_score[0])
        return said

    return detect


def synthid_processor(hf):
    """transformers' processor, or google-deepmind/synthid-text's with "hash": "deepmind"."""
    if hf.get("hash") == "deepmind":
        logits_processing, _ = upstream.deepmind()
        return logits_processing.SynthIDLogitsProcessor(
            ngram_len=hf["ngram_len"],
            keys=hf["keys"],
            context_history_size=hf.get("context_history_size", 1024),
            temperature=1.0,
            top_k=hf.get("top_k", 2),
            device=torch.device("cpu"),
            apply_top_k="top_k" in hf,
        )
    from transformers import SynthIDTextWatermarkLogitsProcessor

    settings = {"sampling_table_size": 65536, "sampling_table_seed": 0, "context_history_size": 1024}
    settings |= {key: value for key, value in hf.items() if key not in ("hash", "vocab_size", "watermarking_type")}
    return SynthIDTextWatermarkLogitsProcessor(**settings, device=torch.device("cpu"))


def synthid_means(g, mask):
    """Mean and weighted mean of one text's g-values where the mask is set."""
    _, detector_mean = upstream.deepmind()
    import jax.numpy as jnp

    g, mask = jnp.asarray(g[None]), jnp.asarray(mask[None])
    return float(detector_mean.mean_score(g, mask)[0]), float(detector_mean.weighted_mean_score(g, mask)[0])


def synthid(hf):
    processor = synthid_processor(hf)

    def detect(tokens):
        ids = torch.tensor([tokens])
        g = processor.compute_g_values(ids)[0].numpy()
        mask = processor.compute_context_repetition_mask(ids)[0].numpy()
        mean, weighted = synthid_means(g, np.ones_like(mask))
        masked_mean, masked_weighted = synthid_means(g, mask)
        return {
            "gValues": ["".join(map(str, row)) for row in g.tolist()],
            "mean": mean,
            "weightedMean": weighted,
            "maskedMean": masked_mean,
            "maskedWeightedMean": masked_weighted,
        }

    return detect


def vllm_settings(config):
    """WatermarkConfig's arguments; the key is a decimal string in our files."""
    return config | {"key": int(config["key"])}


def vllm_sbw_settings(config):
    return {
        "key": int(config["key"]),
        "context_width": config.get("context_width"),
        "scheme": config.get("sbw_scheme", "selfhash"),
        "gamma": config.get("sbw_gamma", 0.5),
    }


def vllm_red_green_settings(config):
    return {
        "key": int(config["key"]),
        "context_width": config.get("context_width", 4),
        "gamma": config.get("gamma", 0.25),
    }


def vllm_detector(config):
    if config["algorithm"] == "red_green":
        return upstream.vllm_red_green().RedGreenWatermarkDetector(**vllm_red_green_settings(config))
    if config["algorithm"] == "sbw":
        return upstream.vllm_sbw().SBWWatermarkDetector(**vllm_sbw_settings(config))
    watermarking = upstream.vllm()
    from vllm.config.watermarking import WatermarkConfig

    parsed = WatermarkConfig(**vllm_settings(config))
    common = {"key": parsed.key, "context_width": parsed.context_width, "prf": parsed.prf}
    if parsed.algorithm == "gumbel":
        return watermarking.GumbelWatermarkDetector(**common)
    return watermarking.DualKeyGumbelWatermarkDetector(**common, alpha=parsed.alpha)


def vllm(config):
    detector = vllm_detector(config)

    def detect(tokens):
        result = detector.detect(tokens)
        return {"scored": result.num_scored_tokens, "score": result.score, "log10P": log10(result.p_value)}

    return detect


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


def numpy_synthid_means(hf, masked):
    """From a tensor of one text's ids to both means over transformers' g-values.

    The same two means as synthid-text's, which are JAX and pay more for their dispatch than for their work.
    """
    upstream.markllm()
    from watermark.synthid.detector import MeanDetector, WeightedMeanDetector

    processor = synthid_processor(hf)
    plain, weighted = MeanDetector(), WeightedMeanDetector()

    def score(ids):
        g = processor.compute_g_values(ids).numpy()
        mask = processor.compute_context_repetition_mask(ids).numpy() if masked else np.ones(g.shape[:2], dtype=bool)
        return {"mean": plain.detect(g, mask)[0], "weightedMean": weighted.detect(g, mask)[0]}

    return score


def three_bricks(scheme, h, vocab_size, seed=0, gamma=0.5):
    """From one text's ids to score and p-value, each n-gram with its token once (their method v2)."""
    wm = upstream.three_bricks()
    tokenizer = IdTokenizer(vocab_size)
    common = {"ngram": h, "seed": int(seed), "salt_key": 35317}
    if scheme == "gumbel":
        detector = wm.OpenaiDetector(tokenizer, **common)
    else:
        detector = wm.MarylandDetector(tokenizer, gamma=gamma, **common)

    def detect(ids):
        scores = detector.get_scores_by_t([ids], scoring_method="v2")
        return {"score": detector.aggregate_scores(scores, "sum")[0][0], "p": detector.get_pvalues(scores)[0][0]}

    return detect


def markllm(algorithm, vocab_size, overrides):
    """From a tensor of one text's ids to MarkLLM's answer."""
    AutoWatermark, TransformersConfig = upstream.markllm()
    mark = AutoWatermark.load(
        algorithm,
        str(upstream.HOME / "MarkLLM" / "config" / f"{algorithm}.json"),
        TransformersConfig(None, IdTokenizer(vocab_size), vocab_size, "cpu"),
        **overrides,
    )
    return mark.detect_watermark
