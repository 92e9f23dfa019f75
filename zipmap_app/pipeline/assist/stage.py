"""The tracking assist: cameras from followed corners, depth bent to them, the model where that fails.

Corners are followed by Lucas-Kanade, hold on to the newest keyframe, and start at the model's depth. Every frame
solves for its camera and the depths together, every keyframe for the cameras of a short window too. The points
that several cameras agree on then scale and bend the model's depth, smoothly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from zipmap_app.pipeline.assist import pose_guess
from zipmap_app.pipeline.assist.adjustment import Adjusted, Problem, adjust
from zipmap_app.pipeline.assist.corners import corners_in, follow
from zipmap_app.pipeline.assist.depth_field import DepthField, fit_field, flat_field
from zipmap_app.pipeline.assist.state import AssistState, Landmarks
from zipmap_app.pipeline.engine import View
from zipmap_app.sources.opencv import cv2


@dataclass(frozen=True, kw_only=True)
class AssistOptions:
    """The assist's thresholds; lengths are shares of the picture's diagonal unless they say otherwise."""

    n_corners: int = 160
    spacing: float = 0.022  # between corners
    n_cameras: int = 6  # keyframes that are solved together
    prior_sigma: float = 0.5  # of the log of the model's depth, as far as neighbouring pixels err alike
    min_tracked: int = 14  # corners without which a camera is not trusted
    min_share: float = 0.35  # of the followed corners that must agree on the camera
    keyframe_motion: float = 0.045  # median movement of the corners since the last keyframe
    keyframe_share: float = 0.65  # of the corners still followed
    outlier: float = 0.008
    focal_memory: int = 120  # frames


@dataclass(frozen=True, slots=True, eq=False)
class Assisted:
    """The corrected view, what to remember, and a sentence where tracking was lost or found."""

    view: View
    state: AssistState
    notice: str | None


LOST = "Tracking is lost: cameras follow the model alone until the picture can be followed again."
FOUND = "Tracking has found hold again."
_LOST_AFTER, _FOUND_AFTER = 2, 4  # frames in a row


class TrackingAssist:
    """Corrects one view after another. Holds no state of its own; same inputs, same outputs."""

    def __init__(self, options: AssistOptions | None = None) -> None:
        self._options = options or AssistOptions()

    def correct(
        self, view: View, grey: np.ndarray, focal_px: float | None, state: AssistState | None
    ) -> Assisted:
        """Correct the model's view of the picture ``grey`` (H', W') uint8, the same field of view as its depth.

        ``focal_px`` in pixels of the depth map if it is known, else the model's is taken. ``state`` is that after
        the frame before, None at the start of a scene.
        """
        focals = () if state is None else state.focals_px
        focals = (*focals, float(view.intrinsics[0, 0]))[-self._options.focal_memory :]
        focal = focal_px or float(np.median(focals))
        frame = _Frame(view, grey, focal)
        if state is None:
            state = self._start(frame, view.world_from_camera, flat_field(0.0))
        else:
            state = self._advance(frame, state)
        state = replace(state, focals_px=focals, model_pose=view.world_from_camera)
        state, notice = _judged(state)
        return Assisted(frame.corrected(state), state, notice)

    def _advance(self, frame: _Frame, state: AssistState) -> AssistState:
        options = self._options
        model_step = np.linalg.inv(state.model_pose) @ frame.view.world_from_camera
        model_step[:3, 3] *= math.exp(state.field.mean)
        predicted = state.world_from_camera @ model_step
        found, seen = self._followed(frame, state, predicted)
        problem = self._problem(frame, state, found, seen)
        candidates = [predicted, state.world_from_camera @ state.step, state.world_from_camera]
        start = pose_guess.best_camera(problem, candidates)
        cameras = np.concatenate([state.cameras, start[None]])
        solved = adjust(replace(problem, world_from_camera=cameras), 4)
        outlier_px = options.outlier * frame.diagonal
        is_good = seen & (solved.error_px[-1] < outlier_px)
        n_seen, n_good = int(seen.sum()), int(is_good.sum())
        if n_good < options.min_tracked or n_good < options.min_share * n_seen:
            # The map cannot be trusted any more: go on from here with the model's step.
            fresh = self._start(frame, predicted, flat_field(state.field.mean))
            return replace(fresh, step=model_step, n_failed=state.n_failed + 1, is_lost=state.is_lost)
        field = self._field(frame, state, found, is_good, solved)
        pose = solved.world_from_camera[-1]
        landmarks = replace(state.landmarks, log_inverse_depth=solved.log_inverse_depth, newest=found).only(
            is_good
        )
        moved = landmarks.newest - frame.centre - landmarks.pixels[-1]
        motion = np.nanmedian(np.linalg.norm(moved, axis=1)) if np.isfinite(moved).any() else math.inf
        state = replace(
            state,
            world_from_camera=pose,
            step=np.linalg.inv(state.world_from_camera) @ pose,
            newest_picture=frame.grey,
            landmarks=landmarks,
            field=field,
            n_failed=0,
            n_tracked=state.n_tracked + 1,
        )
        has_moved = motion > options.keyframe_motion * frame.diagonal
        if has_moved or n_good < options.keyframe_share * options.n_corners:
            state = self._with_keyframe(frame, state)
        return state

    def _start(self, frame: _Frame, pose: np.ndarray, field: DepthField) -> AssistState:
        empty = Landmarks(
            np.empty((1, 0, 2)), np.empty(0, int), np.empty(0), np.empty(0), np.empty(0), np.empty((0, 2))
        )
        landmarks = self._with_new_corners(frame, empty, field)
        return AssistState(
            cameras=pose[None],
            landmarks=landmarks,
            newest_picture=frame.grey,
            keyframe_picture=frame.grey,
            world_from_camera=pose,
            step=np.eye(4),
            model_pose=frame.view.world_from_camera,
            field=field,
            focals_px=(),
        )

    def _followed(
        self, frame: _Frame, state: AssistState, predicted: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where the landmarks are in this frame (N, 2), and which of them were found (N,)."""
        marks = state.landmarks
        guess = pose_guess.projected(state.cameras, marks, frame.focal, predicted) + frame.centre
        is_near = np.isfinite(guess).all(axis=1) & (np.abs(guess - marks.newest).max(axis=1) < frame.diagonal)
        guess = np.where(is_near[:, None], guess, marks.newest)
        found, seen = follow(state.newest_picture, frame.grey, marks.newest, guess)
        if seen.sum() < 0.6 * len(marks):
            # The model's idea of the motion may be the problem.
            again, seen_again = follow(state.newest_picture, frame.grey, marks.newest, marks.newest)
            found = np.where((seen_again & ~seen)[:, None], again, found)
            seen = seen | seen_again
        if state.keyframe_picture is state.newest_picture:
            return found, seen
        # Against the keyframe small errors do not add up.
        at_keyframe = marks.pixels[-1] + frame.centre
        is_old = np.flatnonzero(seen & np.isfinite(at_keyframe[:, 0]))
        exact, is_exact = follow(state.keyframe_picture, frame.grey, at_keyframe[is_old], found[is_old])
        is_close = is_exact & (np.abs(exact - found[is_old]).max(axis=1) < 3.0)
        found[is_old[is_close]] = exact[is_close]
        return found, seen

    def _problem(self, frame: _Frame, state: AssistState, found: np.ndarray, seen: np.ndarray) -> Problem:
        """Everything known, with the new camera as the last and only free one."""
        marks = state.landmarks
        newest = np.where(seen[:, None], found - frame.centre, np.nan)
        is_free = np.zeros(len(state.cameras) + 1, bool)
        is_free[-1] = True
        return Problem(
            world_from_camera=np.concatenate([state.cameras, state.cameras[-1:]]),
            pixels=np.concatenate([marks.pixels, newest[None]]),
            host=marks.host,
            log_inverse_depth=marks.log_inverse_depth,
            prior_log_inverse_depth=marks.prior,
            prior_sigma=marks.prior_sigma,
            focal_px=frame.focal,
            is_free=is_free,
        )

    def _field(
        self, frame: _Frame, state: AssistState, found: np.ndarray, is_good: np.ndarray, solved: Adjusted
    ) -> DepthField:
        z = pose_guess.depths(
            state.cameras,
            replace(state.landmarks, log_inverse_depth=solved.log_inverse_depth),
            frame.focal,
            solved.world_from_camera[-1],
        )[is_good]
        places = found[is_good] / frame.size
        ratio = np.log(np.maximum(z, 1e-6)) - frame.log_depth(found[is_good])
        return fit_field(places, ratio, solved.sigma[is_good], state.field, prior_points=10.0)

    def _with_keyframe(self, frame: _Frame, state: AssistState) -> AssistState:
        marks = state.landmarks
        seen = np.ones(len(marks), bool)
        problem = self._problem(frame, state, marks.newest, seen)
        cameras = np.concatenate([state.cameras, state.world_from_camera[None]])
        n_fixed = 1 if len(cameras) < 4 else 2
        is_free = np.arange(len(cameras)) >= n_fixed
        solved = adjust(replace(problem, world_from_camera=cameras, is_free=is_free), 6)
        is_good = np.nan_to_num(solved.error_px, nan=0.0).max(axis=0) < self._options.outlier * frame.diagonal
        marks = Landmarks(
            problem.pixels, marks.host, solved.log_inverse_depth, marks.prior, marks.prior_sigma, marks.newest
        ).only(is_good)
        cameras = solved.world_from_camera
        if len(cameras) > self._options.n_cameras:
            marks = _without_oldest(cameras, marks, solved.sigma[is_good], frame.focal)
            cameras = cameras[1:]
        return replace(
            state,
            cameras=cameras,
            world_from_camera=cameras[-1],
            landmarks=self._with_new_corners(frame, marks, state.field),
            keyframe_picture=frame.grey,
        )

    def _with_new_corners(self, frame: _Frame, marks: Landmarks, field: DepthField) -> Landmarks:
        """Landmarks of the newest kept camera filled up; new ones start at the model's depth."""
        spacing_px = self._options.spacing * frame.diagonal
        new = corners_in(frame.grey, marks.newest, self._options.n_corners - len(marks), spacing_px)
        n_cameras, n_new = len(marks.pixels), len(new)
        pixels = np.full((n_cameras, n_new, 2), np.nan)
        pixels[-1] = new - frame.centre
        start = -(frame.log_depth(new) + field.at(new / frame.size))
        return Landmarks(
            np.concatenate([marks.pixels, pixels], axis=1),
            np.concatenate([marks.host, np.full(n_new, n_cameras - 1)]),
            np.concatenate([marks.log_inverse_depth, start]),
            np.concatenate([marks.prior, start]),
            np.concatenate([marks.prior_sigma, np.full(n_new, self._options.prior_sigma)]),
            np.concatenate([marks.newest, new]),
        )


