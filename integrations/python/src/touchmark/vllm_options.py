"""What a request to vLLM may ask of the marks: `vllm_xargs` of the OpenAI API, or `SamplingParams.extra_args`."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from vllm.sampling_params import SamplingParams

from .errors import TouchmarkError
from .layers import Layers
from .mark import Mark
from .opened_marks import load_marks

OPTIONS = {
    "touchmark_id": "name in the receipt, 1 to 256 characters; random unless given, and needed where n is above 1",
    "touchmark_account": "pseudonym of the account that the answer is for",
    "touchmark_cohort": "whose shapes the answer gets besides the deployment's",
    "touchmark_marked": "true or false; true unless given, and false for structured output",
    "touchmark_choice": '"off" leaves the draws to chance',
}
SWITCH = {True: True, "true": True, "1": True, False: False, "false": False, "0": False}


@lru_cache
def marks_of_environment() -> list[Mark]:
    """The marks in the file that TOUCHMARK_MARKS names."""
    path = os.environ.get("TOUCHMARK_MARKS")
    if not path:
        raise TouchmarkError("TOUCHMARK_MARKS is not set; give it the path of a file of `touchmark keys open`")
    return load_marks(path)


def options_of(params: SamplingParams) -> dict[str, Any]:
    """What a request asks of `Marker.start`, checked.

    raises TouchmarkError, one sentence
    """
    given = {k: v for k, v in (params.extra_args or {}).items() if k.startswith("touchmark_")}
    if unknown := sorted(set(given) - set(OPTIONS)):
        raise TouchmarkError(f"{unknown[0]} is unknown; there are {', '.join(OPTIONS)}")
    options = {name.removeprefix("touchmark_"): value for name, value in given.items()}
    marked = options.get("marked", params.structured_outputs is None)
    if isinstance(marked, str):
        marked = marked.lower()
    if not isinstance(marked, (str, int)) or marked not in SWITCH:
        raise TouchmarkError("touchmark_marked must be true or false")
    options["marked"] = SWITCH[marked]
    for name in ("id", "account", "cohort"):
        value = options.get(name, "-")
        if not isinstance(value, str) or not 1 <= len(value) <= 256:
            raise TouchmarkError(f"touchmark_{name} must be a string of 1 to 256 characters")
    if options.get("choice", "off") != "off":
        raise TouchmarkError('touchmark_choice must be "off" or left out')
    return options


def check_request(params: SamplingParams) -> None:
    """Refuses a request that the marks cannot serve, before it reaches the engine.

    raises TouchmarkError, one sentence
    """
    options, marks = options_of(params), marks_of_environment()
    Layers(marks).of(options.get("cohort"), options.get("account"), "touchmark")
    drawn = options["marked"] and "choice" not in options and any(mark.choice for mark in marks)
    if params.n > 1 and drawn and "id" not in options:
        raise TouchmarkError("n above 1 needs touchmark_id, so that no two candidates draw from one keyed context")
