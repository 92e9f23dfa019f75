"""The tracking assist: cameras from followed corners, depth bent to them, the model where that fails.

Corners are followed by Lucas-Kanade, hold on to the newest keyframe, and start at the model's depth. Every frame
solves for its camera and the depths together, every keyframe for the cameras of a short window too. The points
that several cameras agree on then scale and bend the model's depth, smoothly; what was seen before refines it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from zipmap_app.pipeline.assist import pose_guess
from zipmap_app.pipeline.assist.adjustment import Adjusted, PosePrior, Problem, adjust
from zipmap_app.pipeline.assist.corners import corners_in, follow
from zipmap_app.pipeline.assist.depth_field import DepthField, fit_field, flat_field
from zipmap_app.pipeline.assist.frame import Frame
from zipmap_app.pipeline.assist.state import AssistState, Focal, Landmarks
from zipmap_app.pipeline.engine import View


@dataclass(frozen=True, kw_only=True)
class AssistOptions:
    """The assist's thresholds; lengths are shares of the picture's diagonal unless they say otherwise."""

    n_corners: int = 160
    spacing: float = 0.022  # between corners
    n_cameras: int = 5  # keyframes that are solved together
    prior_sigma: float = 0.5  # of the log of the model's depth, as far as neighbouring pixels err alike
    rotation_sigma_deg: float = 0.15  # of the model's step, as far as corners leave it open
    step_sigma: float = 0.15  # of its length
    min_tracked: int = 14  # corners without which a camera is not trusted
    min_share: float = 0.35  # of the followed corners that must agree on the camera
    keyframe_motion: float = 0.03  # median movement of the corners since the last keyframe
    keyframe_share: float = 0.65  # of the corners still followed
    outlier: float = 0.008
    n_iterations: int = 3
    scale_memory: float = 10.0  # sure points that the depth scale of the frame before counts for
    scale_pull: float = (
        0.5  # of the depth scale's log that new corners leave out: the model's own does not drift
    )
    focal_memory: int = 120  # frames whose field of view, as the model sees it, is asked for the median
    focal_sigma: float = 0.4  # of the log of that median; five real lenses were off by up to 0.64, 0.3 RMS


@dataclass(frozen=True, slots=True, eq=False)
class Assisted:
    """The corrected view, what to remember, and a sentence where tracking was lost or found."""

    view: View
    state: AssistState
    notice: str | None


LOST = "Tracking is lost: cameras follow the model alone until the picture can be followed again."
FOUND = "Tracking has found hold again."
_LOST_AFTER, _FOUND_AFTER = 2, 4  # frames in a row
_EARLY = 2  # kept cameras, up to which a map is young
_EARLY_MOTION = 0.004  # median movement of the corners that epipolar geometry can say something about
_STILL = 0.002  # of the depth: what the model's step is off at least
_PARALLAX = 0.006  # parallax at which a depth is known to a factor e, whatever its own residuals say
_SURE = 0.03  # of the log of a depth: no point is taken to be known better when its first camera is forgotten


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
        focal = self._focal(focal_px, focals, state)
        frame = Frame(view, grey, focal)
        if state is None:
            state = self._start(frame, view.world_from_camera, flat_field(0.0), focal)
        else:
            state = self._advance(frame, replace(state, focal=focal))
        dense = frame.dense(state)
        state = replace(state, focals_px=focals, model_pose=view.world_from_camera, dense=dense)
        state, notice = _judged(state)
        return Assisted(frame.corrected(state, dense), state, notice)

    def _focal(self, known_px: float | None, told_px: tuple[float, ...], state: AssistState | None) -> Focal:
        if known_px is not None:
            return Focal(math.log(known_px), 0.0)
        if state is None or not state.focal.is_measured:
            return Focal(math.log(float(np.median(told_px))), self._options.focal_sigma)
        return state.focal

    def _advance(self, frame: Frame, state: AssistState) -> AssistState:
        options = self._options
        model_step = np.linalg.inv(state.model_pose) @ frame.view.world_from_camera
        model_step[:3, 3] *= math.exp(state.field.mean)
        predicted = state.world_from_camera @ model_step
        found, seen = self._followed(frame, state, predicted)
        motion = self._motion(frame, state.landmarks, found, seen)
        is_key = motion > self._options.keyframe_motion
        problem = replace(
            self._problem(frame, state, found, seen, is_key),
            pose_prior=self._expected(frame, state, predicted),
        )
        candidates = [predicted, state.world_from_camera @ state.step, state.world_from_camera]
        solved = self._solved(problem, state.cameras, pose_guess.best_camera(problem, candidates))
        if len(state.cameras) <= _EARLY and motion > _EARLY_MOTION:
            # Depth is mostly guessed yet, and may have led to the wrong one of several answers.
            starts = (predicted, pose_guess.epipolar_camera(problem))
            others = [self._solved(problem, state.cameras, start) for start in starts if start is not None]
            solved = min([solved, *others], key=lambda answer: answer.cost)
        outlier_px = options.outlier * frame.diagonal
        is_good = seen & (solved.error_px[-1] < outlier_px)
        n_seen, n_good = int(seen.sum()), int(is_good.sum())
        if n_good < options.min_tracked or n_good < options.min_share * n_seen:
            # The map cannot be trusted any more: go on from here with the model's step.
            fresh = self._start(frame, predicted, flat_field(state.field.mean), state.focal)
            return replace(fresh, step=model_step, n_failed=state.n_failed + 1, is_lost=state.is_lost)
        focal = state.focal
        if problem.focal_prior is not None:
            focal = focal.measured(solved.focal_px / frame.scale, solved.focal_sigma)
            frame = Frame(frame.view, frame.grey, focal)
        pose = solved.world_from_camera[-1]
        way = np.linalg.norm(solved.world_from_camera[problem.host, :3, 3] - pose[:3, 3], axis=1)
        parallax = np.maximum(state.landmarks.parallax, way * np.exp(solved.log_inverse_depth))
        marks = replace(
            state.landmarks, log_inverse_depth=solved.log_inverse_depth, newest=found, parallax=parallax
        )
        field = self._field(frame, solved, marks, is_good, state.field)
        advanced = replace(
            state,
            world_from_camera=pose,
            step=np.linalg.inv(state.world_from_camera) @ pose,
            newest_picture=frame.grey,
            landmarks=marks.only(is_good),
            field=field,
            focal=focal,
            n_failed=0,
            n_tracked=state.n_tracked + 1,
        )
        if not is_key:
            return advanced
        worst_px = np.nan_to_num(solved.error_px, nan=0.0).max(axis=0)
        is_kept = is_good & (worst_px < outlier_px)
        return self._with_keyframe(frame, advanced, replace(marks, pixels=problem.pixels), solved, is_kept)

    def _solved(self, problem: Problem, kept: np.ndarray, newest: np.ndarray) -> Adjusted:
        cameras = np.concatenate([kept, newest[None]])
        return adjust(replace(problem, world_from_camera=cameras), self._options.n_iterations)

    def _motion(self, frame: Frame, marks: Landmarks, found: np.ndarray, seen: np.ndarray) -> float:
        """Median movement of the corners since the last keyframe; infinite where too few are left to tell."""
        moved = np.linalg.norm(found - frame.centre - marks.pixels[-1], axis=1)[seen]
        moved = moved[np.isfinite(moved)]
        if len(moved) < self._options.keyframe_share * self._options.n_corners:
            return math.inf
        return float(np.median(moved)) / frame.diagonal

    def _start(self, frame: Frame, pose: np.ndarray, field: DepthField, focal: Focal) -> AssistState:
        empty = Landmarks(
            np.empty((1, 0, 2)),
            np.empty(0, int),
            np.empty(0),
            np.empty(0),
            np.empty(0),
            np.empty((0, 2)),
            np.empty(0),
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
            dense=None,
            focal=focal,
            focals_px=(),
        )

    def _followed(
        self, frame: Frame, state: AssistState, predicted: np.ndarray
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
        exact, is_exact = follow(
            state.keyframe_picture, frame.grey, at_keyframe[is_old], found[is_old], is_near=True
        )
        is_close = is_exact & (np.abs(exact - found[is_old]).max(axis=1) < 3.0)
        found[is_old[is_close]] = exact[is_close]
        return found, seen

    def _problem(
        self, frame: Frame, state: AssistState, found: np.ndarray, seen: np.ndarray, is_key: bool
    ) -> Problem:
        """Everything known, the new camera last. It alone may move, at a keyframe the younger kept ones too."""
        marks = state.landmarks
        newest = np.where(seen[:, None], found - frame.centre, np.nan)
        n = len(state.cameras)
        # Two cameras hold place, direction and scale; of two, one must do.
        n_fixed = n if not is_key else min(2, max(n - 1, 1))
        return Problem(
            world_from_camera=np.concatenate([state.cameras, state.cameras[-1:]]),
            pixels=np.concatenate([marks.pixels, newest[None]]),
            host=marks.host,
            log_inverse_depth=marks.log_inverse_depth,
            prior_log_inverse_depth=marks.prior,
            prior_sigma=marks.prior_sigma,
            focal_px=frame.focal,
            is_free=np.arange(n + 1) >= n_fixed,
            focal_prior=(math.log(frame.focal), state.focal.sigma) if is_key and state.focal.sigma else None,
        )

    def _expected(self, frame: Frame, state: AssistState, predicted: np.ndarray) -> PosePrior:
        """The model's step from the frame before: where corners leave a doubt, it decides."""
        way = float(np.linalg.norm(predicted[:3, 3] - state.world_from_camera[:3, 3]))
        depth = frame.typical_depth * math.exp(state.field.mean)
        shift_sigma = self._options.step_sigma * way + _STILL * depth
        return PosePrior(predicted, math.radians(self._options.rotation_sigma_deg), shift_sigma)

    def _field(
        self, frame: Frame, solved: Adjusted, marks: Landmarks, is_good: np.ndarray, before: DepthField
    ) -> DepthField:
        cameras = solved.world_from_camera
        z = pose_guess.depths(cameras, marks, frame.focal, cameras[-1])[is_good]
        found = marks.newest[is_good]
        ratio = np.log(np.maximum(z, 1e-6)) - frame.log_depth(found)
        # Without parallax, depths that are wrong together fit as well as right ones.
        sigma = np.hypot(solved.sigma, _PARALLAX / np.maximum(marks.parallax, 1e-6))[is_good]
        return fit_field(found / frame.size, ratio, sigma, before, self._options.scale_memory)

    def _with_keyframe(
        self, frame: Frame, state: AssistState, marks: Landmarks, solved: Adjusted, is_kept: np.ndarray
    ) -> AssistState:
        """The newest camera joins the kept ones, and new corners the landmarks; the oldest camera may go."""
        cameras = solved.world_from_camera
        marks, sigma = marks.only(is_kept), solved.sigma[is_kept]
        if len(cameras) > self._options.n_cameras:
            marks = _without_oldest(cameras, marks, sigma, frame.focal)
            cameras = cameras[1:]
        return replace(
            state,
            cameras=cameras,
            landmarks=self._with_new_corners(frame, marks, state.field),
            keyframe_picture=frame.grey,
        )

    def _with_new_corners(self, frame: Frame, marks: Landmarks, field: DepthField) -> Landmarks:
        """Landmarks of the newest kept camera filled up; new ones start at the model's depth."""
        spacing_px = self._options.spacing * frame.diagonal
        new = corners_in(frame.grey, marks.newest, self._options.n_corners - len(marks), spacing_px)
        n_cameras, n_new = len(marks.pixels), len(new)
        pixels = np.full((n_cameras, n_new, 2), np.nan)
        pixels[-1] = new - frame.centre
        pulled = field.at(new / frame.size) - self._options.scale_pull * field.mean
        start = -(frame.log_depth(new) + pulled)
        return Landmarks(
            np.concatenate([marks.pixels, pixels], axis=1),
            np.concatenate([marks.host, np.full(n_new, n_cameras - 1)]),
            np.concatenate([marks.log_inverse_depth, start]),
            np.concatenate([marks.prior, start]),
            np.concatenate([marks.prior_sigma, np.full(n_new, self._options.prior_sigma)]),
            np.concatenate([marks.newest, new]),
            np.concatenate([marks.parallax, np.zeros(n_new)]),
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
    known = np.maximum(sigma, _SURE)
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
