"""Trains one model of the bench, from scratch on books or from another model on generated text.

    python3 train.py --books teacher --seed 1 --epochs 3 --out ../../models/teacher
    python3 train.py --from ../../models/base --samples marked.jsonl --seed 3 --epochs 3 --rate 1e-3 --out …
    python3 train.py --from ../../models/base --samples marked.jsonl:819 --samples unmarked.jsonl:7373 --precision bf16 …

`--samples` is what `touchmark generate` writes: one JSON object a line with `promptTokens` and `tokens`; with a number
after a colon, the first so many of them. `--precision bf16` computes the forward pass in bfloat16 where torch thinks it
safe: twice as fast on processors that have it (PyTorch 2); weights and optimiser stay in single precision. `--layers`
keeps the first so many layers of the model that training starts from, a smaller student, or puts layers after them that
change nothing at first, a larger one. `--lora` trains additions of that rank to attention and MLP, and nothing else.
"""

import argparse
import contextlib
import itertools
import json
import math
import pathlib
import time

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from corpus import BOOKS, tokens_of
from model import CONFIG, Layer, Llama, load, save

LENGTH = CONFIG["max_position_embeddings"]


def windows_of_books(books: list, tokenizer: Tokenizer, rng: np.random.Generator) -> np.ndarray:
    """Windows of LENGTH + 1 ids at a random phase: [count, LENGTH + 1]."""
    ids = tokens_of(books, tokenizer)
    phase = int(rng.integers(LENGTH))
    count = (len(ids) - phase - 1) // LENGTH
    return np.stack([ids[phase + i * LENGTH : phase + (i + 1) * LENGTH + 1] for i in range(count)])


def samples_of(argument: str) -> tuple:
    """FILE or FILE:COUNT."""
    path, _, count = argument.rpartition(":")
    return (pathlib.Path(path), int(count)) if path and count.isdigit() else (pathlib.Path(argument), None)


def windows_of_samples(path: pathlib.Path, count: int | None) -> np.ndarray:
    """One window a sample, prompt included, end-of-text after it: [count, LENGTH + 1]."""
    rows = []
    with path.open() as lines:
        for line in itertools.islice(lines, count):
            record = json.loads(line)
            row = (record["promptTokens"] + record["tokens"])[: LENGTH + 1]
            rows.append(row + [CONFIG["eos_token_id"]] * (LENGTH + 1 - len(row)))
    assert count is None or len(rows) == count, f"{path} has {len(rows)} samples, not {count}"
    return np.asarray(rows, dtype=np.int64)


def resize(model: Llama, layers: int) -> None:
    """Cuts layers off, or adds some that pass on what they get until they have learned something."""
    del model.model.layers[layers:]
    while len(model.model.layers) < layers:
        layer = Layer()
        for name, parameter in layer.named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.0 if "o_proj" in name or "down_proj" in name else 0.05)
        model.model.layers.append(layer)


class LowRank(nn.Module):
    """W + B A, where A and B alone are trained."""

    def __init__(self, shape: tuple, rank: int):
        super().__init__()
        self.a = nn.Parameter(torch.randn(rank, shape[1]) / shape[1] ** 0.5)
        self.b = nn.Parameter(torch.zeros(shape[0], rank))

    def forward(self, weight):
        return weight + self.b @ self.a


def projections(model: Llama) -> list:
    return [module for module in model.modules() if isinstance(module, nn.Linear)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--books", choices=sorted(BOOKS))
    options.add_argument("--samples", type=samples_of, action="append", metavar="FILE[:COUNT]")
    options.add_argument("--from", dest="start", type=pathlib.Path)
    options.add_argument("--tokenizer", type=pathlib.Path, default=pathlib.Path("../../models/teacher/tokenizer.json"))
    options.add_argument("--out", type=pathlib.Path, required=True)
    options.add_argument("--seed", type=int, required=True)
    options.add_argument("--epochs", type=float, required=True)
    options.add_argument("--rate", type=float, default=3e-3)
    options.add_argument("--batch", type=int, default=16)
    options.add_argument("--layers", type=int)
    options.add_argument("--lora", type=int, metavar="RANK")
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--precision", choices=["float32", "bf16"], default="float32")
    args = options.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    tokenizer = Tokenizer.from_file(str(args.tokenizer))
    if args.samples:
        rows = np.concatenate([windows_of_samples(path, count) for path, count in args.samples])
    else:
        rows = windows_of_books(BOOKS[args.books], tokenizer, rng)
    model = load(args.start) if args.start else Llama(tokenizer.get_vocab_size())
    if args.layers:
        resize(model, args.layers)
    if args.lora:
        model.requires_grad_(False)
        for module in projections(model):
            parametrize.register_parametrization(module, "weight", LowRank(module.weight.shape, args.lora))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    steps = int(args.epochs * len(rows) / args.batch)
    print(f"{sum(p.numel() for p in trained)} parameters, {len(rows)} windows, {steps} steps", flush=True)

    optimizer = torch.optim.AdamW(trained, lr=args.rate, betas=(0.9, 0.95), weight_decay=0.05)
    warmup = max(1, steps // 20)
    order, begun, recent = np.empty(0, dtype=np.int64), time.time(), []
    for step in range(steps):
        share = max(0.0, (step - warmup) / max(1, steps - warmup))
        for group in optimizer.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / warmup) * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * share)))
        if len(order) < args.batch:
            order = np.concatenate([order, rng.permutation(len(rows))])
        batch, order = torch.from_numpy(rows[order[: args.batch]]), order[args.batch :]
        half = torch.autocast("cpu", torch.bfloat16) if args.precision == "bf16" else contextlib.nullcontext()
        with half:
            logits, _ = model(batch[:, :-1])
        loss = F.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        recent.append(loss.item())
        if (step + 1) % 100 == 0 or step + 1 == steps:
            rate = (step + 1) * args.batch * LENGTH / (time.time() - begun)
            print(f"step {step + 1} loss {np.mean(recent):.3f} {rate:.0f} tokens/s", flush=True)
            recent = []
    if args.lora:
        for module in projections(model):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)
    save(model, args.out)


if __name__ == "__main__":
    main()
