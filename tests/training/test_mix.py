"""Weights between two legs."""

from __future__ import annotations

import pytest
import torch

from training.mix import mix


def test_shares_whole_parts_and_new_names() -> None:
    before = {"trunk.w": torch.zeros(2), "cue.w": torch.zeros(2)}
    after = {"trunk.w": torch.ones(2), "cue.w": torch.ones(2), "new.w": torch.full((2,), 5.0)}
    mixed = mix(before, after, 0.25, ["cue"])
    assert mixed["trunk.w"].tolist() == [0.25, 0.25]
    assert mixed["cue.w"].tolist() == [1.0, 1.0]
    assert mixed["new.w"].tolist() == [5.0, 5.0]


def test_weights_that_the_later_leg_lost_are_an_error() -> None:
    with pytest.raises(KeyError, match="old"):
        mix({"old": torch.zeros(1)}, {}, 0.5, [])
