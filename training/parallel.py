"""Several processes training one model: each has its own clips, gradients are averaged, all weights stay equal.

Started by torchrun with one process a GPU, or alone. The only traffic of a step is one all-reduce of one flat
buffer, and one number that rank 0 sends so that all processes agree on the time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn

_TIMEOUT = timedelta(minutes=6)  # longer than the slowest compilation of one process


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes of this run, as one of them sees it. Processes that are alone talk to nobody."""

    rank: int = 0
    count: int = 1
    host_group: dist.ProcessGroup | None = None  # over host memory, so that agreeing never waits for a GPU

    @property
    def is_first(self) -> bool:
        """Whether this process logs and saves."""
        return self.rank == 0

    def agree(self, value: float) -> float:
        """What rank 0 passed. Every process must call this equally often."""
        if self.count == 1:
            return value
        message = torch.tensor([value], dtype=torch.float64)
        dist.broadcast(message, src=0, group=self.host_group)
        return float(message)

    def average(self, flat: Tensor) -> None:
        """Replace a tensor by its mean over all processes."""
        if self.count > 1:
            dist.all_reduce(flat)
            flat.div_(self.count)

    def share_weights(self, model: nn.Module) -> None:
        """Give every process the parameters of rank 0."""
        if self.count > 1:
            for parameter in model.parameters():
                dist.broadcast(parameter.detach(), src=0)


def device_for_process(name: str) -> torch.device:
    """`auto` or `cuda` is this process's own GPU, if there is one; any other name is taken as it is."""
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if name not in ("auto", "cuda"):
        return torch.device(name)
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


@contextmanager
def join_workers(device: torch.device) -> Iterator[Workers]:
    """The processes that torchrun started, or this one alone; leaves the group at the end."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Workers()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_TIMEOUT)
    try:
        host_group = dist.new_group(backend="gloo", timeout=_TIMEOUT)
        yield Workers(dist.get_rank(), dist.get_world_size(), host_group)
    finally:
        dist.destroy_process_group()


class FlatGradients:
    """All gradients of a model as views of one buffer: one call clears or sums them. Owned by the trainer."""

    def __init__(self, model: nn.Module) -> None:
        parameters = [p for p in model.parameters() if p.requires_grad]
        self.flat = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        for parameter, part in zip(parameters, self.flat.split([p.numel() for p in parameters]), strict=True):
            parameter.grad = part.view_as(parameter)

    def clear(self) -> None:
        """Set all gradients to zero, keeping the buffer; capturable."""
        self.flat.zero_()
