"""The one place where OpenCV axes become OpenGL axes, and the geometry of viewing rays.

The application speaks OpenCV (x right, y down, z forward). OpenGL and VisPy want x right, y up, z backward,
for the world (so that the first camera's -y points up on the screen) as well as for the camera.
"""

from __future__ import annotations

import numpy as np

_FLIP = np.diag([1.0, -1.0, -1.0, 1.0])


def flipped_axes(matrix: np.ndarray) -> np.ndarray:
    """Turn a (4, 4) pose between OpenCV and OpenGL axes, on both its sides; its own inverse, and exact.

    ``gl_world_from_gl_camera = flipped_axes(world_from_camera)`` and back. Only signs change, so a round trip
    returns the same bits.
    """
    flipped: np.ndarray = _FLIP @ matrix @ _FLIP
    return flipped


def gl_world_from_world() -> np.ndarray:
    """(4, 4) matrix that shows content in OpenCV world axes upright in VisPy's world."""
    return _FLIP.copy()


def focal_px(fov_y_rad: float, height_px: float) -> float:
    """Focal length of a view whose vertical field of view is ``fov_y_rad``, in its pixels."""
    return 0.5 * height_px / float(np.tan(0.5 * fov_y_rad))


def frustum_corners(intrinsics: np.ndarray, size_hw: tuple[int, int], depth: float) -> np.ndarray:
    """(4, 3) outer corners of an image at ``depth``, camera space, clockwise from the top left.

    Pixel centres sit at integers, so the picture reaches from -0.5 to W - 0.5: these are the rays that a
    model asked with the same intrinsics and size fills, no more and no less.
    """
    height, width = size_hw
    u = np.array([-0.5, width - 0.5, width - 0.5, -0.5])
    v = np.array([-0.5, -0.5, height - 0.5, height - 0.5])
    x = (u - intrinsics[0, 2]) / intrinsics[0, 0] * depth
    y = (v - intrinsics[1, 2]) / intrinsics[1, 1] * depth
    return np.stack([x, y, np.full(4, depth)], axis=1)


def frusta_corners(
    world_from_camera: np.ndarray, intrinsics: np.ndarray, sizes_hw: np.ndarray, depth: float
) -> np.ndarray:
    """(N, 5, 3) world space: the eyes of N cameras, then their pictures' corners as in ``frustum_corners``.

    world_from_camera (N, 4, 4), intrinsics (N, 3, 3), sizes_hw (N, 2).
    """
    right, bottom = sizes_hw[:, 1] - 0.5, sizes_hw[:, 0] - 0.5
    low = np.full(len(sizes_hw), -0.5)
    u = np.stack([low, right, right, low], axis=1)
    v = np.stack([low, low, bottom, bottom], axis=1)
    x = (u - intrinsics[:, 0, 2, None]) / intrinsics[:, 0, 0, None] * depth
    y = (v - intrinsics[:, 1, 2, None]) / intrinsics[:, 1, 1, None] * depth
    in_camera = np.zeros((len(sizes_hw), 5, 3))
    in_camera[:, 1:] = np.stack([x, y, np.full_like(x, depth)], axis=2)
    in_world: np.ndarray = np.einsum("nij,nkj->nki", world_from_camera[:, :3, :3], in_camera)
    in_world += world_from_camera[:, None, :3, 3]
    return in_world


def frusta_segments(corners: np.ndarray) -> np.ndarray:
    """(N * 18, 3) float32 end points for (N, 5, 3) corners: four edges, the picture's border, an up mark."""
    eye, top_left, top_right, bottom_right, bottom_left = corners.transpose(1, 0, 2)
    top = 0.5 * (top_left + top_right)
    ends = [eye, top_left, eye, top_right, eye, bottom_right, eye, bottom_left]
    ends += [top_left, top_right, top_right, bottom_right, bottom_right, bottom_left, bottom_left, top_left]
    ends += [top, top + (top_left - bottom_left) * 0.18]
    return np.stack(ends, axis=1).reshape(-1, 3).astype(np.float32)


def frustum_segments(
    world_from_camera: np.ndarray, intrinsics: np.ndarray, size_hw: tuple[int, int], depth: float
) -> np.ndarray:
    """(18, 3) float32 end points of one camera's line segments."""
    corners = frusta_corners(world_from_camera[None], intrinsics[None], np.array([size_hw]), depth)
    return frusta_segments(corners)