def _without_oldest(cameras: np.ndarray, marks: Landmarks, sigma: np.ndarray, focal: float) -> Landmarks:
    """Forget the oldest camera: its points move to the next one that saw them and keep what is known of them."""
    is_hosted = marks.host == 0
    is_elsewhere = np.isfinite(marks.pixels[1:, :, 0])
    heir = 1 + np.argmax(is_elsewhere, axis=0)
    log_inverse_depth = marks.log_inverse_depth.copy()
    for k in range(1, len(cameras)):
        z = pose_guess.depths(cameras, marks, focal, cameras[k])
        mine = is_hosted & (heir == k)
        log_inverse_depth[mine] = -np.log(np.maximum(z[mine], 1e-6))
    known = np.maximum(sigma, 0.03)
    moved = replace(
        marks,
        pixels=marks.pixels[1:],
        host=np.where(is_hosted, heir, marks.host) - 1,
        log_inverse_depth=log_inverse_depth,
        prior=np.where(is_hosted, log_inverse_depth, marks.prior),
        prior_sigma=np.where(is_hosted, known, marks.prior_sigma),
    )
    return moved.only(is_elsewhere.any(axis=0))


def _judged(state: AssistState) -> tuple[AssistState, str | None]:
    """Say once that tracking is lost, and once that it is back."""
    if not state.is_lost and state.n_failed >= _LOST_AFTER:
        return replace(state, is_lost=True), LOST
    if state.is_lost and state.n_tracked >= _FOUND_AFTER:
        return replace(state, is_lost=False), FOUND
    return state, None


