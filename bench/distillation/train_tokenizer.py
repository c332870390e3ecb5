"""Trains the byte-level BPE tokenizer that teacher, base and students share.

    python3 train_tokenizer.py --out ../../models/teacher
    python3 train_tokenizer.py --books base --vocabulary 3072 --out work/base-3072   # one that the teacher does not have
"""

import argparse
import json
import pathlib

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus import BOOKS, paragraphs_of

END = "<|endoftext|>"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=pathlib.Path, required=True)
    options.add_argument("--vocabulary", type=int, default=2048)
    options.add_argument("--books", choices=sorted(BOOKS), help="of one model only")
    args = options.parse_args()

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=args.vocabulary,
        special_tokens=[END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    books = BOOKS[args.books] if args.books else sum(BOOKS.values(), [])
    tokenizer.train_from_iterator((paragraphs_of(book) for book in books), trainer)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(args.out / "tokenizer.json"))
    (args.out / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "bos_token": END}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
