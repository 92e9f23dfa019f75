"""Where to start looking for a camera, and where it sees the landmarks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from zipmap_app.pipeline.assist.adjustment import Problem
from zipmap_app.pipeline.assist.state import Landmarks
from zipmap_app.sources.opencv import cv2

_RANSAC_ROUNDS = 60
_RANSAC_PX = 4.0
_EPIPOLAR_ROUNDS = 200
_EPIPOLAR_PX = 1.0
_EPIPOLAR_SURE = 0.995
_EPIPOLAR_STEPS = (0.005, 0.01, 0.02, 0.04, 0.07, 0.12, 0.2, 0.35)  # of the median depth
_COST_PX = 3.0  # errors beyond this cost no more


def points_in_camera(
    cameras: np.ndarray, marks: Landmarks, focal_px: float, world_from_camera: np.ndarray
) -> np.ndarray:
    """Landmarks (N, 3) in the frame of one camera (4, 4)."""
    world = world_points(cameras, marks.pixels, marks.host, marks.log_inverse_depth, focal_px)
    local: np.ndarray = (world - world_from_camera[:3, 3]) @ world_from_camera[:3, :3]
    return local


def world_points(
    cameras: np.ndarray, pixels: np.ndarray, host: np.ndarray, log_inverse_depth: np.ndarray, focal_px: float
) -> np.ndarray:
    """Points (N, 3) in the world."""
    on_host = pixels[host, np.arange(len(host))] / focal_px
    rays = np.concatenate([on_host, np.ones((len(host), 1))], axis=1)
    local = rays * np.exp(-log_inverse_depth)[:, None]
    world: np.ndarray = np.einsum("nij,nj->ni", cameras[host, :3, :3], local) + cameras[host, :3, 3]
    return world


def depths(cameras: np.ndarray, marks: Landmarks, focal_px: float, camera: np.ndarray) -> np.ndarray:
    """Depth along z (N,) of the landmarks in one camera (4, 4)."""
    return points_in_camera(cameras, marks, focal_px, camera)[:, 2]


def projected(cameras: np.ndarray, marks: Landmarks, focal_px: float, camera: np.ndarray) -> np.ndarray:
    """Pixels (N, 2) of the landmarks in one camera (4, 4), relative to its principal point; nan behind it."""
    local = points_in_camera(cameras, marks, focal_px, camera)
    z = np.where(local[:, 2] > 1e-6, local[:, 2], np.nan)
    pixels: np.ndarray = focal_px * local[:, :2] / z[:, None]
    return pixels


def best_camera(problem: Problem, candidates: Sequence[np.ndarray]) -> np.ndarray:
    """Of the candidates (4, 4) and what RANSAC says, the camera that explains the newest pixels best."""
    p = problem
    newest = p.pixels[-1]
    seen = np.isfinite(newest[:, 0])
    world = world_points(p.world_from_camera, p.pixels, p.host, p.log_inverse_depth, p.focal_px)[seen]
    pixels = newest[seen]
    if len(pixels) < 6:
        return candidates[0]
    ranked = [(_cost(c, world, pixels, p.focal_px), i) for i, c in enumerate(candidates)]
    best = candidates[min(ranked)[1]]
    by_ransac = _ransac(best, world, pixels, p.focal_px)
    if by_ransac is not None and _cost(by_ransac, world, pixels, p.focal_px) < min(ranked)[0]:
        return by_ransac
    return best


def epipolar_camera(problem: Problem) -> np.ndarray | None:
    """The newest camera (4, 4) by epipolar geometry with the last kept one: its direction needs no depth.

    How far it went is what fits the depths best. None where the pixels do not tell.
    """
    p = problem
    before, after = p.pixels[-2], p.pixels[-1]
    seen = np.isfinite(before[:, 0]) & np.isfinite(after[:, 0])
    if np.count_nonzero(seen) < 8:
        return None
    matrix = np.diag([p.focal_px, p.focal_px, 1.0])
    essential, mask = cv2.findEssentialMat(
        before[seen], after[seen], matrix, cv2.RANSAC, _EPIPOLAR_SURE, _EPIPOLAR_PX, _EPIPOLAR_ROUNDS
    )
    if essential is None or essential.shape != (3, 3):
        return None
    _, rotation, direction, _ = cv2.recoverPose(essential, before[seen], after[seen], matrix, mask=mask)
    world = world_points(p.world_from_camera, p.pixels, p.host, p.log_inverse_depth, p.focal_px)[seen]
    kept = p.world_from_camera[-2]
    depth = float(np.median(((world - kept[:3, 3]) @ kept[:3, :3])[:, 2]))
    best, best_cost = None, math.inf
    for share in _EPIPOLAR_STEPS:
        newest_from_kept = np.eye(4)
        newest_from_kept[:3, :3], newest_from_kept[:3, 3] = rotation, share * depth * direction[:, 0]
        camera = kept @ np.linalg.inv(newest_from_kept)
        cost = _cost(camera, world, after[seen], p.focal_px)
        if cost < best_cost:
            best, best_cost = camera, cost
    return best


def _cost(camera: np.ndarray, world: np.ndarray, pixels: np.ndarray, focal_px: float) -> float:
    local = (world - camera[:3, 3]) @ camera[:3, :3]
    z = np.maximum(local[:, 2], 1e-6)[:, None]
    error = np.linalg.norm(focal_px * local[:, :2] / z - pixels, axis=1)
    return float(np.minimum(np.where(local[:, 2] > 0, error, np.inf), _COST_PX).sum())


def _ransac(start: np.ndarray, world: np.ndarray, pixels: np.ndarray, focal_px: float) -> np.ndarray | None:
    camera_from_world = np.linalg.inv(start)
    rotation, _ = cv2.Rodrigues(camera_from_world[:3, :3])
    matrix = np.diag([focal_px, focal_px, 1.0])
    try:
        is_found, rotation, translation, _ = cv2.solvePnPRansac(
            world,
            pixels,
            matrix,
            None,
            rotation,
            camera_from_world[:3, 3:].copy(),
            useExtrinsicGuess=True,
            iterationsCount=_RANSAC_ROUNDS,
            reprojectionError=_RANSAC_PX,
        )
    except cv2.error:
        return None  # degenerate points: all on one line of sight, say
    if not is_found or not np.isfinite(translation).all():
        return None
    camera_from_world[:3, :3] = cv2.Rodrigues(rotation)[0]
    camera_from_world[:3, 3] = translation[:, 0]
    return np.linalg.inv(camera_from_world)
