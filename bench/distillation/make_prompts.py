"""Makes models/prompts.txt: beginnings of sentences from a novel that no model was trained on.

    python3 make_prompts.py --book ../../path/to/les-mis-rables.txt.gz --out ../../models/prompts.txt

Each line has exactly 16 tokens and encodes to the same ids again.
"""

import argparse
import gzip
import pathlib
import re

import numpy as np
from tokenizers import Tokenizer

TOKENS, COUNT, SEED = 16, 1024, 5


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--book", type=pathlib.Path, required=True)
    options.add_argument("--tokenizer", default="../../models/teacher/tokenizer.json")
    options.add_argument("--out", type=pathlib.Path, required=True)
    args = options.parse_args()

    tokenizer = Tokenizer.from_file(args.tokenizer)
    text = " ".join(gzip.decompress(args.book.read_bytes()).decode("utf-8").split())
    sentences = re.findall(r"(?<=[.!?] )[A-Z][^.!?\"“”\[\]_*]{60,}", text)
    found = []
    for i in np.random.default_rng(SEED).permutation(len(sentences)):
        ids = tokenizer.encode(sentences[i]).ids[:TOKENS]
        prompt = tokenizer.decode(ids)
        if prompt.isascii() and tokenizer.encode(prompt).ids == ids and len(ids) == TOKENS:
            found.append(prompt)
        if len(found) == COUNT:
            break
    assert len(found) == COUNT, len(found)
    args.out.write_text("\n".join(found) + "\n")


if __name__ == "__main__":
    main()
