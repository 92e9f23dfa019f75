"""Cameras, rays and points (spec/model.md 10). Conventions: zipmap_model.conventions."""

from __future__ import annotations

import torch
from torch import Tensor


def rotation_from_quaternion(quaternion: Tensor) -> Tensor:
    """Quaternions (..., 4), scalar last, of any length but zero -> rotation matrices (..., 3, 3)."""
    x, y, z, w = quaternion.unbind(-1)
    s = 2.0 / quaternion.square().sum(-1)
    rows = [
        1 - s * (y * y + z * z),
        s * (x * y - z * w),
        s * (x * z + y * w),
        s * (x * y + z * w),
        1 - s * (x * x + z * z),
        s * (y * z - x * w),
        s * (x * z - y * w),
        s * (y * z + x * w),
        1 - s * (x * x + y * y),
    ]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def quaternion_from_rotation(rotation: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) -> unit quaternions (..., 4), scalar last and not negative."""
    m = rotation.flatten(-2)
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = m.unbind(-1)
    squares = torch.stack(
        [1 + m00 + m11 + m22, 1 + m00 - m11 - m22, 1 - m00 + m11 - m22, 1 - m00 - m11 + m22], dim=-1
    )
    # The clamp keeps the square root's gradient finite where a candidate vanishes.
    magnitudes = torch.where(squares > 0, squares.clamp(min=1e-12).sqrt(), torch.zeros_like(squares))
    # Four candidates, one for each component taken as the divisor; order w, x, y, z.
    candidates = (
        torch.stack(
            [
                torch.stack([magnitudes[..., 0] ** 2, m21 - m12, m02 - m20, m10 - m01], dim=-1),
                torch.stack([m21 - m12, magnitudes[..., 1] ** 2, m10 + m01, m02 + m20], dim=-1),
                torch.stack([m02 - m20, m10 + m01, magnitudes[..., 2] ** 2, m12 + m21], dim=-1),
                torch.stack([m10 - m01, m20 + m02, m21 + m12, magnitudes[..., 3] ** 2], dim=-1),
            ],
            dim=-2,
        )
        / (2 * magnitudes.clamp(min=0.1))[..., None]
    )
    best = magnitudes.argmax(dim=-1)[..., None, None].expand(*magnitudes.shape[:-1], 1, 4)
    wxyz = candidates.gather(-2, best).squeeze(-2)
    xyzw = wxyz.roll(-1, dims=-1)
    return torch.where(xyzw[..., 3:] < 0, -xyzw, xyzw)


def pose_encoding_from_rotation_translation_fov(rotation: Tensor, translation: Tensor, fov: Tensor) -> Tensor:
    """Parts of camera_from_world and fields of view (..., 2) (vertical first) -> (..., 9)."""
    return torch.cat([translation, quaternion_from_rotation(rotation), fov], dim=-1)


def cameras_from_pose_encoding(pose_encoding: Tensor, size_hw: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Decode poses for images of ``size_hw`` (spec/model.md 10.1).

    (..., 9) -> camera_from_world (..., 3, 4) and intrinsics (..., 3, 3) in pixels, principal point (W/2, H/2).
    A field of view of exactly zero gives an infinite focal length.
    """
    height, width = size_hw
    rotation = rotation_from_quaternion(pose_encoding[..., 3:7])
    camera_from_world = torch.cat([rotation, pose_encoding[..., :3, None]], dim=-1)
    focal_y = (height / 2) / torch.tan(pose_encoding[..., 7] / 2)
    focal_x = (width / 2) / torch.tan(pose_encoding[..., 8] / 2)
    zero, one = torch.zeros_like(focal_x), torch.ones_like(focal_x)
    rows = [focal_x, zero, one * (width / 2), zero, focal_y, one * (height / 2), zero, zero, one]
    return camera_from_world, torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def pose_encoding_from_cameras(
    camera_from_world: Tensor, intrinsics: Tensor, size_hw: tuple[int, int]
) -> Tensor:
    """Encode camera_from_world (..., 3|4, 4) and intrinsics (..., 3, 3) as (..., 9) (spec/model.md 10.1)."""
    height, width = size_hw
    fov_y = 2 * torch.atan((height / 2) / intrinsics[..., 1, 1])
    fov_x = 2 * torch.atan((width / 2) / intrinsics[..., 0, 0])
    return pose_encoding_from_rotation_translation_fov(
        camera_from_world[..., :3, :3], camera_from_world[..., :3, 3], torch.stack([fov_y, fov_x], dim=-1)
    )


def invert_rigid(transform: Tensor) -> Tensor:
    """Invert rigid transforms (..., 3|4, 4) -> (..., 4, 4)."""
    rotation = transform[..., :3, :3].mT
    translation = -(rotation @ transform[..., :3, 3:])
    top = torch.cat([rotation, translation], dim=-1)
    bottom = torch.zeros_like(top[..., :1, :])
    bottom[..., 0, 3] = 1
    return torch.cat([top, bottom], dim=-2)


