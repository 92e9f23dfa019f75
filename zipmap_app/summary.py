"""The account of a headless run: what was done, how fast, and with what."""

from __future__ import annotations

import hashlib
import platform
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zipmap_app.cli import app_version
from zipmap_app.sources.base import SourceError
from zipmap_app.state.messages import ModelLoaded, StreamEnded

_MAX_HASHED_BYTES = 1 << 29  # a larger model file is told by its size only: hashing it would take long


@dataclass(kw_only=True)
class RunRecord:
    """What is known of a run so far. Main thread only."""

    source_name: str
    start_s: float = field(default_factory=time.monotonic)
    loaded: ModelLoaded | None = None
    ended: StreamEnded | None = None
    source_failure: SourceError | None = None
    notes: list[str] = field(default_factory=list)
    frame_ms: list[float] = field(default_factory=list)  # inference and packing of each frame


def make_summary(record: RunRecord, n_points: int) -> dict[str, object]:
    """The content of summary.json."""
    assert record.ended is not None
    assert record.loaded is not None
    frame_ms = np.array(record.frame_ms)
    return {
        "input": record.source_name,
        "model": record.loaded.name,
        "device": record.loaded.device,
        "frames": {
            "read": record.ended.n_read,
            "dropped": record.ended.n_dropped,
            "processed": record.ended.n_frames,
        },
        "seconds": round(time.monotonic() - record.start_s, 3),
        "model_load_seconds": round(record.loaded.load_s, 3),
        "ms_per_frame": {
            "median": round(float(np.median(frame_ms)), 3),
            "p95": round(float(np.percentile(frame_ms, 95)), 3),
        },
        "peak_memory_bytes": peak_memory_bytes(),
        "peak_device_memory_bytes": _peak_device_bytes(record.loaded.device),
        "points": n_points,
        "scale": "relative",
        "axes": "OpenCV: x right, y down, z forward; world is the first camera",
        "versions": _versions(record.loaded.name),
        "notes": [*record.notes, *record.ended.notes],
    }


def peak_memory_bytes() -> int | None:
    """The most memory this process had resident, or None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _peak_device_bytes(device: str) -> int | None:
    if not device.startswith("cuda"):
        return None
    import torch

    return int(torch.cuda.max_memory_allocated(device))


def _versions(model: str) -> dict[str, object]:
    # Imported late: by now the inference thread has loaded torch, and bad input has been refused without it.
    import torch

    return {
        "zipmap_studio": app_version(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "model_file": _model_file(model),
    }


def _model_file(model: str) -> dict[str, object] | None:
    """Name, size and hash of the weights, or None if they are not a file."""
    from zipmap_model import MODEL_CONFIGS, PUBLISHED, CheckpointError
    from zipmap_model.checkpoints import bundled_weights, cached_checkpoint

    try:
        if model in PUBLISHED:
            path = cached_checkpoint(model)
        else:
            path = bundled_weights(model) if model in MODEL_CONFIGS else Path(model)
    except CheckpointError:
        return None
    if path is None or not path.is_file():
        return None
    size_bytes = path.stat().st_size
    digest = None
    if size_bytes <= _MAX_HASHED_BYTES:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"name": path.name, "bytes": size_bytes, "sha256": digest}
