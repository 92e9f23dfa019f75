"""A view beside its picture: one place where pixels of the two are converted into each other."""

from __future__ import annotations

import math

import numpy as np

from zipmap_app.pipeline.assist.dense_depth import DenseMemory, refine
from zipmap_app.pipeline.assist.state import AssistState, Focal
from zipmap_app.pipeline.engine import View
from zipmap_app.sources.opencv import cv2


class Frame:
    """A view and its picture, in pixels of the picture."""

    def __init__(self, view: View, grey: np.ndarray, focal: Focal) -> None:
        self.view = view
        self.grey = grey
        height, width = grey.shape
        self.scale = width / view.depth.shape[1]  # pixels of the picture to one of the model's
        self.focal = math.exp(focal.log_px) * self.scale
        self.size = np.array([width, height], float)
        self.diagonal = math.hypot(width, height)
        # A pixel of the model at integer u lies on the ray (u - W / 2) / f.
        self.centre = (np.array(view.depth.shape[::-1]) / 2 + 0.5) * self.scale - 0.5

    @property
    def typical_depth(self) -> float:
        """Of the model's depth map, of which few pixels tell as much."""
        return max(float(np.median(self.view.depth[::4, ::4])), 1e-6)

    def log_depth(self, pixels: np.ndarray) -> np.ndarray:
        """Log of the model's depth at pixels (n, 2) of the picture."""
        at = ((pixels + 0.5) / self.scale - 0.5).astype(np.float32)
        if not len(at):
            return np.empty(0)
        log_depth = np.log(np.maximum(self.view.depth, np.float32(1e-6)))
        sampled = cv2.remap(
            log_depth, at[:, None, 0], at[:, None, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return sampled[:, 0].astype(np.float64)

    def dense(self, state: AssistState) -> DenseMemory:
        """The model's depth bent by the field, and made to agree with the frames before."""
        factor = state.field.factor((self.view.depth.shape[0], self.view.depth.shape[1]))
        focal_px = math.exp(state.focal.log_px)
        return refine(self.view.depth * factor, self.grey, state.world_from_camera, focal_px, state.dense)

    def corrected(self, state: AssistState, dense: DenseMemory) -> View:
        """The view with the tracked camera and the refined depth."""
        intrinsics = self.view.intrinsics.copy()
        intrinsics[0, 0] = intrinsics[1, 1] = dense.focal_px
        return View(
            state.world_from_camera,
            intrinsics,
            np.exp(dense.log_depth),
            dense.weighed(self.view.confidence),
            is_tracked=state.n_tracked > 0,
        )
