"""vLLM: a logits processor that makes the whole choice, and a receipt of each answer.

    TOUCHMARK_MARKS=opened.json TOUCHMARK_RECEIPTS=receipts.jsonl VLLM_USE_V2_MODEL_RUNNER=0 \\
        vllm serve MODEL --logits-processors touchmark.vllm:TouchmarkLogitsProcessor

vLLM's order is: grammar, allowed tokens, bad words, minimal length, logit bias, penalties, temperature, min-p, this
processor, top-k and top-p, draw. The processor samples by the request's top-k and top-p too and leaves one token of
each row, so that nothing after it changes anything. What the client asks for comes with the request: `vllm_options.py`.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from vllm.distributed import get_pp_group, get_tp_group, model_parallel_is_initialized
from vllm.sampling_params import SamplingParams
from vllm.tokenizers.registry import cached_tokenizer_from_config
from vllm.v1.sample.logits_processor import BatchUpdate, LogitsProcessor, MoveDirectionality

from .errors import TouchmarkError
from .generation import Generation
from .marker import Marker
from .vllm_options import check_request, marks_of_environment, options_of

log = logging.getLogger("touchmark")

LIFE = "touchmark life"
AHEAD = 2
"""Steps that the engine may be ahead of what it has given out."""
REMEMBERED = 4096
"""Answers whose name is remembered, for the candidates that come after the first."""


class Life:
    """Lies among a request's parameters. When the engine forgets the request, this goes too."""

    def __init__(self, end: Callable[[list[Answer]], None]):
        self.answers: list[Answer] = []
        weakref.finalize(self, end, self.answers)


class Answer:
    """One request: what the marker has chosen for it (`generation`), and what the engine took (`output`)."""

    def __init__(self, generation: Generation, params: SamplingParams, output: list[int], room: int):
        self.generation, self.output = generation, output
        self.temperature, self.strings = params.temperature, list(params.stop or ())
        self._stops = {params.eos_token_id, *(params.stop_token_ids or ())}
        self._most = room if params.max_tokens is None else min(params.max_tokens, room)
        self.parked = False
        self._before: tuple[int, Any, int, list[tuple[int, ...]]] | None = None

    @property
    def complete(self) -> bool:
        """Whether the engine ends the answer by itself here."""
        tokens = self.generation.tokens
        return bool(tokens) and (tokens[-1] in self._stops or len(tokens) >= self._most)

    def resumes(self, output: list[int]) -> bool:
        """Whether a request that comes back with these tokens is this one; of those in flight some may be lost."""
        tokens = self.generation.tokens
        return len(tokens) - AHEAD <= len(output) <= len(tokens) and tokens[: len(output)] == output

    def remember(self) -> None:
        """Keeps what the next draw changes. While a prompt is computed in parts the engine has a draw made after each,
        and takes the last."""
        generation = self.generation
        contexts = [generation.context(mark) for mark in generation.layers.choices]
        fresh = [context for context in contexts if context is not None and context not in generation.used]
        keyed = generation.segments[-1]["keyed"]
        self._before = len(generation.tokens), copy.deepcopy(generation.random), keyed, fresh

    def follow(self, special: frozenset[int]) -> None:
        """Brings the generation to where the engine is."""
        generation, before = self.generation, self._before
        if generation.ended:
            return
        if before and len(self.output) == before[0] < len(generation.tokens):
            _, random, keyed, fresh = before
            if generation.segments[-1]["keyed"] > keyed:
                generation.used.difference_update(fresh)
            generation.retract(1)
            generation.random = random
        elif before and len(self.output) > before[0]:
            self._before = None
        # None of this happens unless something else chose a token, or a KV connector lost some.
        at = len(self.output) - 1
        if at >= 0 and at < len(generation.tokens) and self.output[at] not in (-1, generation.tokens[at]):
            generation.retract(len(generation.tokens) - at)
        if len(generation.tokens) > len(self.output):
            generation.retract(len(generation.tokens) - len(self.output))
        for token in self.output[len(generation.tokens) :]:
            if token == -1:
                break
            generation.advance(token, False, False, token in special)

    @property
    def fresh(self) -> bool:
        """Whether the engine may still throw the next draw away."""
        return self._before is not None


