"""Depth of every pixel, made to agree with the frames before: carried over from them, and swept against them.

A depth map knows the shapes in front of the camera and errs differently in every frame. Two things bring the maps
together once the cameras are known. What was known of a surface a frame ago is carried into the new view and
averaged with what the new map says, where the two agree. And a plane sweep looks along each ray, a little nearer
and a little farther, for the depth at which an earlier picture shows the same pattern; without a pattern nothing
is moved.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from zipmap_app.sources.opencv import cv2

_AGREEMENT = 0.3  # of log depth: further apart, two depths belong to different surfaces
_MAX_WEIGHT = 5.0  # frames that the memory of a pixel counts for
_LONGEST_SIDE = 120  # pixels of the sweep: its pictures are half as large as the depth of small models
_SPAN = 0.2  # of log depth, to both sides
_N_DEPTHS = 7
_PATCH = 5  # pixels of the sweep that are compared
_POOL = 5  # pixels of the sweep whose costs are pooled
_NOISE = 4.0  # grey levels: a pattern as weak as that correlates with nothing
_LIKELY_NEAR = 0.2  # cost of the farthest depths: unless the pictures say otherwise, the map is right
_WEAKEST, _STRONGEST = (
    0.05,
    0.35,
)  # correlation gained over the mean of all depths: nothing, and all is believed
_SPREAD = 2.0  # pixels of the sweep over which what was found is spread
_DOUBT = 0.15  # share of believing pixels at which half of what they found is taken
_BEST_PARALLAX, _LEAST_PARALLAX = 0.08, 0.015  # way between two cameras over the median depth
_KEPT_PARALLAX = 0.02  # between two pictures that are kept
_N_KEPT = 6
_MAX_TURN = 0.8  # cosine: pictures that look elsewhere are not compared


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """An earlier picture that later ones are compared with."""

    picture: np.ndarray  # (h, w) float32 grey levels, at the size of the sweep
    world_from_camera: np.ndarray  # (4, 4)
    focal_px: float  # in pixels of the depth map


@dataclass(frozen=True, slots=True, eq=False)
class DenseMemory:
    """What is known of the depth of the newest view, and the pictures to compare the next with."""

    log_depth: np.ndarray  # (H, W) float32
    weight: np.ndarray  # (H, W) float32, frames' worth
    world_from_camera: np.ndarray  # (4, 4)
    focal_px: float
    references: tuple[Reference, ...]

    def weighed(self, confidence: np.ndarray) -> np.ndarray:
        """Confidence (H, W) float32 of this view, more of it where frames agree and less where they do not."""
        weighed: np.ndarray = confidence * (self.weight / self.weight.mean())
        return weighed

    @property
    def memory_bytes(self) -> int:
        pictures = sum(reference.picture.nbytes for reference in self.references)
        return self.log_depth.nbytes + self.weight.nbytes + pictures


def refine(
    depth: np.ndarray,
    grey: np.ndarray,
    world_from_camera: np.ndarray,
    focal_px: float,
    memory: DenseMemory | None,
) -> DenseMemory:
    """The depth (H, W) float32 of a view, better than it came; also what to remember for the next.

    ``grey`` (H', W') uint8 shows the same field of view; ``focal_px`` is in pixels of the depth map, whose pixel
    u lies on the ray (u - W / 2) / focal. ``memory`` is None where nothing before can be trusted.
    """
    log_depth = np.log(np.clip(depth, np.float32(1e-6), np.float32(1e6)))
    weight = np.ones_like(log_depth)
    small = cv2.resize(grey, _sweep_size(depth.shape), interpolation=cv2.INTER_AREA)
    newest = Reference(small.astype(np.float32), world_from_camera, focal_px)
    kept: tuple[Reference, ...] = ()
    typical = math.exp(float(np.median(log_depth)))
    if memory is not None:
        log_depth, weight = _carried(log_depth, world_from_camera, focal_px, memory)
        kept = memory.references
        reference = _best_of(kept, newest, typical)
        if reference is not None:
            offset, belief = _swept(log_depth, newest, reference)
            log_depth, weight = log_depth + offset, weight + belief
    if not kept or _parallax(kept[-1], newest, typical) > _KEPT_PARALLAX:
        kept = (*kept, newest)[-_N_KEPT:]
    return DenseMemory(log_depth, weight, world_from_camera, focal_px, kept)


def _sweep_size(shape: tuple[int, ...]) -> tuple[int, int]:
    """Width and height of the pictures of the sweep for depth maps (H, W)."""
    times = max(2, math.ceil(max(shape) / _LONGEST_SIDE))
    return shape[1] // times, shape[0] // times


def _rays(shape: tuple[int, ...], focal: float, centre: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """x (1, W) and y (H, 1) of the rays at z = 1, float32."""
    x = (np.arange(shape[1], dtype=np.float32) - np.float32(centre[0])) / np.float32(focal)
    y = (np.arange(shape[0], dtype=np.float32) - np.float32(centre[1])) / np.float32(focal)
    return x[None], y[:, None]


def _carried(
    log_depth: np.ndarray, world_from_camera: np.ndarray, focal_px: float, memory: DenseMemory
) -> tuple[np.ndarray, np.ndarray]:
    """Log depth averaged with what is remembered, and the weight of it.

    A pixel asks the memory where its own depth says that it was seen: that is right where both agree, and only
    there the answer is taken.
    """
    height, width = log_depth.shape
    centre = (width / 2, height / 2)
    before_from_now = (np.linalg.inv(memory.world_from_camera) @ world_from_camera).astype(np.float32)
    turn, way = before_from_now[:3, :3], before_from_now[:3, 3]
    x, y = _rays(log_depth.shape, focal_px, centre)
    depth = np.exp(log_depth)
    # The points of this view in the camera before; row by row, so that nothing of (H, W, 3) is made.
    there = [(turn[k, 0] * x + turn[k, 1] * y + turn[k, 2]) * depth + way[k] for k in range(3)]
    is_ahead = there[2] > np.float32(1e-3) * depth
    z = np.where(is_ahead, there[2], depth)
    focal_before = np.float32(memory.focal_px)
    u = there[0] / z * focal_before + np.float32(centre[0])
    v = there[1] / z * focal_before + np.float32(centre[1])
    remembered = np.exp(_sampled(memory.log_depth, u, v, cv2.INTER_LINEAR))
    known = _sampled(memory.weight, u, v, cv2.INTER_NEAREST)
    # That surface seen from here: the third row of the way back.
    back = -turn.T @ way
    ray_x, ray_y = (u - np.float32(centre[0])) / focal_before, (v - np.float32(centre[1])) / focal_before
    seen = (turn[0, 2] * ray_x + turn[1, 2] * ray_y + turn[2, 2]) * remembered + back[2]
    is_usable = is_ahead & _inside(u, v, log_depth.shape) & (seen > np.float32(1e-3) * depth)
    difference = np.log(np.where(is_usable, seen, depth)) - log_depth
    trust = 1 / np.square(1 + np.square(difference / np.float32(_AGREEMENT)))
    weight = np.where(is_usable, np.minimum(known, np.float32(_MAX_WEIGHT)) * trust, np.float32(0.0))
    return log_depth + difference * weight / (1 + weight), 1 + weight


def _best_of(kept: tuple[Reference, ...], newest: Reference, typical: float) -> Reference | None:
    """The reference with the best parallax for a sweep: enough to tell depths apart, and still alike.

    A second one costs as much again and made no difference to the error of depth.
    """
    best, least = None, math.inf
    for reference in kept:
        parallax = _parallax(reference, newest, typical)
        looks_along = reference.world_from_camera[:3, 2] @ newest.world_from_camera[:3, 2] > _MAX_TURN
        if parallax > _LEAST_PARALLAX and looks_along:
            off = abs(math.log(parallax / _BEST_PARALLAX))
            if off < least:
                best, least = reference, off
    return best


def _parallax(first: Reference, second: Reference, typical: float) -> float:
    way = first.world_from_camera[:3, 3] - second.world_from_camera[:3, 3]
    return float(np.linalg.norm(way)) / typical


def _swept(log_depth: np.ndarray, newest: Reference, reference: Reference) -> tuple[np.ndarray, np.ndarray]:
    """What to add to the log depth (H, W), and how surely (H, W) from 0 to 1."""
    height, width = log_depth.shape
    small_height, small_width = newest.picture.shape
    depth = np.exp(cv2.resize(log_depth, (small_width, small_height), interpolation=cv2.INTER_AREA))
    offsets = np.linspace(-_SPAN, _SPAN, _N_DEPTHS, dtype=np.float32)
    cost = _dissimilarity(depth, newest, reference, small_width / width, offsets)
    cost += _LIKELY_NEAR * np.square(offsets / np.float32(_SPAN))
    offset, belief = _lowest(_blurred(cost, _POOL), offsets)
    believed = cv2.GaussianBlur(belief, (0, 0), _SPREAD)
    offset = cv2.GaussianBlur(offset * belief, (0, 0), _SPREAD) / (believed + np.float32(_DOUBT))
    return cv2.resize(offset, (width, height)), cv2.resize(believed, (width, height))


def _dissimilarity(
    depth: np.ndarray, newest: Reference, reference: Reference, shrunk: float, offsets: np.ndarray
) -> np.ndarray:
    """One minus the correlation of patches (h, w, D) with those at D depths of each ray, in the reference.

    ``shrunk`` is the size of these pictures over that of the depth map they belong to.
    """
    height, width = depth.shape
    # The pictures' edges meet those of the depth map, whose centre is half a pixel beyond its middle.
    centre = ((width + shrunk - 1) / 2, (height + shrunk - 1) / 2)
    there_from_here = (np.linalg.inv(reference.world_from_camera) @ newest.world_from_camera).astype(
        np.float32
    )
    turn, way = there_from_here[:3, :3], there_from_here[:3, 3]
    x, y = _rays((height, width), newest.focal_px * shrunk, centre)
    # A depth farther by a factor is as good as a way shorter by it.
    nearer = np.exp(-offsets)
    along = [(turn[k, 0] * x + turn[k, 1] * y + turn[k, 2]) * depth for k in range(3)]
    z = np.maximum(along[2][..., None] + way[2] * nearer, np.float32(1e-3) * depth[..., None])
    scale = np.float32(reference.focal_px * shrunk) / z
    u = (along[0][..., None] + way[0] * nearer) * scale + np.float32(centre[0])
    v = (along[1][..., None] + way[1] * nearer) * scale + np.float32(centre[1])
    theirs = _sampled(reference.picture, u, v, cv2.INTER_LINEAR)
    mine = newest.picture
    my_mean = _blurred(mine, _PATCH)
    my_variance = _blurred(mine * mine, _PATCH) - my_mean * my_mean
    mean = _blurred(theirs, _PATCH)
    variance = _blurred(theirs * theirs, _PATCH) - mean * mean
    together = _blurred(mine[..., None] * theirs, _PATCH) - my_mean[..., None] * mean
    spread = np.sqrt(np.maximum(my_variance[..., None] * variance, 0) + np.float32(_NOISE**2))
    is_seen = _inside(u, v, reference.picture.shape)
    # Times, not np.where, which takes five times as long.
    dissimilarity: np.ndarray = 1 - together / spread * is_seen
    return dissimilarity


def _lowest(cost: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the cost (h, w, D) is lowest, between the offsets too, and how far that stands out, 0 to 1."""
    n = len(offsets)
    # Plane by plane: along the last axis argmin and mean take four times as long.
    planes = np.ascontiguousarray(cost.transpose(2, 0, 1)).reshape(n, -1)
    lowest, best = planes[0], np.zeros(planes.shape[1], np.intp)
    for k in range(1, n):
        best = np.where(planes[k] < lowest, k, best)
        lowest = np.minimum(lowest, planes[k])
    inner, pixels = np.clip(best, 1, n - 2), np.arange(len(best))
    before, at, after = (planes[inner + k, pixels] for k in (-1, 0, 1))
    bend = np.maximum(before - 2 * at + after, np.float32(1e-6))
    between = np.clip((before - after) / (2 * bend), -0.5, 0.5)
    offset = offsets[inner] + between * (offsets[1] - offsets[0])
    gain = planes.mean(axis=0) - lowest
    belief = np.clip((gain - _WEAKEST) / (_STRONGEST - _WEAKEST), 0, 1)
    # The lowest cost at an end says only that the depth is farther off than was looked.
    belief = belief * ((best > 0) & (best < n - 1))
    shape = cost.shape[:2]
    return offset.reshape(shape).astype(np.float32), belief.reshape(shape).astype(np.float32)


def _blurred(picture: np.ndarray, side: int) -> np.ndarray:
    """Mean over squares, of every channel."""
    blurred: np.ndarray = cv2.blur(picture, (side, side), borderType=cv2.BORDER_REPLICATE)
    return blurred


def _sampled(picture: np.ndarray, u: np.ndarray, v: np.ndarray, how: int) -> np.ndarray:
    """Values (...) of a picture at pixels u, v (...); outside of it those of its border."""
    flat = (len(u), -1)
    values: np.ndarray = cv2.remap(
        picture, u.reshape(flat), v.reshape(flat), how, borderMode=cv2.BORDER_REPLICATE
    )
    return values.reshape(u.shape)


def _inside(u: np.ndarray, v: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Whether pixels u, v lie on a picture (H, W), its outer half pixels included."""
    height, width = shape
    inside: np.ndarray = (u > -0.5) & (u < width - 0.5) & (v > -0.5) & (v < height - 0.5)
    return inside
