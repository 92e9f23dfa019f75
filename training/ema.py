"""Exponential moving average of weights: what is evaluated and shipped."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class WeightAverage:
    """Average of a model's parameters, beside the model on its device. Owned by the trainer."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._live = dict(model.named_parameters())
        self._average = {name: p.detach().clone() for name, p in self._live.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the live weights by 1 - decay; capturable."""
        torch._foreach_lerp_(list(self._average.values()), list(self._live.values()), 1 - self._decay)

    def state_dict(self) -> dict[str, Tensor]:
        """Name -> averaged tensor; the tensors are the live average, not copies."""
        return dict(self._average)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over averaged tensors. Raises KeyError for a missing name."""
        for name, tensor in self._average.items():
            tensor.copy_(state[name])
