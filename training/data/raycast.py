"""Ray casting against boxes, ellipsoids, cylinders, gables, pyramids and the inside of a room, in plain tensors.

V ray blocks (each with its own table of P primitives), R rays of a block. A primitive is a unit shape in its own
local space, `local = local_from_world @ world + local_offset`; a ray keeps its parameter t under that affine map,
so t found in local space is the distance along the world ray in units of its direction.
"""

from __future__ import annotations

from enum import IntEnum

import torch
from torch import Tensor

NO_HIT = 1e9
_EPSILON = 1e-9


class Shape(IntEnum):
    """Unit shapes; z is up, all lie in [-1, 1]^3."""

    NONE = 0
    BOX = 1
    ELLIPSOID = 2
    CYLINDER = 3  # axis z
    GABLE = 4  # triangular prism along y, its ridge at z = 1
    PYRAMID = 5  # square base at z = -1, tip at z = 1
    ROOM = 6  # a box seen from inside


# Plain integers: torch.compile does not compare tensors with enum members.
_NONE, _ELLIPSOID, CYLINDER = int(Shape.NONE), int(Shape.ELLIPSOID), int(Shape.CYLINDER)
_GABLE, _PYRAMID, _ROOM = int(Shape.GABLE), int(Shape.PYRAMID), int(Shape.ROOM)


def _inverse(x: Tensor) -> Tensor:
    """1/x that keeps a finite size at zero, so that slab arithmetic has no inf - inf."""
    return 1.0 / torch.where(x.abs() < _EPSILON, torch.full_like(x, _EPSILON), x)


