"""The books of the bench: which model reads which, and how they become token ids."""

import gzip
import pathlib

import numpy as np
from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).resolve().parent
BOOKS = {
    "teacher": [
        "bleak-house",
        "great-expectations",
        "middlemarch",
        "pride-and-prejudice",
        "the-adventures-of-sherlock-holmes",
    ],
    "base": ["war-and-peace", "moby-dick-or-the-whale", "dracula"],
}


def text_of(book: str) -> str:
    path = HERE / "books" / f"{book}.txt.gz"
    return gzip.decompress(path.read_bytes()).decode("utf-8").lstrip("\ufeff").replace("\r\n", "\n")


def paragraphs_of(book: str) -> str:
    """Hard line breaks inside a paragraph become spaces; paragraphs stay apart."""
    blocks = text_of(book).split("\n\n")
    return "\n".join(" ".join(block.split()) for block in blocks if block.strip())


def tokens_of(books: list, tokenizer: Tokenizer) -> np.ndarray:
    """Ids of the books, in order, each chunk of about 100,000 characters encoded on its own."""
    ids = []
    for book in books:
        text = paragraphs_of(book)
        for start in range(0, len(text), 100_000):
            ids.extend(tokenizer.encode(text[start : start + 100_000]).ids)
    return np.asarray(ids, dtype=np.int64)
