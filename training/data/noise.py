"""Hash-based value noise: the same numbers on CPU and CUDA, no tables, no state.

Shapes broadcast; coordinates are float32, seeds int32. All results lie in [0, 1).
"""

from __future__ import annotations

import torch
from torch import Tensor

_PRIME_X = 374761393
_PRIME_Y = 668265263
_PRIME_Z = 1442695041
_PRIME_SEED = 1274126177


def hash_unit(x: Tensor, y: Tensor, z: Tensor, seed: Tensor) -> Tensor:
    """Pseudo-random float in [0, 1) of int32 lattice coordinates; int32 products wrap on purpose."""
    h = x * _PRIME_X + y * _PRIME_Y + z * _PRIME_Z + seed * _PRIME_SEED
    h = (h ^ (h >> 13)) * _PRIME_SEED
    h = (h ^ (h >> 15)) * _PRIME_X
    h = h ^ (h >> 16)
    return (h & 0xFFFFFF).to(torch.float32) * (1.0 / 0x1000000)


def _fade(t: Tensor) -> Tensor:
    return t * t * (3.0 - 2.0 * t)


def value_noise(x: Tensor, y: Tensor, z: Tensor, seed: Tensor) -> Tensor:
    """Smoothly interpolated lattice noise with a wavelength of about one unit."""
    fx, fy, fz = x.floor(), y.floor(), z.floor()
    ix, iy, iz = fx.to(torch.int32), fy.to(torch.int32), fz.to(torch.int32)
    u, v, w = _fade(x - fx), _fade(y - fy), _fade(z - fz)

    def along_x(dy: int, dz: int) -> Tensor:
        left = hash_unit(ix, iy + dy, iz + dz, seed)
        right = hash_unit(ix + 1, iy + dy, iz + dz, seed)
        return left + (right - left) * u

    near = along_x(0, 0) + (along_x(1, 0) - along_x(0, 0)) * v
    far = along_x(0, 1) + (along_x(1, 1) - along_x(0, 1)) * v
    return near + (far - near) * w


def band_limit(frequency: Tensor, footprint: Tensor) -> Tensor:
    """How much of a detail of `frequency` (1/m) survives pixels of `footprint` (m): 1 all, 0 nothing."""
    cycles_per_pixel = frequency * footprint
    return _fade(((0.5 - cycles_per_pixel) * (1.0 / 0.35)).clamp(0.0, 1.0))
