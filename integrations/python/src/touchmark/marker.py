"""The embed session: a host that has logits hands them over, and gets the token to emit.

Order of a step: temperature, then the shape channel tilts, then top-k and top-p, then the choice channel draws. The
caller's logits are never changed. The choices are those of `createMarker` of the TypeScript SDK, token by token.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from .arrays import Array, cast, from_host, keep_freed_memory, namespace, nearest, rows_at_once, to_host
from .draws import KeyedDraw, chosen
from .errors import TouchmarkError
from .generation import Generation, Request, new_id
from .layers import Layers
from .mark import Mark, windows_of
from .sampling import Sampling


class Marker:
    """A session for many concurrent requests.

    marks: from `load_marks`; any number of shapes, at most one choice mark each of deployment and account layer
    vocab_size: columns of the logits, 2 or more
    special_tokens: ids (end of text, roles) that no context may contain
    unkeyed_share: of steps that the choice channel leaves to chance, so that the same question gets other answers
    """

    def __init__(
        self,
        marks: Sequence[Mark],
        vocab_size: int,
        special_tokens: Iterable[int] = (),
        unkeyed_share: float = 0.1,
    ):
        if not 0 <= unkeyed_share <= 1:
            raise TouchmarkError("unkeyed_share must be between 0 and 1")
        if vocab_size < 2:
            raise TouchmarkError("vocab_size must be an integer of 2 or more")
        self.vocab_size, self.unkeyed_share = int(vocab_size), unkeyed_share
        self._special = frozenset(special_tokens)
        self._layers = Layers(marks)
        keep_freed_memory()

    def start(
        self,
        id: str | None = None,
        prompt: Sequence[int] = (),
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        seed: str | None = None,
        account: str | None = None,
        cohort: str | None = None,
        marked: bool = True,
        choice: str | None = None,
    ) -> Generation:
        """Begins an answer.

        id: name in receipt and errors; random unless given
        prompt: ids of everything that the model was given: system prompt, earlier turns, question
        seed: makes the unkeyed randomness reproducible
        account: pseudonym of the account that the answer is for; its codeword turns the draws of the account layer
        cohort: whose shapes the answer gets besides the deployment's
        marked: False leaves the answer unmarked (structured output, opt-out)
        choice: "off" leaves every draw to `seed` or to chance, and the shape channel as it is
        """
        name = new_id() if id is None else id
        what = f'request "{name}"'
        if not 1 <= len(name) <= 256:
            raise TouchmarkError("a request's id must have 1 to 256 characters")
        if choice not in (None, "off"):
            raise TouchmarkError(f'{what}: choice must be "off" or left out')
        sampling = Sampling(temperature, top_k, top_p)
        sampling.check(what)
        ids = [int(token) for token in prompt]
        for i, token in enumerate(ids):
            if not 0 <= token < self.vocab_size:
                raise TouchmarkError(
                    f"{what}: prompt token {token} at position {i} is outside the vocabulary of {self.vocab_size}"
                )
        request = Request(name, ids, sampling, seed, account, cohort, marked, choice)
        return Generation(request, self._layers, self.unkeyed_share)

    def step(self, generations: Sequence[Generation], logits: Array) -> list[int]:
        """Chooses the next token of each generation.

        logits: [generations, vocabulary], nats, raw from the model, a NumPy array or a torch tensor on any device;
            −inf excludes a token
        raises TouchmarkError when logits have another size, hold NaN or +inf, or exclude all: no request has advanced
        """
        if not generations:
            return []
        for generation in generations:
            generation.check_open()
        if len(set(generations)) < len(generations):
            raise TouchmarkError("a request is in this step twice; give each one row")
        rows = self._scaled(generations, logits)
        together = rows_at_once(rows)
        tokens: list[int] = []
        for at in range(0, len(generations), together):
            tokens += self._advance(generations[at : at + together], rows[at : at + together])
        return tokens

    def _advance(self, generations: Sequence[Generation], rows: Array) -> list[int]:
        """One step of some generations, whose logits are scaled."""
        tilted, rows = self._tilt(generations, rows)
        draws = self._draws(generations)
        tokens = chosen(rows, [generation.request.sampling for generation in generations], draws)
        for generation, token, tilt, draw in zip(generations, tokens, tilted, draws, strict=True):
            generation.advance(token, tilt, isinstance(draw, KeyedDraw), token in self._special)
        return tokens

    def _scaled(self, generations: Sequence[Generation], logits: Array) -> Array:
        """A copy of the logits in single precision, scaled by each request's temperature, checked."""
        if tuple(logits.shape) != (len(generations), self.vocab_size):
            raise TouchmarkError(
                f"logits have the shape {tuple(logits.shape)}; {len(generations)} requests and a vocabulary of "
                f"{self.vocab_size} need {(len(generations), self.vocab_size)}"
            )
        logits = nearest(logits)
        with np.errstate(over="ignore", invalid="ignore"):
            scales = np.array([g.request.sampling.scale for g in generations]).astype(np.float32)
            rows = cast(logits, "float32") * from_host(scales[:, None], logits)
        xp = namespace(rows)
        for generation, top in zip(generations, to_host(xp.amax(rows, axis=1)).tolist(), strict=True):
            if not -np.inf < top < np.inf:
                wrong = (
                    "exclude every token"
                    if top == -np.inf
                    else "hold NaN or +inf, or are too large for its temperature"
                )
                raise TouchmarkError(f'logits of request "{generation.id}" {wrong}')
        return rows

    def _tilt(self, generations: Sequence[Generation], rows: Array) -> tuple[list[bool], Array]:
        """Tilts each row by its cohort's shapes where they cover the context, else by the deployment's."""
        tilted = [False] * len(generations)
        for layer in ("cohort", "shapes"):
            contexts: dict[Mark, dict[int, tuple[int, ...]]] = {}
            for i, generation in enumerate(generations):
                if generation.segments[-1]["marked"] and not tilted[i]:
                    for mark in getattr(generation.layers, layer):
                        context = generation.context(mark)
                        if context is not None:
                            contexts.setdefault(mark, {})[i] = context
            for mark, found in contexts.items():
                windows = windows_of(found.values(), mark.width)
                covered = mark.covers(windows)
                those = np.array(list(found))[covered]
                if len(those) == len(rows):
                    rows = mark.shape.tilt(windows, rows)
                elif len(those):
                    at = from_host(those, rows)
                    rows[at] = mark.shape.tilt(windows[covered], rows[at])
                for i in those:
                    tilted[i] = True
        return tilted, rows

    def _draws(self, generations: Sequence[Generation]) -> list[KeyedDraw | float | None]:
        """How each token is drawn: by a key, by a uniform number, or (greedy) not at all."""
        draws: list[KeyedDraw | float | None] = []
        for generation, keyed in zip(generations, self._keyed(generations), strict=True):
            random, used = generation.random, generation.used
            if generation.request.sampling.temperature == 0:
                draws.append(None)
            elif keyed and keyed.context not in used and random.next() >= self.unkeyed_share:
                used.add(keyed.context)
                draws.append(keyed)
            else:
                draws.append(random.next())
        return draws

    def _keyed(self, generations: Sequence[Generation]) -> list[KeyedDraw | None]:
        """The keyed draw that the next context has: the deployment's where it covers it, else the account's."""
        draws: list[KeyedDraw | None] = [None] * len(generations)
        for mark in self._layers.choices:
            found: dict[int, tuple[int, ...]] = {}
            for i, generation in enumerate(generations):
                if generation.keyed and draws[i] is None and mark in generation.layers.choices:
                    context = generation.context(mark)
                    if context is not None:
                        found[i] = context
            if not found:
                continue
            windows = windows_of(found.values(), mark.width)
            covered, turns = mark.covers(windows), np.zeros(len(found), np.uint32)
            if mark.code is not None:
                turns = mark.code.turns(windows, np.stack([generations[i].layers.codeword for i in found]))
            for (i, context), covers, turn in zip(found.items(), covered, turns, strict=True):
                if covers:
                    draws[i] = KeyedDraw(mark, context, int(turn))
        return draws
