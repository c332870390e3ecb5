"""Marked continuations of prompts by a model of Hugging Face transformers.

python marked_texts.py --model DIR --marks epoch.json --prompts prompts.txt --accounts accounts.txt > served.jsonl

A line of output: {"id", "prompt", "text", "tokens", "account", "cohort", "receipt"}. Prompts are served to the accounts
in turn; the first half of the accounts is in the cohort, where one is named.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from touchmark import Marker, load_marks
from touchmark.transformers import generate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder or name")
    parser.add_argument("--marks", required=True, help="file of `touchmark keys open`")
    parser.add_argument("--prompts", required=True, help="one a line")
    parser.add_argument("--accounts", help="pseudonyms, one a line")
    parser.add_argument("--cohort", help="cohort of the first half of the accounts")
    parser.add_argument("--max-tokens", type=int, default=100)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--batch", type=int, default=16, help="prompts at once")
    parser.add_argument("--seed", default="marked texts")
    flags = parser.parse_args()

    tokenizer = AutoTokenizer.from_pretrained(flags.model, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(flags.model, dtype=torch.float32)
    marker = Marker(load_marks(flags.marks), model.config.vocab_size, tokenizer.all_special_ids)
    prompts = Path(flags.prompts).read_text().splitlines()
    accounts = Path(flags.accounts).read_text().split() if flags.accounts else []

    def request(i: int) -> dict[str, str | float]:
        served: dict[str, str | float] = {
            "id": f"{flags.seed}/{i}",
            "seed": f"{flags.seed}/{i}",
            "temperature": flags.temperature,
        }
        if accounts:
            served["account"] = accounts[i % len(accounts)]
            if flags.cohort and i % len(accounts) < len(accounts) / 2:
                served["cohort"] = flags.cohort
        return served

    for first in range(0, len(prompts), flags.batch):
        some = prompts[first : first + flags.batch]
        requests = [request(first + i) for i in range(len(some))]
        inputs = tokenizer(some, return_tensors="pt", padding=True)
        sequences, receipts = generate(model, marker, requests, **inputs, max_new_tokens=flags.max_tokens)
        width = inputs["input_ids"].shape[1]
        for prompt, served, row, receipt in zip(some, requests, sequences.tolist(), receipts, strict=True):
            tokens = row[width : width + receipt["tokens"]]
            line = {
                "id": served["id"],
                "prompt": prompt,
                "text": tokenizer.decode(tokens, skip_special_tokens=True),
                "tokens": tokens,
                "account": served.get("account"),
                "cohort": served.get("cohort"),
                "receipt": receipt,
            }
            print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main()
