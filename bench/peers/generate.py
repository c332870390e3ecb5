"""Texts marked by upstream's own generation code, for our detector to find.

    python bench/peers/generate.py --hf CONFIG.json   --out tokens.jsonl [--count 8 --tokens 200 --vocab-size 2048]
    python bench/peers/generate.py --vllm CONFIG.json --out tokens.jsonl ...

The model is a GPT-2 of two small layers with random weights, so its texts mean nothing; what is tested is that a mark
put in by the other side is read here. One JSON array of token ids a line: the answer, without the prompt.

--hf takes WatermarkingConfig's or SynthIDTextWatermarkingConfig's fields and goes through model.generate();
--vllm takes WatermarkConfig's and draws with vLLM's watermarker on the CPU, contexts and repeated contexts as its
sampler has them. dual_key_gumbel routes between its keys by a seeded coin. --no-mark generates without either.
"""
import argparse
import json
from pathlib import Path

import detections
import torch
import upstream


def tiny_model(vocab_size, seed):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=vocab_size,
        n_positions=2048,
        n_embd=64,
        n_layer=2,
        n_head=2,
        initializer_range=0.4,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    return GPT2LMHeadModel(config).eval()


def with_transformers(model, config, prompts, options):
    from transformers import SynthIDTextWatermarkingConfig, WatermarkingConfig

    marking = None
    if config is not None:
        fields = {key: value for key, value in config.items() if key not in ("vocab_size", "hash", "watermarking_type")}
        marking = SynthIDTextWatermarkingConfig(**fields) if detections.is_synthid(config) else WatermarkingConfig(**fields)
    texts = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        watermarking_config=marking,
        do_sample=True,
        temperature=options.temperature,
        top_k=options.top_k,
        max_new_tokens=options.tokens,
        min_new_tokens=options.tokens,
    )
    return texts[:, prompts.shape[1] :].tolist()


def with_vllm(model, config, prompts, options):
    watermarking = upstream.vllm()
    repeated_context_mask = upstream.vllm_repeated_context_mask()
    from vllm.config.watermarking import WatermarkConfig

    parsed = WatermarkConfig(**detections.vllm_settings(config))
    watermarker = watermarking.create_watermarker(parsed)
    width, scope = parsed.context_width, parsed.deduplicate_contexts
    draw = lambda logits: torch.multinomial(torch.softmax(logits, dim=-1), 1)[:, 0]
    rows = torch.arange(len(prompts))
    lengths = torch.full((len(prompts),), prompts.shape[1])
    ids = prompts
    for made in range(options.tokens):
        logits = model(ids, use_cache=False).logits[:, -1] / options.temperature
        if options.top_k:
            logits = logits.masked_fill(logits < logits.topk(options.top_k).values[:, -1:], -torch.inf)
        answer = torch.cat([torch.full((len(ids), width), -1), ids[:, prompts.shape[1] :]], dim=1)
        contexts, skip = answer[:, -width:], None
        if scope != "none":
            skip = repeated_context_mask(
                ids,
                rows,
                lengths,
                lengths + made,
                contexts,
                parsed.deduplicate_contexts_max_history,
                include_prompt=scope == "all",
                skip_partial_context=scope == "all",
            )
        drawn = watermarker.sample(logits, contexts, draw, skip).token_ids
        ids = torch.cat([ids, drawn[:, None]], dim=1)
    return ids[:, prompts.shape[1] :].tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--hf", type=Path)
    kind.add_argument("--vllm", type=Path)
    kind.add_argument("--no-mark", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--vocab-size", type=int, default=2048)
    parser.add_argument("--prompt-tokens", type=int, default=16)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--top-k", type=int, default=0, help="0: no limit")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    model = tiny_model(options.vocab_size, options.seed)
    prompts = torch.randint(options.vocab_size, (options.count, options.prompt_tokens))
    path = options.hf or options.vllm
    config = json.loads(path.read_text()) if path else None
    if config and config.get("vocab_size", options.vocab_size) != options.vocab_size:
        parser.error(f"the configuration's vocab_size is not --vocab-size {options.vocab_size}")
    texts = (with_vllm if options.vllm else with_transformers)(model, config, prompts, options)
    options.out.write_text("".join(json.dumps(text, separators=(",", ":")) + "\n" for text in texts))


if __name__ == "__main__":
    main()
