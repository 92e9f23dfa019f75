"""Files of a run: full state to resume from, weights in shards of a bounded size, and the file that ships.

Every file is written beside its place and moved there when complete.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

_SHARD_PATTERN = "weights-*.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class RunState:
    """What an uninterrupted continuation needs. The data follow from seed and step."""

    step: int
    model: Mapping[str, Tensor]
    average: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]


def save_run_state(path: Path, state: RunState) -> None:
    """Write the full state, about four times the size of the float32 weights."""
    content = {
        "step": state.step,
        "model": dict(state.model),
        "average": dict(state.average),
        "optimizer": dict(state.optimizer),
    }
    _write_atomically(path, lambda partial: torch.save(content, partial))


def load_run_state(path: Path, device: torch.device) -> RunState:
    """Read what `save_run_state` wrote. Raises FileNotFoundError if there is none."""
    content = torch.load(path, map_location=device, weights_only=True)
    return RunState(content["step"], content["model"], content["average"], content["optimizer"])


def save_shards(directory: Path, tensors: Mapping[str, Tensor], max_bytes: int) -> list[Path]:
    """Write tensors as float16 files of at most `max_bytes` of data each; returns their paths.

    Raises ValueError if a single tensor is larger.
    """
    shards: list[dict[str, Tensor]] = [{}]
    used = 0
    for name, tensor in tensors.items():
        small = tensor.detach().to("cpu", torch.float16).contiguous()
        size = small.numel() * small.element_size()
        if size > max_bytes:
            raise ValueError(f"{name} alone has {size} bytes, more than the {max_bytes} of a shard")
        if used + size > max_bytes:
            shards.append({})
            used = 0
        shards[-1][name] = small
        used += size
    directory.mkdir(parents=True, exist_ok=True)
    paths = [directory / f"weights-{index:02d}.safetensors" for index in range(len(shards))]
    for path, shard in zip(paths, shards, strict=True):
        _write_atomically(path, lambda partial, shard=shard: save_file(shard, partial))  # type: ignore[misc]
    return paths


def load_weights(path: Path) -> dict[str, Tensor]:
    """Tensors of one safetensors file, or of all shards in a directory. Raises FileNotFoundError for neither."""
    files = sorted(path.glob(_SHARD_PATTERN)) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise FileNotFoundError(f"no weights at {path}")
    merged: dict[str, Tensor] = {}
    for file in files:
        merged.update(load_file(file))
    return merged


def _write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
