"""Exports a model folder to onnx/model.onnx in it, in single precision, for ONNX hosts such as transformers.js.

    python3 export_onnx.py --model ../../models/teacher

The graph is that of a Llama decoder with cache, as transformers.js drives it: input_ids, attention_mask,
position_ids and past_key_values.N.key/value in, logits and present.N.key/value out. Batch and lengths are free.
"""

import argparse
import pathlib

import torch
from torch import nn

from model import CONFIG, Llama, load, rotary


class Decoder(nn.Module):
    """Llama with positions and padding from outside, and one tensor a cache entry."""

    def __init__(self, llama: Llama):
        super().__init__()
        self.llama = llama

    def forward(self, input_ids, attention_mask, position_ids, *past):
        body = self.llama.model
        length, total = input_ids.shape[1], attention_mask.shape[1]
        place = torch.arange(total)
        later = place[None, :] > place[total - length :][:, None]
        hidden = later[None, None] | (attention_mask == 0)[:, None, None, :]
        mask = hidden.float() * -1e9
        cos, sin = (x.unsqueeze(1) for x in rotary(position_ids))
        x, presents = body.embed_tokens(input_ids), []
        for i, layer in enumerate(body.layers):
            x, present = layer(x, cos, sin, mask, past[2 * i : 2 * i + 2])
            presents.extend(present)
        return (body.norm(x) @ body.embed_tokens.weight.T, *presents)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", type=pathlib.Path, required=True)
    folder = options.parse_args().model

    layers, heads, width = CONFIG["num_hidden_layers"], CONFIG["num_key_value_heads"], CONFIG["head_dim"]
    names = [f"{i}.{part}" for i in range(layers) for part in ("key", "value")]
    pasts, presents = [f"past_key_values.{n}" for n in names], [f"present.{n}" for n in names]
    axes = {
        "input_ids": {0: "batch_size", 1: "sequence_length"},
        "attention_mask": {0: "batch_size", 1: "total_sequence_length"},
        "position_ids": {0: "batch_size", 1: "sequence_length"},
        "logits": {0: "batch_size", 1: "sequence_length"},
        **{n: {0: "batch_size", 2: "past_sequence_length"} for n in pasts},
        **{n: {0: "batch_size", 2: "total_sequence_length"} for n in presents},
    }
    # Tracing sees one example: batch 2, 3 tokens in the cache, 2 new ones.
    ids, positions = torch.zeros(2, 2, dtype=torch.int64), torch.tensor([[3, 4], [3, 4]])
    example = (ids, torch.ones(2, 5, dtype=torch.int64), positions, *(torch.zeros(2, heads, 3, width) for _ in names))
    (folder / "onnx").mkdir(exist_ok=True)
    torch.onnx.export(
        Decoder(load(folder)).eval(),
        example,
        str(folder / "onnx" / "model.onnx"),
        input_names=["input_ids", "attention_mask", "position_ids", *pasts],
        output_names=["logits", *presents],
        dynamic_axes=axes,
        opset_version=14,
        # Folding would store the transposed embedding beside the embedding. Hosts fold when they load.
        do_constant_folding=False,
    )


if __name__ == "__main__":
    main()
