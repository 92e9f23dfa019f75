"""Which device a model runs on, and whether its work fits there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

import zipmap_model as zm
from zipmap_app.pipeline.engine import EngineError

# What one view keeps alive at the same time in an offline run, in multiples of its tokens x 2 C values: four taps
# for the heads, and the residual stream, queries, keys, values and hidden layer of one block.
_LIVE_TOKEN_MAPS = 8
# Likewise of the small model's fine features, a quarter of the picture's size; measured with 60 views of 192x144,
# whose run took 1.16 GB.
_LIVE_FINE_MAPS = 36
_WORKING_RESERVE = 1.25  # memory for a model over the size of its file
_SMALL_WIDTH = 512  # a model narrower than this works in operations of tens of microseconds
_MAX_SMALL_THREADS = 4
_ALL_THREADS = torch.get_num_threads()


def chosen_device(name: str) -> torch.device:
    """The device for "auto", "cpu", "cuda" or "mps". Raises EngineError when it is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise EngineError(
            "This PyTorch finds no CUDA device: install a CUDA build and a driver, or use --device cpu."
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise EngineError("There is no MPS device here: use --device cpu.")
    return torch.device(name)


def shares_frames(config: zm.ZipMapConfig, device: torch.device) -> bool:
    """Whether two frames at once, on a thread each, are faster: a small model on more than one processor."""
    return device.type == "cpu" and config.embed_dim < _SMALL_WIDTH and _n_processors() > 1


def choose_threads(config: zm.ZipMapConfig) -> None:
    """Give each of the two frames that a small model works on a quarter of the threads, four at most.

    What the environment says is left alone. Its operations are so short that further threads cost more to wake
    than they do (see docs/benchmarks.md), and reading, tracking and drawing want processors, too.
    """
    if config.embed_dim < _SMALL_WIDTH and "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(max(_ALL_THREADS // 4, 1), _MAX_SMALL_THREADS))


def _n_processors() -> int:
    """Those that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_offline_fits(
    model: zm.ZipMap,
    n_views: int,
    size_hw: tuple[int, int],
    device: torch.device,
    advice: str = "use fewer frames (--max-frames, --every) or a streaming model",
) -> None:
    """Raise EngineError if an offline run over all views is sure not to fit into memory.

    The estimate is a lower bound on purpose: without it an operating system kills the program, and the window
    with it, instead of raising an error.
    """
    free = free_bytes(device)
    if free is None:
        return
    needed = offline_bytes(model.config, n_views, size_hw, bytes_per_value=2 if device.type == "cuda" else 4)
    if needed > free:
        raise EngineError(
            f"The model works on all {n_views} frames at once and needs at least {needed / 2**30:.1f} GiB, but "
            f"{device} has {free / 2**30:.1f} GiB free: {advice}."
        )


def model_fits(model: str, device_name: str) -> bool:
    """Whether the weights of a model, by name or path, fit into what a device has free now.

    A small reserve is left for working with them. Weights of unknown size are taken to fit.
    """
    device = chosen_device(device_name)
    free = free_bytes(device)
    if model in zm.PUBLISHED:
        size = zm.PUBLISHED[model].size_bytes
    else:
        size = Path(model).stat().st_size if Path(model).is_file() else 0
    return free is None or size * _WORKING_RESERVE <= free


def offline_bytes(
    config: zm.ZipMapConfig, n_views: int, size_hw: tuple[int, int], *, bytes_per_value: int
) -> int:
    """About the least memory that an offline run takes, weights not counted."""
    patches = (size_hw[0] // config.patch_size) * (size_hw[1] // config.patch_size)
    tokens = patches + config.special_tokens
    values = tokens * 2 * config.embed_dim * _LIVE_TOKEN_MAPS
    if config.stem == "conv":
        values += (size_hw[0] // 4) * (size_hw[1] // 4) * config.stem_channels * _LIVE_FINE_MAPS
    return n_views * values * bytes_per_value


def out_of_memory_advice(what: str, device: torch.device) -> str:
    """A sentence for the user, with the memory there is."""
    free = free_bytes(device)
    left = "" if free is None else f" ({free / 2**30:.1f} GiB free)"
    return (
        f"{what} needs more memory than {device} has{left}: use fewer frames, a smaller --window, the bundled "
        "model or another device, and close other programs."
    )


@contextmanager
def memory_advice(what: str, device: torch.device) -> Iterator[None]:
    """Turn running out of memory into a sentence, and give back what can be given back."""
    try:
        yield
    except (torch.cuda.OutOfMemoryError, MemoryError) as error:
        if device.type == "cuda":
            torch.cuda.empty_cache()
        raise EngineError(out_of_memory_advice(what, device)) from error
    except RuntimeError as error:
        # The CPU and MPS allocators say so in words only.
        if "not enough memory" in str(error) or "out of memory" in str(error):
            raise EngineError(out_of_memory_advice(what, device)) from error
        raise


def free_bytes(device: torch.device) -> int | None:
    """Memory that can still be had on a device, or None where that cannot be asked."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "cpu":
        return _available_host_bytes()
    return None


def _available_host_bytes() -> int | None:
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        return None
    return None
