"""What passes between the two halves of the model, and from one view's first half to the next one's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from zipmap_model.aggregator import TrunkPart, ViewTokens
from zipmap_model.layers.fast_weights import FastWeights, Operation
from zipmap_model.state import SceneState


@dataclass(frozen=True, slots=True, eq=False)
class BegunViews:
    """Views, and the queries that go with them, half way through the model: see ``ZipMap.begin``."""

    views: ViewTokens
    trunk: TrunkPart  # the pairs before the cut, for views and queries
    program: tuple[Operation, ...]
    size_hw: tuple[int, int]
    n_views: int  # of the scene, these included


class FirstHalf(NamedTuple):
    """What the first half of the model remembers of the views before."""

    n_views: int
    fine: Tensor | None  # (B, channels, H/4, W/4) of the last one, where the model has a motion cue
    layers: tuple[FastWeights, ...] | None  # of the pairs before the cut


def first_half_before(after: SceneState | BegunViews | None, pairs: range) -> FirstHalf:
    """The first half's memory in a state, or in views that were begun; ``pairs`` are those before the cut."""
    if after is None:
        return FirstHalf(0, None, None)
    if isinstance(after, BegunViews):
        views = after.views
        fine = None if views.fine is None or views.motion is None else views.fine[:, -1]
        return FirstHalf(after.n_views, fine, after.trunk.layers)
    fine = None if after.motion is None else after.motion.fine
    return FirstHalf(after.n_views, fine, after.layers[: len(pairs)])
