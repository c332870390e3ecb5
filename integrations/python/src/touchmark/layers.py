"""Which marks act on a request: those of the deployment on everybody's, its cohort's shapes, and the account layer's
draw, turned by the account's codeword. No token is marked twice: where a cohort's shape covers a context it takes the
place of the deployment's shapes; where the deployment's choice covers a context, the account layer keeps out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .errors import TouchmarkError
from .mark import Mark


@dataclass(frozen=True)
class RequestLayers:
    """Marks that act on one request."""

    shapes: tuple[Mark, ...]
    cohort: tuple[Mark, ...]
    choice: Mark | None
    account: Mark | None
    codeword: np.ndarray | None

    @property
    def choices(self) -> list[Mark]:
        """Marks with keyed draws, the deployment's first."""
        return [mark for mark in (self.choice, self.account) if mark is not None]

    @property
    def ids(self) -> list[str]:
        """Ids of the marks, for the receipt."""
        return [mark.id for mark in (*self.shapes, *self.cohort, *self.choices)]


class Layers:
    """Marks of a marker by layer."""

    def __init__(self, marks: Sequence[Mark]):
        def only(layer: str) -> Mark | None:
            found = [mark for mark in marks if mark.choice and mark.spec["layer"] == layer]
            if len(found) > 1:
                raise TouchmarkError(
                    f"a text has one choice channel; give at most one choice mark of the {layer} layer"
                )
            return found[0] if found else None

        self._shapes = tuple(mark for mark in marks if mark.shape and mark.spec["layer"] == "deployment")
        self._cohorts: dict[str, tuple[Mark, ...]] = {}
        for mark in marks:
            if mark.spec["layer"] == "cohort":
                member = mark.spec["member"]
                self._cohorts[member] = (*self._cohorts.get(member, ()), mark)
        self._choice, self._account = only("deployment"), only("account")
        self.choices = [mark for mark in (self._choice, self._account) if mark is not None]
        """Marks with keyed draws, in the order in which they have contexts."""

    def of(self, cohort: str | None, account: str | None, what: str) -> RequestLayers:
        """The marks of a request; `what` names it in errors."""
        if cohort is not None and cohort not in self._cohorts:
            raise TouchmarkError(f'{what}: no mark of this marker is cohort "{cohort}"\'s')
        code = self._account and self._account.code
        if account is not None and code is None:
            raise TouchmarkError(f"{what}: an account is given, but this marker has no mark of the account layer")
        return RequestLayers(
            shapes=self._shapes,
            cohort=() if cohort is None else self._cohorts[cohort],
            choice=self._choice,
            account=None if account is None else self._account,
            codeword=None if account is None or code is None else code.codeword(account),
        )