def align_to_first_view(camera_from_world: Tensor) -> Tensor:
    """Make the first view the world frame: (..., S, 3|4, 4) -> (..., S, 4, 4) (spec/model.md 10.2)."""
    world_from_first = invert_rigid(camera_from_world[..., :1, :, :])
    full = invert_rigid(invert_rigid(camera_from_world))  # pads 3x4 to 4x4
    return full @ world_from_first


def points_from_depth(depth: Tensor, world_from_camera: Tensor, intrinsics: Tensor) -> Tensor:
    """Unproject depth (..., H, W) with world_from_camera (..., 3|4, 4) -> world points (..., H, W, 3).

    Pixels are counted at integer coordinates (spec/model.md 10.3).
    """
    height, width = depth.shape[-2:]
    v = torch.arange(height, device=depth.device, dtype=depth.dtype)[:, None]
    u = torch.arange(width, device=depth.device, dtype=depth.dtype)
    fx, fy = intrinsics[..., 0, 0, None, None], intrinsics[..., 1, 1, None, None]
    cx, cy = intrinsics[..., 0, 2, None, None], intrinsics[..., 1, 2, None, None]
    in_camera = torch.stack([(u - cx) * depth / fx, (v - cy) * depth / fy, depth], dim=-1)
    return points_from_local(in_camera, world_from_camera)


def points_from_local(local_points: Tensor, world_from_camera: Tensor) -> Tensor:
    """Camera-frame points (..., H, W, 3) -> world points (..., H, W, 3)."""
    rotation = world_from_camera[..., None, :3, :3].to(local_points.dtype)
    translation = world_from_camera[..., None, None, :3, 3].to(local_points.dtype)
    return local_points @ rotation.mT + translation


def ray_scale(world_from_camera: Tensor) -> Tensor:
    """Divisor of query translations: the largest |coordinate| of the input cameras' centres (spec 10.4).

    world_from_camera (B, S, 3|4, 4) of the input views, relative to the first -> (B,).
    """
    return world_from_camera[..., :3, 3].abs().amax(dim=(-2, -1)).clamp(1e-6, 1e6)


def ray_conditions(
    world_from_camera: Tensor,
    intrinsics: Tensor,
    size_hw: tuple[int, int],
    scale: Tensor | float,
) -> Tensor:
    """Rays of query cameras (spec/model.md 10.4).

    world_from_camera (B, T, 3|4, 4) relative to the first input view, intrinsics (B, T, 3, 3) in pixels, image
    size (H, W) and the scale that divides translations, a number or (B,) -> (B, T, 9, H, W): origin, unit
    direction, origin x direction. Intrinsics that imply another image size (2 cx, 2 cy) are scaled to (H, W).
    """
    height, width = size_hw
    intrinsics = intrinsics.clone()
    implied_w = int(2 * intrinsics[..., 0, 2].max())
    implied_h = int(2 * intrinsics[..., 1, 2].max())
    if (implied_h, implied_w) != (height, width):
        intrinsics[..., 0, :] *= width / implied_w
        intrinsics[..., 1, :] *= height / implied_h
    return rays_at_size(world_from_camera, intrinsics, size_hw, scale)


def rays_at_size(
    world_from_camera: Tensor,
    intrinsics: Tensor,
    size_hw: tuple[int, int],
    scale: Tensor | float,
) -> Tensor:
    """``ray_conditions`` for intrinsics known to belong to ``size_hw``: reads nothing back to the host."""
    height, width = size_hw
    fx, fy = intrinsics[..., 0, 0], intrinsics[..., 1, 1]
    cx, cy = intrinsics[..., 0, 2], intrinsics[..., 1, 2]
    u = torch.arange(width, device=intrinsics.device, dtype=intrinsics.dtype) + 0.5
    v = torch.arange(height, device=intrinsics.device, dtype=intrinsics.dtype)[:, None] + 0.5
    x = (u - cx[..., None, None]) / fx[..., None, None]
    y = (v - cy[..., None, None]) / fy[..., None, None]
    x, y = torch.broadcast_tensors(x, y)
    in_camera = torch.stack([x, y, torch.ones_like(x)], dim=-3)  # (B, T, 3, H, W)
    direction = (world_from_camera[..., :3, :3] @ in_camera.flatten(-2)).unflatten(-1, (height, width))
    direction = direction / direction.norm(dim=-3, keepdim=True)
    divisor = scale[:, None, None] if isinstance(scale, Tensor) and scale.ndim else scale
    origin = (world_from_camera[..., :3, 3] / divisor)[..., None, None].expand_as(direction)
    return torch.cat([origin, direction, torch.linalg.cross(origin, direction, dim=-3)], dim=-3)
