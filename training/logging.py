"""Scalars of a run: summed on the device, read on logging steps only, appended to a CSV file."""

from __future__ import annotations

import csv
import logging
from pathlib import Path

import torch
from torch import Tensor

from training.losses import TERM_NAMES, LossTerms

_LOG = logging.getLogger(__name__)
_COLUMNS = ("step", "progress", "seconds", "frames", "frames_per_s", "lr", "skipped", "loss", "grad_norm")


class Meters:
    """Running sums of loss terms on the device. Owned by the trainer."""

    def __init__(self, device: torch.device) -> None:
        # loss, gradient norm, then the terms
        self._sums = torch.zeros(2 + len(TERM_NAMES), device=device)
        self._since = 0

    def add_losses(self, loss: Tensor, terms: LossTerms) -> None:
        """Add the losses of one step; capturable. The caller counts steps with `count`."""
        self._sums[0] += loss.detach()
        self._sums[2:] += terms.stacked()

    def add_gradient_norm(self, grad_norm: Tensor) -> None:
        """Add the gradient norm of one step; capturable."""
        self._sums[1] += grad_norm

    def count(self) -> None:
        """One more step was added."""
        self._since += 1

    def read(self) -> list[float]:
        """Means since the last read; this waits for the device."""
        means = (self._sums / max(self._since, 1)).tolist()
        self._sums.zero_()
        self._since = 0
        return means


class RunLog:
    """The CSV file of a run, one row a logging step. Owned by the trainer."""

    def __init__(self, path: Path | None) -> None:
        """Without a path, rows go nowhere: only one of several processes writes."""
        self._path = path
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            self._append([*_COLUMNS, *TERM_NAMES])

    def row(
        self,
        *,
        step: int,
        progress: float,
        seconds: float,
        frames: int,
        rate: float,
        lr: float,
        skipped: int,
        means: list[float],
    ) -> None:
        """Write one row and say the essentials."""
        cells = [step, f"{progress:.4f}", f"{seconds:.1f}", frames, f"{rate:.0f}", f"{lr:.2e}", skipped]
        self._append([*cells, *(f"{value:.5f}" for value in means)])
        shown = " ".join(f"{name}={value:.3f}" for name, value in zip(TERM_NAMES, means[2:], strict=True))
        _LOG.info(
            "step %d progress %.3f %.0fs %.0f frames/s loss %.3f grad %.2f skipped %d | %s",
            step,
            progress,
            seconds,
            rate,
            means[0],
            means[1],
            skipped,
            shown,
        )

    def _append(self, cells: list[object]) -> None:
        if self._path is None:
            return
        with self._path.open("a", newline="") as file:
            csv.writer(file).writerow(cells)
