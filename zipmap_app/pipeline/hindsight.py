"""Frames once more, from the last to the first: what later ones saw corrects the depth of earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from zipmap_app.pipeline.assist.dense_depth import refine
from zipmap_app.pipeline.engine import View
from zipmap_app.sources.opencv import cv2


def look_back(n_views: int, view_at: Callable[[int], tuple[View, np.ndarray]]) -> Iterator[tuple[int, View]]:
    """Views with better depth, one after the other, with their indices, the last one first.

    ``view_at`` gives a view and its picture (H, W, 3) uint8, and is asked once for each. Streaming has refined
    every depth by what was seen before it; this does the same with what was seen after it. Cameras stay, and so
    does everything about a view that the view after it was not tracked from.
    """
    memory, is_linked = None, False
    for index in reversed(range(n_views)):
        view, rgb = view_at(index)
        memory = refine(
            view.depth,
            cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY),
            view.world_from_camera,
            float(view.intrinsics[0, 0]),
            memory if is_linked else None,
        )
        if is_linked:
            view = replace(view, depth=np.exp(memory.log_depth), confidence=memory.weighed(view.confidence))
        is_linked = view.is_tracked
        yield index, view
