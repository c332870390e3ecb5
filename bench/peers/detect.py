"""What upstream's own detector says of token ids: one JSON object a line of input.

    python bench/peers/detect.py --hf CONFIG.json tokens.jsonl [--vocab-size 2048]
    python bench/peers/detect.py --vllm CONFIG.json tokens.jsonl

The fields are those of `"upstream"` in the output of `touchmark detect --json`. Means of SynthID come from
google-deepmind/synthid-text, over transformers' g-values, or over its own with "hash":"deepmind". Green lists need the
model's vocabulary size: in the configuration, or as --vocab-size.
"""
import argparse
import json
from pathlib import Path

import detections
import torch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--hf", type=Path)
    kind.add_argument("--vllm", type=Path)
    parser.add_argument("--vocab-size", type=int)
    parser.add_argument("tokens", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    config = json.loads((options.hf or options.vllm).read_text())
    if options.vllm:
        detect = detections.vllm(config)
    elif detections.is_synthid(config):
        detect = detections.synthid(config)
    else:
        size = options.vocab_size or config.get("vocab_size")
        if size is None:
            parser.error("green lists need --vocab-size")
        detect = detections.kgw(config | {"vocab_size": size})
    for line in options.tokens.read_text().splitlines():
        said = detect(json.loads(line))
        said.pop("gValues", None)
        print(json.dumps(said))


if __name__ == "__main__":
    main()
