"""The scene state: everything the model keeps of the views it has seen, in constant size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from zipmap_model.heads.motion import ChainState
from zipmap_model.layers.fast_weights import FastWeights

_FORMAT = "zipmap-scene-state-1"


@dataclass(frozen=True, slots=True, eq=False)
class MotionState:
    """What the motion cue carries from view to view."""

    fine: Tensor  # (B, channels, H/4, W/4) stem features of the last view
    chain: ChainState


@dataclass(frozen=True, slots=True, eq=False)
class SceneState:
    """Fast weights of every layer after some views; never modified in place, so sharing is safe.

    The size does not depend on the number of views or their resolution: 576 MiB in float32 for the published
    models. ``fingerprint`` names the model that made the state; only that model can read it.
    """

    layers: tuple[FastWeights, ...]  # per layer w0, w2 (B*h, d, m), w1 (B*h, m, d)
    n_views: int
    fingerprint: str
    motion: MotionState | None = None
    query_scale: Tensor | None = None  # (B,) divisor of query translations; None where unknown

    @property
    def memory_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(t.numel() * t.element_size() for _, t in self._tensors())

    def clone(self) -> SceneState:
        """An independent copy."""
        return self._map(lambda t: t.clone())

    def to(self, device: torch.device | str) -> SceneState:
        """The state on another device."""
        return self._map(lambda t: t.to(device))

    def save(self, path: Path | str, extra: Mapping[str, str] | None = None) -> None:
        """Write one safetensors file; an existing file is replaced only when the new one is complete.

        ``extra`` goes into the file's metadata, for whoever wrote it; loading ignores it.
        """
        path = Path(path)
        tensors = {name: t.detach().cpu().contiguous() for name, t in self._tensors()}
        metadata = {
            **(extra or {}),
            "format": _FORMAT,
            "n_views": str(self.n_views),
            "fingerprint": self.fingerprint,
            "layers": str(len(self.layers)),
        }
        partial = path.with_name(path.name + ".partial")
        try:
            save_file(tensors, partial, metadata=metadata)
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path | str, device: torch.device | str = "cpu") -> SceneState:
        """Read a file that ``save`` wrote. Raises ValueError if it is something else or damaged."""
        try:
            with safe_open(path, framework="pt", device=str(device)) as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != _FORMAT:
                    raise ValueError(
                        f"{path} is not a ZipMap scene state (format {metadata.get('format')!r}); "
                        "open a file that was saved as a state."
                    )
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return cls._from_tensors(tensors, metadata)
        except (SafetensorError, KeyError) as error:
            raise ValueError(f"{path} is damaged or not a scene state ({error}); save it again.") from error

    @classmethod
    def _from_tensors(cls, tensors: dict[str, Tensor], metadata: dict[str, str]) -> SceneState:
        layers = tuple(
            FastWeights(*(tensors[f"layers.{i}.{name}"] for name in FastWeights._fields))
            for i in range(int(metadata["layers"]))
        )
        motion = None
        if "motion.fine" in tensors:
            chain = ChainState(*(tensors[f"motion.{name}"] for name in ChainState._fields))
            motion = MotionState(tensors["motion.fine"], chain)
        return cls(
            layers, int(metadata["n_views"]), metadata["fingerprint"], motion, tensors.get("query_scale")
        )

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        for i, weights in enumerate(self.layers):
            yield from ((f"layers.{i}.{name}", t) for name, t in weights._asdict().items())
        if self.motion is not None:
            yield "motion.fine", self.motion.fine
            yield from ((f"motion.{name}", t) for name, t in self.motion.chain._asdict().items())
        if self.query_scale is not None:
            yield "query_scale", self.query_scale

    def _map(self, function: Callable[[Tensor], Tensor]) -> SceneState:
        motion = self.motion
        if motion is not None:
            motion = MotionState(function(motion.fine), ChainState(*map(function, motion.chain)))
        return replace(
            self,
            layers=tuple(FastWeights(*map(function, weights)) for weights in self.layers),
            motion=motion,
            query_scale=None if self.query_scale is None else function(self.query_scale),
        )


def query_scale(state: SceneState, scene: int = 0) -> float:
    """The number that divides translations of query cameras asked of one scene of this state.

    Raises ValueError when the state holds no cameras to take it from.
    """
    if state.query_scale is None:
        raise ValueError(
            "This scene state has no query scale: its model predicts no cameras or answers no queries."
        )
    return float(state.query_scale[scene])
