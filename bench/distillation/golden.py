"""Writes what torch computes for a few id sequences, for the forward pass in TypeScript to be tested against.

    python3 golden.py --model ../../models/teacher --out ../../test/vectors/teacher-logits.json

Run it again whenever the model changes.
"""

import argparse
import json
import pathlib

import numpy as np
import torch

from model import CONFIG, load

# Every STRIDE-th logit is kept, and the log of the sum of all exponentials stands for the rest.
STRIDE = 32
POSITIONS = [0, 1, 7, 8, 40, CONFIG["max_position_embeddings"] - 1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--model", type=pathlib.Path, required=True)
    options.add_argument("--out", type=pathlib.Path, required=True)
    args = options.parse_args()

    rng = np.random.default_rng(1)
    ids = torch.from_numpy(rng.integers(CONFIG["vocab_size"], size=(3, CONFIG["max_position_embeddings"])))
    with torch.no_grad():
        logits, _ = load(args.model)(ids)
    cases = [
        {
            "ids": row.tolist(),
            "positions": [
                {
                    "position": at,
                    "logits": [round(x, 6) for x in logits[i, at, ::STRIDE].tolist()],
                    "logSumExp": round(logits[i, at].logsumexp(-1).item(), 6),
                }
                for at in POSITIONS
            ],
        }
        for i, row in enumerate(ids)
    ]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({"model": args.model.name, "stride": STRIDE, "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
