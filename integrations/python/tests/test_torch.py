"""The same choices from torch tensors, whether they are taken to NumPy (the host) or stay torch's (accelerators)."""

from __future__ import annotations

import numpy as np
import pytest
from test_vectors import VECTORS, check_session

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


@pytest.mark.parametrize("at", range(len(VECTORS["sessions"])))
def test_sessions_from_tensors_of_the_host(at: int) -> None:
    check_session(at, torch.from_numpy)


@pytest.mark.parametrize("at", range(len(VECTORS["sessions"])))
def test_sessions_as_on_an_accelerator(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("touchmark.marker.nearest", lambda x: x)
    check_session(at, torch.from_numpy)


def test_logits_in_half_precision_are_read_and_left_alone() -> None:
    from touchmark import Marker

    logits = torch.tensor([[0.0, 40.0, 1.0]], dtype=torch.bfloat16)
    kept = logits.clone()
    marker = Marker([], 3)
    assert marker.step([marker.start()], logits) == [1]
    assert torch.equal(logits, kept)
    values = np.zeros((1, 3), np.float64)
    assert marker.step([marker.start(temperature=0)], values) == [0]
