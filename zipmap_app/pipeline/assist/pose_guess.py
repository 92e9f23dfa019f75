"""Where to start looking for a camera, and where it sees the landmarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zipmap_app.pipeline.assist.adjustment import Problem
from zipmap_app.pipeline.assist.state import Landmarks
from zipmap_app.sources.opencv import cv2

_RANSAC_ROUNDS = 60
_RANSAC_PX = 4.0
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