def _half_space(height: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """Interval of t where height + slope * t <= 0, as (enter, leave)."""
    t = -height * _inverse(slope)
    entering = slope < 0
    return torch.where(entering, t, -NO_HIT), torch.where(entering, NO_HIT, t)


def _quadratic(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Interval where a t^2 + 2 b t + c <= 0 for a >= 0; empty (enter > leave) without real roots."""
    discriminant = b * b - a * c
    root = discriminant.clamp(min=0).sqrt()
    inverse = 1.0 / a.clamp(min=_EPSILON)
    # A ray along the axis of a tube has no t in the inequality: it is inside for ever, or never.
    along = a < _EPSILON
    miss = (discriminant < 0) | (along & (c > 0))
    near = torch.where(along, -NO_HIT, (-b - root) * inverse)
    far = torch.where(along, NO_HIT, (-b + root) * inverse)
    return torch.where(miss, NO_HIT, near), torch.where(miss, -NO_HIT, far)


def hit_distances(
    shape_VP: Tensor,
    local_from_world_VP33: Tensor,
    local_offset_VP3: Tensor,
    origin_VR3: Tensor,
    direction_VR3: Tensor,
) -> Tensor:
    """t of every ray with every primitive, (V, P, R); NO_HIT where it misses. origin may be (V, 1, 3).

    A ray that starts inside a solid does not see that solid.
    """
    A = local_from_world_VP33[..., None]
    offset = local_offset_VP3[..., None]
    ox, oy, oz = (c[:, None] for c in origin_VR3.unbind(-1))
    dx, dy, dz = (c[:, None] for c in direction_VR3.unbind(-1))
    px, py, pz = (
        A[:, :, i, 0] * ox + A[:, :, i, 1] * oy + A[:, :, i, 2] * oz + offset[:, :, i] for i in range(3)
    )
    qx, qy, qz = (A[:, :, i, 0] * dx + A[:, :, i, 1] * dy + A[:, :, i, 2] * dz for i in range(3))
    shape = shape_VP[..., None]

    ix, iy, iz = _inverse(qx), _inverse(qy), _inverse(qz)
    near_x, far_x = torch.minimum((-1 - px) * ix, (1 - px) * ix), torch.maximum((-1 - px) * ix, (1 - px) * ix)
    near_y, far_y = torch.minimum((-1 - py) * iy, (1 - py) * iy), torch.maximum((-1 - py) * iy, (1 - py) * iy)
    near_z, far_z = torch.minimum((-1 - pz) * iz, (1 - pz) * iz), torch.maximum((-1 - pz) * iz, (1 - pz) * iz)

    # Sloping sides of gable (x) and pyramid (x and y): 2|x| + z <= 1.
    right = _half_space(2 * px + pz - 1, 2 * qx + qz)
    left = _half_space(-2 * px + pz - 1, -2 * qx + qz)
    front = _half_space(2 * py + pz - 1, 2 * qy + qz)
    back = _half_space(-2 * py + pz - 1, -2 * qy + qz)
    roof_near, roof_far = torch.maximum(right[0], left[0]), torch.minimum(right[1], left[1])
    side_near, side_far = torch.maximum(front[0], back[0]), torch.minimum(front[1], back[1])

    qxy, pq_xy, pxy = qx * qx + qy * qy, px * qx + py * qy, px * px + py * py
    tube_near, tube_far = _quadratic(qxy, pq_xy, pxy - 1)
    ball_near, ball_far = _quadratic(qxy + qz * qz, pq_xy + pz * qz, pxy + pz * pz - 1)

    is_cylinder = shape == CYLINDER
    is_sloped = (shape == _GABLE) | (shape == _PYRAMID)
    is_pyramid = shape == _PYRAMID
    near_xy = torch.where(is_cylinder, tube_near, torch.maximum(near_x, near_y))
    far_xy = torch.where(is_cylinder, tube_far, torch.minimum(far_x, far_y))
    near, far = torch.maximum(near_xy, near_z), torch.minimum(far_xy, far_z)
    near = torch.where(is_sloped, torch.maximum(near, roof_near), near)
    far = torch.where(is_sloped, torch.minimum(far, roof_far), far)
    near = torch.where(is_pyramid, torch.maximum(near, side_near), near)
    far = torch.where(is_pyramid, torch.minimum(far, side_far), far)
    is_ball = shape == _ELLIPSOID
    near, far = torch.where(is_ball, ball_near, near), torch.where(is_ball, ball_far, far)

    t = torch.where(shape == _ROOM, far, near)
    seen = (near < far) & (t > 1e-4) & (shape != _NONE)
    return torch.where(seen, t, NO_HIT)


def local_normals(shape: Tensor, point: Tensor) -> Tensor:
    """Outward normal (not normalised) in local space of a local surface point (..., 3)."""
    x, y, z = point.unbind(-1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    ax, ay, az = x.abs(), y.abs(), z.abs()
    x_wins = (ax >= ay) & (ax >= az)
    y_wins = ~x_wins & (ay >= az)
    z_wins = ~x_wins & ~y_wins
    sx, sy, sz = torch.sign(x), torch.sign(y), torch.sign(z)
    box = torch.stack(
        (torch.where(x_wins, sx, zero), torch.where(y_wins, sy, zero), torch.where(z_wins, sz, zero)), -1
    )

    cap = az > 0.9995
    tube = torch.stack((torch.where(cap, zero, x), torch.where(cap, zero, y), torch.where(cap, sz, zero)), -1)

    # The active constraint of a sloped solid is the one closest to its bound.
    slope_x, slope_y, floor = 2 * ax + z - 1, 2 * ay + z - 1, -1 - z
    gable_end = ay - 1
    is_pyramid = shape == _PYRAMID
    end = torch.where(is_pyramid, slope_y, gable_end)
    on_x = (slope_x >= end) & (slope_x >= floor)
    on_y = ~on_x & (end >= floor)
    on_z = ~on_x & ~on_y
    sloped = torch.stack(
        (
            torch.where(on_x, 2 * sx, zero),
            torch.where(on_y, torch.where(is_pyramid, 2 * sy, sy), zero),
            torch.where(on_x | (on_y & is_pyramid), one, torch.where(on_z, -one, zero)),
        ),
        -1,
    )
    kind = shape[..., None]
    normal = torch.where(kind == _ELLIPSOID, point, box)
    normal = torch.where(kind == CYLINDER, tube, normal)
    normal = torch.where((kind == _GABLE) | is_pyramid[..., None], sloped, normal)
    return torch.where(kind == _ROOM, -normal, normal)
