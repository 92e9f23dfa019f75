"""AdamW with clipping per module, a skipped step on non-finite gradients, and a schedule of progress.

Nothing here waits for the device, so the whole update can be captured in a CUDA graph.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from training.config import OptimConfig


class ModuleOptimizer:
    """Updates one model. Owned by the trainer."""

    def __init__(self, model: nn.Module, config: OptimConfig, device: torch.device) -> None:
        self._config = config
        self._modules = _clip_groups(model)
        parameters = [p for p in model.parameters() if p.requires_grad]
        # A tensor, so that a captured graph reads today's value.
        self.lr = torch.zeros((), device=device)
        self.n_skipped = torch.zeros((), device=device)
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.adamw = torch.optim.AdamW(
            groups, lr=self.lr, betas=config.betas, fused=True, capturable=device.type == "cuda"
        )

    def set_lr(self, steps_in_leg: int, progress: float) -> None:
        """Learning rate for the coming step."""
        self.lr.fill_(learning_rate(self._config, steps_in_leg, progress))

    def step(self) -> Tensor:
        """Clip, then update unless a gradient is not finite; returns the norm of all before clipping."""
        squared: list[Tensor] = []
        for parameters in self._modules:
            gradients = [p.grad for p in parameters if p.grad is not None]
            if not gradients:
                continue
            norm = torch.stack(torch._foreach_norm(gradients)).norm()
            squared.append(norm * norm)
            torch._foreach_mul_(gradients, (self._config.clip_norm / (norm + 1e-6)).clamp(max=1.0))
        total = torch.stack(squared).sum().sqrt()
        bad = (~torch.isfinite(total)).float()
        self.n_skipped.add_(bad)
        # The fused kernel leaves weights, moments and step counts alone where this flag is set.
        self.adamw.found_inf = bad  # type: ignore[attr-defined]
        self.adamw.step()
        return total


def learning_rate(config: OptimConfig, steps_in_leg: int, progress: float) -> float:
    """Linear warm-up over the first steps of a leg, flat, then a cosine to `final_lr` of the peak."""
    warm = min(1.0, (steps_in_leg + 1) / max(config.warmup_steps, 1))
    late = max(0.0, (progress - config.decay_from) / max(1.0 - config.decay_from, 1e-6))
    falling = config.final_lr + (1 - config.final_lr) * 0.5 * (1 + math.cos(math.pi * min(late, 1.0)))
    return config.lr * warm * falling


def _clip_groups(model: nn.Module) -> list[list[nn.Parameter]]:
    """Parameters by the second level of their names: one loud head must not silence the trunk."""
    groups: dict[str, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault(".".join(name.split(".")[:2]), []).append(parameter)
    return list(groups.values())
