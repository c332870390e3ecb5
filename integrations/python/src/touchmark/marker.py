"""The embed session: a host that has logits hands them over, and gets the token to emit.

Order of a step: temperature, then the shape channel tilts, then top-k and top-p, then the choice channel draws. The
caller's logits are never changed. The choices are those of `createMarker` of the TypeScript SDK, token by token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from . import gumbel
from .arrays import Array, cast, from_host, keep_freed_memory, namespace, nearest, rows_at_once, to_host
from .errors import TouchmarkError
from .generation import Generation, Request, new_id
from .layers import Layers
from .mark import Mark, contexts_of
from .sampling import Sampling, softmax_draw, truncate


class Draw(NamedTuple):
    """A draw that a key governs: the mark, the context, and what turns its words."""

    mark: Mark
    context: tuple[int, ...]
    turn: int


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
        tokens = self._choose(generations, rows, draws)
        for generation, token, tilt, draw in zip(generations, tokens, tilted, draws, strict=True):
            generation.advance(token, tilt, isinstance(draw, Draw), token in self._special)
        return tokens

    def _scaled(self, generations: Sequence[Generation], logits: Array) -> Array:
        """A copy of the logits in single precision, scaled by each request's temperature, checked."""
        if tuple(logits.shape) != (len(generations), self.vocab_size):
            raise TouchmarkError(
                f"logits have the shape {tuple(logits.shape)}; {len(generations)} requests and a vocabulary of "
                f"{self.vocab_size} need {(len(generations), self.vocab_size)}"
            )
        logits = nearest(logits)
        scales = np.array([g.request.sampling.scale for g in generations], np.float32)
        with np.errstate(over="ignore"):
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
        tilted = np.zeros(len(generations), bool)
        marked = [bool(g.segments[-1]["marked"]) for g in generations]

        def tilt_by(marks_of: Callable[[Generation], Sequence[Mark]], among: np.ndarray) -> None:
            nonlocal rows
            by_mark: dict[Mark, list[int]] = {}
            for i in np.flatnonzero(among).tolist():
                for mark in marks_of(generations[i]):
                    by_mark.setdefault(mark, []).append(i)
            for mark, those in by_mark.items():
                contexts = [generations[i].context(mark) for i in those]
                at = np.array([i for i, c in zip(those, contexts, strict=True) if c is not None], np.intp)
                windows = contexts_of([c for c in contexts if c is not None], mark.width)
                covered = mark.covers(windows)
                at, windows = at[covered], windows[covered]
                if len(at) == 0:
                    continue
                tilted[at] = True
                if len(at) == len(rows):
                    rows = mark.shape.tilt(windows, rows)
                else:
                    index = from_host(at, rows)
                    rows[index] = mark.shape.tilt(windows, rows[index])

        tilt_by(lambda g: g.layers.cohort, np.array(marked))
        tilt_by(lambda g: g.layers.shapes, np.array(marked) & ~tilted)
        return tilted.tolist(), rows

    def _draws(self, generations: Sequence[Generation]) -> list[Draw | float | None]:
        """How each token is drawn: by a key, by a uniform number, or (greedy) not at all."""
        found = self._keyed(generations)
        draws: list[Draw | float | None] = []
        for generation, keyed in zip(generations, found, strict=True):
            random, used = generation.random, generation.used
            if generation.request.sampling.temperature == 0:
                draws.append(None)
            elif keyed and keyed.context not in used and random.next() >= self.unkeyed_share:
                used.add(keyed.context)
                draws.append(keyed)
            else:
                draws.append(random.next())
        return draws

    def _keyed(self, generations: Sequence[Generation]) -> list[Draw | None]:
        """The keyed draw that the next context has: the deployment's where it covers it, else the account's."""
        found: list[Draw | None] = [None] * len(generations)
        rest = [i for i, generation in enumerate(generations) if generation.keyed]
        # One marker has one choice mark of the deployment and one of the account layer.
        for mark_of in (lambda g: g.layers.choice, lambda g: g.layers.account):
            those = [(i, mark_of(generations[i])) for i in rest if found[i] is None]
            held = [(i, m, generations[i].context(m)) for i, m in those if m is not None]
            held = [(i, m, context) for i, m, context in held if context is not None]
            if not held:
                continue
            mark = held[0][1]
            contexts = contexts_of([context for _, _, context in held], mark.width)
            if mark.code is None:
                acts, turns = mark.covers(contexts), np.zeros(len(held), np.uint32)
            else:
                positions = mark.code.position(contexts)
                symbols = [generations[i].layers.codeword[p] for (i, _, _), p in zip(held, positions, strict=True)]
                acts, turns = np.ones(len(held), bool), mark.code.turn(np.array(symbols))
            for (i, _, context), act, turn in zip(held, acts, turns.tolist(), strict=True):
                if act:
                    found[i] = Draw(mark, context, turn)
        return found

    def _choose(
        self, generations: Sequence[Generation], rows: Array, draws: Sequence[Draw | float | None]
    ) -> list[int]:
        """Truncates and draws."""
        samplings = [generation.request.sampling for generation in generations]
        chosen = np.zeros(len(generations), np.int64)
        greedy = [i for i, draw in enumerate(draws) if draw is None]
        cut = [i for i, s in enumerate(samplings) if draws[i] is not None and s.truncates(self.vocab_size)]
        whole = [i for i in range(len(draws)) if draws[i] is not None and not samplings[i].truncates(self.vocab_size)]
        if greedy:
            chosen[greedy] = to_host(namespace(rows).argmax(_rows(rows, greedy), axis=1))
        if whole:
            chosen[whole] = _drawn(_rows(rows, whole), None, [draws[i] for i in whole])
        if cut:
            survivors = truncate(_rows(rows, cut), [samplings[i] for i in cut])
            columns = _drawn(survivors.logits, survivors.tokens, [draws[i] for i in cut])
            chosen[cut] = survivors.tokens[np.arange(len(cut)), columns]
        return chosen.tolist()


def _rows(rows: Array, those: list[int]) -> Array:
    """Some rows, without a copy where they are all."""
    return rows if len(those) == len(rows) else rows[from_host(np.array(those), rows)]


def _drawn(rows: Array, tokens: np.ndarray | None, draws: Sequence[Draw | float]) -> np.ndarray:
    """The columns that the draws choose."""
    columns = np.zeros(len(draws), np.int64)
    by_mark: dict[Mark, list[int]] = {}
    for i, draw in enumerate(draws):
        if isinstance(draw, Draw):
            by_mark.setdefault(draw.mark, []).append(i)
    for mark, those in by_mark.items():
        keyed = [draws[i] for i in those]
        columns[those] = gumbel.draw(
            mark.choice,
            contexts_of([draw.context for draw in keyed], mark.width),
            _rows(rows, those),
            None if tokens is None else tokens[those],
            np.array([draw.turn for draw in keyed], np.uint32),
        )
    chance = [i for i, draw in enumerate(draws) if not isinstance(draw, Draw)]
    if chance:
        columns[chance] = softmax_draw(_rows(rows, chance), np.array([draws[i] for i in chance]))
    return columns
