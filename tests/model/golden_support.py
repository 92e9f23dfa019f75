"""Golden cases: where they lie, how their parameters are made, and how far an output may deviate."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zipmap_model as zm

_ROOT = Path(__file__).parents[2]
_SHIPPED = Path(__file__).parent / "golden"  # a representative subset, so that a clone can test itself
_COMPLETE = _ROOT.parent / "shared" / "golden"
FOLDER = _COMPLETE if _COMPLETE.is_dir() else _SHIPPED

_TOKENS = {
    "cls_token",
    "pos_embed",
    "register_tokens",
    "mask_token",
    "camera_token",
    "register_token",
    "ray_cond_token",
    "empty_pose_tokens",
}


@dataclass(frozen=True, eq=False)
class Case:
    """One golden case: its description, inputs and exact outputs."""

    spec: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def tensor(self, name: str) -> Tensor:
        """An input or output, by its name with the prefix ``in/`` or ``out/``."""
        return torch.from_numpy(self.arrays[name])

    def check(self, name: str, mine: Tensor) -> None:
        """Compare with ``out/name`` under the measured bounds of that output."""
        want, bounds = self.tensor(f"out/{name}").double(), self.spec["outputs"][name]
        assert mine.shape == want.shape, f"{name}: {tuple(mine.shape)} != {tuple(want.shape)}"
        error = mine.double() - want
        relative = _ratio(error.abs().max(), want.abs().max())
        frobenius = _ratio(error.norm(), want.norm())
        # Single entries of a bf16 Newton-Schulz are not reproducible across operation orders.
        is_noisy = (
            self.spec.get("newton_schulz") == "bf16" or "nsbf16" in self.spec["name"] or "bf16." in name
        )
        fro_bound = bounds.get("suggested_fro")
        if fro_bound is not None:
            assert frobenius <= fro_bound, f"{name}: Frobenius {frobenius:.2e} > {fro_bound:.2e}"
        if fro_bound is None or not is_noisy:
            bound = bounds["suggested_rel_to_max"]
            assert relative <= bound, f"{name}: {relative:.2e} of the maximum > {bound:.2e}"


def _ratio(error: Tensor, size: Tensor) -> float:
    return float(error / size) if size > 0 else float(error)


@cache
def index() -> dict[str, dict[str, Any]]:
    """All cases by name."""
    cases = json.loads((FOLDER / "index.json").read_text())["cases"]
    return {case["name"]: case for case in cases}


def names(kind: str) -> list[str]:
    """Names of the cases whose kind starts so."""
    return [name for name, case in index().items() if case["kind"].startswith(kind)]


def load(name: str) -> Case:
    """Read a case, or skip the test where only the subset is at hand."""
    if name not in index():
        pytest.skip(f"golden case {name} is not part of the subset shipped with the project")
    spec = index()[name]
    with np.load(FOLDER / spec["file"]) as file:
        return Case(spec, {key: file[key] for key in file.files})


def parameter(name: str, shape: tuple[int, ...], seed: int, gamma: float) -> Tensor:
    """One parameter by the recipe of the golden index, keyed by its published name."""
    key = (seed << 32) + zlib.crc32(name.encode())
    noise = np.random.Generator(np.random.Philox(key=key)).standard_normal(shape)
    last = name.rsplit(".", 1)[-1]
    if last == "gamma":
        value = gamma * (1 + 0.1 * noise)
    elif last == "bias":
        value = 0.02 * noise
    elif last in ("w0", "w1", "w2"):
        value = noise * math.sqrt(2 / shape[1])
    elif last in _TOKENS:
        value = 0.5 * noise
    elif last == "weight" and len(shape) == 1:
        value = 1 + 0.1 * noise
    elif last == "weight" and len(shape) == 2:
        value = noise / math.sqrt(shape[1])
    elif ".resize_layers.0." in name or ".resize_layers.1." in name:
        value = noise / math.sqrt(shape[0])
    elif name.endswith("output_conv2.2.weight"):
        value = noise * math.sqrt(0.25 / math.prod(shape[1:]))
    elif ".scratch." in name:
        value = noise * math.sqrt(1.5 / math.prod(shape[1:]))
    else:
        value = noise / math.sqrt(math.prod(shape[1:]))
    return torch.from_numpy(value.astype(np.float32))


def fill(module: nn.Module, *, prefix: str = "", seed: int = 0, gamma: float = 0.5) -> None:
    """Give every parameter of a module its recipe value."""
    state = {
        name: parameter(prefix + name, tuple(tensor.shape), seed, gamma)
        for name, tensor in module.state_dict().items()
    }
    module.load_state_dict(state)


def tiny_config(case: Case, **changes: Any) -> zm.ZipMapConfig:
    """The tiny model of a case in our terms."""
    given = case.spec["config"]
    fields: dict[str, Any] = {
        "embed_dim": given["embed_dim"],
        "num_heads": given["num_heads"],
        "encoder_depth": given["encoder_depth"],
        "encoder_heads": given["encoder_heads"],
        "ttt_head_dim": given["ttt_head_dim"],
        "ttt_expansion": given["inter_multi"],
        "image_size": given["img_size"],
        "dpt_features": given["dpt_features"],
        "dpt_channels": tuple(given["dpt_out_channels"]),
        "affine_invariant": given.get("affine_invariant", True),
        "newton_schulz_dtype": "float32" if case.spec.get("newton_schulz") == "fp32" else "bfloat16",
    }
    return zm.ZipMapConfig(**(fields | changes))


def images(case: Case, name: str = "in/images_u8") -> Tensor:
    """uint8 (..., H, W, 3) -> float (B, S, 3, H, W)."""
    tensor = case.tensor(name).float().div(255).movedim(-1, -3)
    return tensor if tensor.ndim == 5 else tensor[None]