class TouchmarkLogitsProcessor(LogitsProcessor):
    """One for each worker; the last pipeline stage's first writes the receipts."""

    @classmethod
    def validate_params(cls, sampling_params: SamplingParams) -> None:
        """Refuses a request that the marks cannot serve, before it reaches the engine."""
        check_request(sampling_params)

    def __init__(self, vllm_config: Any, device: torch.device, is_pin_memory: bool):
        config = vllm_config.model_config
        self._tokenizer = cached_tokenizer_from_config(config)
        self._special: frozenset[int] = frozenset()
        if self._tokenizer is None:
            log.warning("without a tokenizer no token is known to be special: contexts reach across role changes")
        else:
            self._special = frozenset([*self._tokenizer.all_special_ids, *self._tokenizer.get_added_vocab().values()])
        self._longest: int = config.max_model_len
        self._marker = Marker(marks_of_environment(), config.get_vocab_size(), self._special)
        self._rows: dict[int, Answer] = {}
        self._named: OrderedDict[str, Generation] = OrderedDict()
        # Workers of a tensor-parallel group must draw the same.
        parallel = model_parallel_is_initialized()
        self._nonce = os.urandom(16).hex()
        if parallel and get_tp_group().world_size > 1:
            self._nonce = get_tp_group().broadcast_object(self._nonce)
        self._count = 0
        path = os.environ.get("TOUCHMARK_RECEIPTS")
        first = not parallel or (get_pp_group().is_last_rank and get_tp_group().rank_in_group == 0)
        self._receipts = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if path and first else None
        if path is None:
            log.warning("TOUCHMARK_RECEIPTS is not set: no receipt is kept")

    def is_argmax_invariant(self) -> bool:
        """So that vLLM calls this after penalties, temperature and min-p; greedy requests are left alone."""
        return True

    def update_state(self, batch_update: BatchUpdate | None) -> None:
        """Follows requests that come, leave, and change rows."""
        if batch_update is None:
            return
        for index in batch_update.removed:
            self._leave(index)
        for index, params, prompt, output in batch_update.added:
            self._leave(index)
            if params.temperature > 0:
                self._rows[index] = self._enter(params, prompt or [], output)
        for a, b, direction in batch_update.moved:
            one, other = self._rows.pop(a, None), self._rows.pop(b, None)
            if one:
                self._rows[b] = one
            if other and direction == MoveDirectionality.SWAP:
                self._rows[a] = other
            elif other:
                self._park(other)

    def apply(self, logits: torch.Tensor) -> torch.Tensor:
        """Leaves the chosen token of each row; rows of greedy requests, and of those at their end, stay as they are."""
        chosen: dict[int, Answer] = {}
        for index, answer in self._rows.items():
            answer.follow(self._special)
            if index < len(logits) and not answer.complete and not answer.generation.ended:
                if answer.fresh:
                    answer.remember()
                chosen[index] = answer
        if not chosen:
            return logits
        indices = list(chosen)
        rows = logits if indices == list(range(len(logits))) else logits[indices]
        try:
            tokens = self._marker.step([answer.generation for answer in chosen.values()], rows)
        except TouchmarkError as error:
            # A model that gives no numbers is the engine's matter; it may go on without marks.
            log.error("%s; this step is not marked", error)
            return logits
        logits[indices] = -torch.inf
        logits[indices, tokens] = 0.0
        return logits

    def _enter(self, params: SamplingParams, prompt: Sequence[int], output: list[int]) -> Answer:
        """A request's answer: begun, or taken up again after preemption."""
        life = (params.extra_args or {}).get(LIFE)
        if life is None:
            life = Life(self._end)
            params.extra_args = {**(params.extra_args or {}), LIFE: life}
        for answer in life.answers:
            if answer.parked and not answer.generation.ended and answer.resumes(output):
                answer.parked, answer.output = False, output
                answer.follow(self._special)
                answer.remember()
                return answer
        size = self._marker.vocab_size
        # Ids above the vocabulary stand for images; contexts that hold them occur in no answer.
        prompt = [min(token, size - 1) for token in prompt]
        answer = Answer(self._start(params, prompt), params, output, self._longest - len(prompt))
        answer.remember()
        life.answers.append(answer)
        return answer

    def _start(self, params: SamplingParams, prompt: list[int]) -> Generation:
        options = options_of(params)
        name = options.get("id")
        if (first := self._named.get(name)) and first.request.prompt == prompt:
            return first.fork()
        self._count += 1
        generation = self._marker.start(
            prompt=prompt,
            top_k=params.top_k if params.top_k > 0 else None,
            top_p=params.top_p if params.top_p < 1 else None,
            seed=f"{self._nonce}/{self._count}" if params.seed is None else str(params.seed),
            **options,
        )
        if name is not None:
            self._named[name] = generation
            if len(self._named) > REMEMBERED:
                self._named.popitem(last=False)
        return generation

    def _leave(self, index: int) -> None:
        """A request is no longer in the batch: it has ended, or waits."""
        if answer := self._rows.pop(index, None):
            self._park(answer)

    def _park(self, answer: Answer) -> None:
        answer.follow(self._special)
        answer.parked = True
        if answer.complete:
            self._end([answer])

    def _end(self, answers: list[Answer]) -> None:
        """Writes the receipts of answers that the engine has no request for any more."""
        for answer in answers:
            generation = answer.generation
            if generation.ended:
                continue
            answer.follow(self._special)
            finished = answer.complete or self._stopped(answer)
            receipt = generation.finish() if finished else generation.abort()
            # vLLM has scaled the logits already.
            receipt["temperature"] = answer.temperature
            if self._receipts is not None:
                line = json.dumps(receipt, separators=(",", ":")).encode() + b"\n"
                if os.write(self._receipts, line) != len(line):
                    log.error('the receipt of request "%s" is not whole in the file: is the disk full?', generation.id)

    def _stopped(self, answer: Answer) -> bool:
        """Whether a stop string ended the answer: the engine core sees no more of that than of a client that left.
        Takes back what was chosen after it."""

        def holds(tokens: list[int]) -> bool:
            # A token has a character at least, but for the bytes of a character in several tokens.
            tail = self._tokenizer.decode(tokens[-4 * max(map(len, answer.strings)) - 8 :])
            return any(string in tail for string in answer.strings)

        generation = answer.generation
        if not answer.strings or self._tokenizer is None or not holds(generation.tokens):
            return False
        for _ in range(AHEAD):
            if holds(generation.tokens[:-1]):
                generation.retract(1)
        return True
