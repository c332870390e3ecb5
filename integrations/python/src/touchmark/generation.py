"""One answer in the making: its tokens, what contexts may be made of, and the receipt at its end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .errors import TouchmarkError
from .layers import Layers, RequestLayers
from .mark import Mark
from .random_stream import RandomStream
from .receipt import new_segment, now, salted_hash
from .sampling import Sampling


@dataclass(frozen=True)
class Request:
    """What an answer was started with; the fields are those of `Marker.start`."""

    id: str
    prompt: Sequence[int]
    sampling: Sampling
    seed: str | None
    account: str | None
    cohort: str | None
    marked: bool
    choice: str | None


class Generation:
    """Made by `Marker.start`; the marker advances it, the host reads `tokens` and ends it."""

    def __init__(
        self,
        request: Request,
        layers: Layers,
        unkeyed_share: float,
        shared: set[tuple[int, ...]] | None = None,
        forks: list[int] | None = None,
    ):
        self.request = request
        self.layers: RequestLayers = layers.of(request.cohort, request.account, f'request "{request.id}"')
        self.random = RandomStream(request.seed)
        self.tokens: list[int] = []
        """Ids so far."""
        self.boundary = 0
        """Where in `tokens` the ids begin that contexts may be made of."""
        self.used = set() if shared is None else shared
        """Contexts that the choice channel may not draw from again."""
        if shared is None:
            for width in {mark.width for mark in self.layers.choices}:
                prompt = request.prompt
                self.used.update(tuple(prompt[end - width : end]) for end in range(width, len(prompt) + 1))
        self.segments = [new_segment("answer", request.marked, request.choice)]
        self._acts: list[tuple[bool, bool, int]] = []
        self.ended = False
        self._all_layers, self._unkeyed_share, self._forks = layers, unkeyed_share, forks or [0]

    @property
    def id(self) -> str:
        """Name in receipt and errors."""
        return self.request.id

    @property
    def keyed(self) -> bool:
        """Whether keys may draw in this segment: marked, the choice channel on, and not greedy."""
        segment = self.segments[-1]
        return segment["marked"] and "choice" not in segment and self.request.sampling.temperature > 0

    def segment(self, reason: str, marked: bool) -> None:
        """Begins a new segment: a role change, a tool call, hidden reasoning, structured output. No context reaches
        across its beginning.

        reason: 1 to 64 characters, for the receipt
        """
        self.check_open()
        if not 1 <= len(reason) <= 64:
            raise TouchmarkError(f'request "{self.id}": a segment\'s reason must have 1 to 64 characters')
        self.boundary = len(self.tokens)
        self._acts.clear()
        if self.segments[-1]["tokens"] == 0:
            self.segments.pop()
        self.segments.append(new_segment(reason, marked, self.request.choice))

    def fork(self) -> Generation:
        """Another candidate for the same prompt (n > 1), from the beginning; no two draw from one keyed context."""
        self._forks[0] += 1
        copy = self._forks[0]
        seed = None if self.request.seed is None else f"{self.request.seed}/{copy}"
        request = Request(**{**vars(self.request), "id": f"{self.id}/{copy}", "seed": seed})
        return Generation(request, self._all_layers, self._unkeyed_share, self.used, self._forks)

    def retract(self, count: int) -> None:
        """Takes back the last tokens, which the host did not emit. A context that was drawn from stays used.

        raises TouchmarkError when that reaches beyond the segment
        """
        self.check_open()
        if not 0 <= count <= len(self._acts):
            raise TouchmarkError(
                f'request "{self.id}": {count} tokens cannot be taken back; its segment has {len(self._acts)}'
            )
        for _ in range(count):
            tilted, keyed, self.boundary = self._acts.pop()
            self._count(-1, tilted, keyed)
            self.tokens.pop()

    def context(self, mark: Mark) -> tuple[int, ...] | None:
        """A mark's context of the next token."""
        return mark.context(self.tokens, self.boundary)

    def finish(self) -> dict[str, Any]:
        """Ends the answer. Returns its receipt, plain data for `touchmark log append`."""
        return self._end("finished")

    def abort(self) -> dict[str, Any]:
        """Ends the answer because the client went away; the receipt says so."""
        return self._end("aborted")

    def check_open(self) -> None:
        """Raises when the answer has ended."""
        if self.ended:
            raise TouchmarkError(f'request "{self.id}" has ended already')

    def advance(self, token: int, tilted: bool, keyed: bool, special: bool) -> None:
        """Takes the next token, for the marker."""
        self._count(1, tilted, keyed)
        self._acts.append((tilted, keyed, self.boundary))
        self.tokens.append(token)
        if special:
            self.boundary = len(self.tokens)

    def _count(self, sign: int, tilted: bool, keyed: bool) -> None:
        segment = self.segments[-1]
        segment["tokens"] += sign
        segment["tilted"] += sign * tilted
        segment["keyed"] += sign * keyed

    def _end(self, status: str) -> dict[str, Any]:
        self.check_open()
        self.ended = True
        return {
            "version": 1,
            "id": self.id,
            "status": status,
            "marks": self.layers.ids,
            "unkeyedShare": self._unkeyed_share,
            "temperature": self.request.sampling.temperature,
            "tokens": len(self.tokens),
            "segments": [dict(segment) for segment in self.segments],
            **salted_hash(self.tokens),
            "time": now(),
        }


def new_id() -> str:
    """A random name for a request."""
    return os.urandom(16).hex()
