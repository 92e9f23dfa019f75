"""Which kernels the time of a piece of work goes to."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

_ROWS = 60  # kernels listed
_NAME_LENGTH = 120  # characters of a kernel's name


def kernel_table(work: Callable[[], object], device: torch.device, repeats: int = 3) -> str:
    """Wall time and kernel time of one call of `work`, and the kernels that take most of it, a line each.

    The wall time is measured without the profiler. On a CPU, operations take the place of kernels.
    """
    work()
    _synchronise(device)
    started = time.monotonic()
    for _ in range(repeats):
        work()
    _synchronise(device)
    wall_ms = (time.monotonic() - started) / repeats * 1e3
    on_gpu = device.type == "cuda"
    kinds = [torch.profiler.ProfilerActivity.CUDA if on_gpu else torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=kinds) as profile:
        for _ in range(repeats):
            work()
        _synchronise(device)
    kernels = [
        (e.self_device_time_total if on_gpu else e.self_cpu_time_total, e.count, e.key)
        for e in profile.key_averages()
    ]
    kernels.sort(reverse=True)
    total_ms = sum(time_us for time_us, _, _ in kernels) / repeats / 1e3
    count = sum(n for _, n, _ in kernels) / repeats
    lines = [
        f"wall {wall_ms:.2f} ms, kernels {total_ms:.2f} ms in {count:.0f} launches of {len(kernels)} kinds"
    ]
    lines += [
        f"{time_us / repeats / 1e3:9.3f} ms {n / repeats:7.0f} x  {name[:_NAME_LENGTH]}"
        for time_us, n, name in kernels[:_ROWS]
    ]
    return "\n".join(lines)


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