class _Frame:
    """A view and its picture, in pixels of the picture."""

    def __init__(self, view: View, grey: np.ndarray, model_focal_px: float) -> None:
        self.view = view
        self.grey = grey
        height, width = grey.shape
        self._scale = width / view.depth.shape[1]
        self._model_focal = model_focal_px
        self.focal = model_focal_px * self._scale
        self.size = np.array([width, height], float)
        self.diagonal = math.hypot(width, height)
        # A pixel of the model at integer u lies on the ray (u - W / 2) / f.
        self.centre = (np.array(view.depth.shape[::-1]) / 2 + 0.5) * self._scale - 0.5

    def log_depth(self, pixels: np.ndarray) -> np.ndarray:
        """Log of the model's depth at pixels (n, 2) of the picture."""
        at = ((pixels + 0.5) / self._scale - 0.5).astype(np.float32)
        if not len(at):
            return np.empty(0)
        log_depth = np.log(np.maximum(self.view.depth, np.float32(1e-6)))
        sampled = cv2.remap(
            log_depth, at[:, None, 0], at[:, None, 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return sampled[:, 0].astype(np.float64)

    def corrected(self, state: AssistState) -> View:
        """The view with the tracked camera and the bent depth."""
        intrinsics = self.view.intrinsics.copy()
        intrinsics[0, 0] = intrinsics[1, 1] = self._model_focal
        factor = state.field.factor((self.view.depth.shape[0], self.view.depth.shape[1]))
        return View(state.world_from_camera, intrinsics, self.view.depth * factor, self.view.confidence)
