"""Hugging Face transformers: a logits processor that makes the whole choice, and `generate` around it.

transformers runs its own processors (forbidden words, minimal lengths, …), then those of the caller, then temperature,
top-k, top-p, then draws. This one is the caller's: it samples by the temperature, top-k and top-p of each request and
leaves one token of each row, so that nothing after it changes anything.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import LogitsProcessor

from .errors import TouchmarkError
from .generation import Generation
from .marker import Marker

Requests = Sequence[Mapping[str, Any]]
"""What each row brings: options of `Marker.start`. The prompt is that of the row unless given."""

SAMPLING = ("temperature", "top_k", "top_p")

UNSUPPORTED = {
    "num_beams": (None, 1),
    "guidance_scale": (None, 1),
    "assistant_model": (None,),
    "prompt_lookup_num_tokens": (None,),
    "watermarking_config": (None,),
    "penalty_alpha": (None,),
    "min_p": (None,),
    "typical_p": (None, 1.0),
    "epsilon_cutoff": (None, 0.0),
    "eta_cutoff": (None, 0.0),
    "top_h": (None,),
}
"""Options of `generate` that would draw, rank or cut beside the marks, and the values with which they do not."""

ALONE = "leave num_beams at 1, and give no assistant and no processor after this one"


class MarkingProcessor(LogitsProcessor):
    """Chooses the tokens of one call of `generate`; then `finish` gives the receipts.

    requests: one a prompt of the batch, in its order
    eos_token_id: ids that end a row, those of the model's generation config
    pad_token_id: what transformers fills rows with that have ended
    candidates: `num_return_sequences`; no two of a prompt draw from one keyed context
    """

    supports_continuous_batching = False

    def __init__(
        self,
        marker: Marker,
        requests: Requests,
        eos_token_id: int | Sequence[int] | None = None,
        pad_token_id: int | None = None,
        candidates: int = 1,
    ):
        ids = [] if eos_token_id is None else eos_token_id
        self._eos = {ids} if isinstance(ids, int) else set(ids)
        self._pad = pad_token_id
        self._marker, self._requests, self._candidates = marker, requests, candidates
        self._generations: list[Generation] = []
        self._running: list[bool] = []
        self._prompt_length = 0

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores that are −inf but for the chosen token of each row."""
        if not self._generations:
            self._start(input_ids)
        else:
            self._see(input_ids)
        # Rows that have ended are filled with padding whatever they score.
        chosen = torch.zeros(len(scores), dtype=torch.long)
        rows = [row for row, runs in enumerate(self._running) if runs]
        if rows:
            logits = scores if len(rows) == len(scores) else scores[rows]
            chosen[rows] = torch.tensor(self._marker.step([self._generations[row] for row in rows], logits))
        for row in rows:
            self._running[row] = int(chosen[row]) not in self._eos
        alone = torch.full_like(scores, -torch.inf)
        return alone.scatter_(1, chosen[:, None].to(scores.device), 0.0)

    def finish(self, sequences: torch.LongTensor) -> list[dict[str, Any]]:
        """Receipts of the rows.

        sequences: what `generate` returned, prompts included
        """
        if len(sequences) != len(self._generations):
            raise TouchmarkError(
                f"there are {len(sequences)} sequences; tokens of {len(self._generations)} were chosen: {ALONE}"
            )
        receipts = []
        for row, ids in enumerate(sequences[:, self._prompt_length :].tolist()):
            generation = self._generations[row]
            emitted = 0
            while emitted < min(len(ids), len(generation.tokens)) and ids[emitted] == generation.tokens[emitted]:
                emitted += 1
            if any(token != self._pad for token in ids[emitted:]):
                raise TouchmarkError(f"sequence {row} holds tokens that were not chosen for it: {ALONE}")
            # A row that something else than an end token has stopped was drawn for once more.
            generation.retract(len(generation.tokens) - emitted)
            receipts.append(generation.finish())
        return receipts

    def _start(self, input_ids: torch.LongTensor) -> None:
        rows, self._prompt_length = input_ids.shape
        if rows != len(self._requests) * self._candidates:
            raise TouchmarkError(
                f"the batch has {rows} rows; {len(self._requests)} requests with {self._candidates} candidates each "
                f"need {len(self._requests) * self._candidates}; beam search is not supported: leave num_beams at 1"
            )
        for request, prompt in zip(self._requests, input_ids[:: self._candidates].tolist(), strict=True):
            # Padding on the left only adds contexts that hold it, and no answer has those.
            first = self._marker.start(**{"prompt": prompt, **request})
            self._generations += [first, *(first.fork() for _ in range(self._candidates - 1))]
        self._running = [True] * rows

    def _see(self, input_ids: torch.LongTensor) -> None:
        """Compares what came of the last step with what was chosen."""
        for row, token in enumerate(input_ids[:, -1].tolist()):
            if self._running[row] and token != self._generations[row].tokens[-1]:
                if token != self._pad:
                    raise TouchmarkError(f"row {row} got token {token}, which was not chosen for it: {ALONE}")
                self._running[row] = False


def generate(
    model: Any, marker: Marker, requests: Requests, **options: Any
) -> tuple[torch.LongTensor, list[dict[str, Any]]]:
    """`model.generate` with marks.

    requests: one a prompt: options of `Marker.start` (temperature, top_k, top_p, account, cohort, seed, …);
        temperature, top_k and top_p that a request leaves out are the generation config's, where it has them
    options: of `model.generate`, except temperature, top_k and top_p: `input_ids`, `attention_mask`, …
    returns: the sequences, prompts included, and a receipt for each
    """
    config = copy.deepcopy(options.pop("generation_config", None) or model.generation_config)
    for name, harmless in UNSUPPORTED.items():
        if options.get(name, getattr(config, name, None)) not in harmless:
            raise TouchmarkError(f"{name} is not supported with marks; leave it out")
    for name in (*SAMPLING, "do_sample"):
        if name in options:
            raise TouchmarkError(f"{name} is an option of each request; give it there (temperature 0 is greedy)")
    # In transformers a top-k of 0 is none.
    usual = {name: getattr(config, name) for name in SAMPLING if getattr(config, name, None)}
    own = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "return_dict_in_generate": False}
    rest = config.update(**{**options, **own})
    eos = config.eos_token_id
    ends = [] if eos is None else [eos] if isinstance(eos, int) else list(eos)
    if config.pad_token_id is None and ends:
        config.pad_token_id = ends[0]
    whole = [{**usual, **request} for request in requests]
    processor = MarkingProcessor(marker, whole, ends, config.pad_token_id, config.num_return_sequences or 1)
    processors = [*rest.pop("logits_processor", ()), processor]
    output = model.generate(**rest, generation_config=config, logits_processor=processors)
    return output, processor.finish(output)
