"""Memory and time over a long stream of the built-in scene, without a window."""

from __future__ import annotations

import logging

import numpy as np

from zipmap_app.benchmarks.memory import resident_bytes
from zipmap_app.pipeline.runner import Runner, RunOptions
from zipmap_app.sources.synthetic import SyntheticSource
from zipmap_app.state.messages import FrameResult, PipelineFault, StreamEnded

logger = logging.getLogger(__name__)


def measure_stream(options: RunOptions, n_frames: int, every: int) -> int:
    """Print resident memory and the median time of a frame along a stream; results are thrown away."""
    runner = Runner(options, on_wake=lambda: None)
    try:
        runner.start(SyntheticSource(n_frames))
        logger.info("%8s %12s %14s", "frames", "RSS MiB", "ms per frame")
        n_done = 0
        frame_ms: list[float] = []
        while True:
            for message in runner.outbox.take(8, 1.0):
                if isinstance(message, PipelineFault) and message.fatal:
                    logger.error("%s", message.sentence)
                    return 1
                if isinstance(message, StreamEnded):
                    return 0
                if isinstance(message, FrameResult):
                    n_done += 1
                    frame_ms.append(message.timings.infer_ms + message.timings.pack_ms)
                    if n_done == 1 or n_done % every == 0:
                        logger.info(
                            "%8d %12.1f %14.1f", n_done, resident_bytes() / 2**20, float(np.median(frame_ms))
                        )
                        frame_ms.clear()
    finally:
        runner.close(timeout_s=10.0)
