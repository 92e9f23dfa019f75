"""Configuration of a training run: frozen dataclasses, validated, changed on the command line by dotted keys."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from training.data.pool import PoolConfig
from training.losses import LossWeights

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class StepShape:
    """Fixed shape of an optimiser step: on a GPU every shape becomes one captured graph."""

    pool: int = 0  # index of the pool the clips come from; it decides the image size
    n_clips: int = 32
    n_views: int = 4
    window: int = 1  # views that share one update; 0: all of them (offline)
    n_queries: int = 1
    compiled: bool = True  # False for shapes too rare to pay for their compilation

    def __post_init__(self) -> None:
        if self.n_clips < 1 or self.n_views < 2 or self.window < 0 or self.n_queries < 0:
            raise ValueError(f"impossible step shape {self}")

    @property
    def n_frames(self) -> int:
        """Input frames of one step."""
        return self.n_clips * self.n_views


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A stretch of the curriculum: its shapes take turns step by step."""

    until: float  # progress in 0..1 at which the phase ends
    shapes: tuple[StepShape, ...]


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """AdamW, schedule, clipping and averaging."""

    lr: float = 8e-4
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.05  # on matrices only
    warmup_steps: int = 200  # of every leg: a fresh optimiser needs them, a resumed one does not mind
    decay_from: float = 0.55  # progress at which the learning rate starts to fall
    final_lr: float = 0.02  # of lr, at progress 1
    clip_norm: float = 1.0  # of the gradient of each top-level module
    ema_decay: float = 0.999


@dataclass(frozen=True, kw_only=True)
class LegConfig:
    """Which part of a run this process does: a leg ends after its steps or its seconds, whichever comes first.

    Progress runs from `start` to `end` within the leg and drives curriculum and schedule.
    """

    start: float = 0.0
    end: float = 1.0
    max_steps: int | None = None
    max_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.max_steps is None and self.max_seconds is None:
            raise ValueError("a leg needs max_steps or max_seconds")
        if not 0 <= self.start < self.end <= 1:
            raise ValueError(f"want 0 <= start < end <= 1, got {self.start} and {self.end}")

    def progress(self, steps_done: int, seconds: float) -> float:
        """Progress of the whole run after so many steps and seconds of this leg."""
        parts = [0.0]
        if self.max_steps is not None:
            parts.append(steps_done / self.max_steps)
        if self.max_seconds is not None:
            parts.append(seconds / self.max_seconds)
        return self.start + (self.end - self.start) * min(max(parts), 1.0)

    def is_over(self, steps_done: int, seconds: float) -> bool:
        """Whether the leg has used up its steps or its time."""
        by_steps = self.max_steps is not None and steps_done >= self.max_steps
        return by_steps or (self.max_seconds is not None and seconds >= self.max_seconds)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Everything a run needs besides the model's config."""

    model: str = "bundled"  # key of zipmap_model.MODEL_CONFIGS
    seed: int = 1
    pools: tuple[PoolConfig, ...]
    phases: tuple[Phase, ...]
    leg: LegConfig
    optim: OptimConfig = field(default_factory=OptimConfig)
    losses: LossWeights = field(default_factory=LossWeights)
    use_graphs: bool = True  # capture steps in CUDA graphs; ignored on a CPU
    compile_model: bool = True  # fuse blocks, heads and losses; ignored on a CPU
    log_every: int = 100  # steps between two reads of the scalars
    save_every_s: float = 150.0  # between two saves of the full state

    def __post_init__(self) -> None:
        if not self.phases or self.phases[-1].until < 1.0:
            raise ValueError("phases must reach progress 1")
        if [p.until for p in self.phases] != sorted(p.until for p in self.phases):
            raise ValueError("phases must be in order of progress")
        for shape in (s for phase in self.phases for s in phase.shapes):
            if not 0 <= shape.pool < len(self.pools):
                raise ValueError(f"there is no pool {shape.pool}")

    def phase_at(self, progress: float) -> Phase:
        """The phase that progress lies in."""
        return next((p for p in self.phases if progress < p.until), self.phases[-1])

    def shape_at(self, step: int, progress: float) -> StepShape:
        """The shape of a step."""
        shapes = self.phase_at(progress).shapes
        return shapes[step % len(shapes)]


def with_changes(config: T, assignments: Sequence[str]) -> T:
    """The config with `key=value` changes applied; keys are dotted and may index tuples (`phases.0.until=0.3`).

    Raises ValueError for a key that does not exist or an assignment without `=`.
    """
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator:
            raise ValueError(f"want key=value, got {assignment!r}")
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
        config = _changed(config, key.split("."), value, key)
    return config


def _changed(node: Any, path: list[str], value: Any, key: str) -> Any:
    if not path:
        return value
    head, *rest = path
    if isinstance(node, tuple) and head.isdigit() and int(head) < len(node):
        index = int(head)
        return (*node[:index], _changed(node[index], rest, value, key), *node[index + 1 :])
    if dataclasses.is_dataclass(node) and head in {f.name for f in dataclasses.fields(node)}:
        return dataclasses.replace(node, **{head: _changed(getattr(node, head), rest, value, key)})  # type: ignore[type-var]
    raise ValueError(f"there is no setting {key!r}")
